import { type Environment, type Word, wordsOf } from './words.ts';

/** A line with words on it, empty lines and comments left out. */
export interface Line {
  /** From 1. */
  readonly number: number;
  readonly words: readonly Word[];
  /** Between `.if` and `.endif`: whether it counts, only the engine knows. */
  readonly conditional: boolean;
  /** What the text had set up to here. */
  readonly environment: Environment;
}

export interface Section {
  readonly kind: string;
  readonly name: string;
  readonly head: Line;
  readonly lines: readonly Line[];
  /** The defaults section that it starts from. */
  readonly defaults: Section | null;
}

const kinds = new Set(
  `global defaults frontend backend listen peers resolvers userlist mailers cache ring program http-errors
  log-forward log-profile fcgi-app crt-store traces acme`.split(/\s+/),
);
const proxies = new Set(['frontend', 'backend', 'listen']);

/** How much is known of where a text will run. Absent: nothing. */
export interface Reading {
  readonly environment?: (name: string) => string | null;
  /** Whether a `.if` holds; null: only the engine knows. Absent: the lines of all branches count, as `conditional`. */
  readonly decide?: (line: Line) => boolean | null;
  /** A line that is in no section, or breaks off. It is left out. */
  readonly onStray?: (line: Line, why: string) => void;
}

interface Branch {
  /** Null: nobody knows. */
  now: boolean | null;
  /** Whether an earlier branch was the one. */
  taken: boolean | null;
}

/** The text as sections, in its order. Lines before the first one are in none. */
export function sectionsOf(text: string, reading: Reading = {}): readonly Section[] {
  const sections: (Section & { readonly lines: Line[] })[] = [];
  const defaults: Section[] = [];
  const branches: Branch[] = [];
  let environment: Environment = startOf(reading);
  for (const [index, source] of text.split('\n').entries()) {
    const words = wordsOf(source, environment);
    const first = words[0]?.value;
    if (first === undefined) continue;
    const conditional = branches.length > 0 && branches.some(({ now }) => now === null);
    const line = { number: index + 1, words, conditional, environment };
    const section = sections.at(-1);
    if (first.startsWith('.')) directive(line, branches, reading);
    else if (branches.some(({ now }) => now === false)) continue;
    else if (words.some(({ open }) => open)) reading.onStray?.(line, 'its quotes are not closed');
    else if (kinds.has(first)) {
      const from = first === 'defaults' || proxies.has(first) ? defaultsOf(defaults, words) : null;
      const opened = { kind: first, name: words[1]?.value ?? '', head: line, lines: [], defaults: from };
      sections.push(opened);
      if (first === 'defaults') defaults.push(opened);
    } else if (section === undefined) reading.onStray?.(line, 'it stands in no section that is known');
    else section.lines.push(line);
    if (section?.kind === 'global' && words.length <= 3)
      environment = withVariable(environment, first, words[1]?.value, words[2]?.value);
  }
  return sections;
}

/** `.notice` and the like are told to whoever starts the engine: no request is treated by them. */
function directive(line: Line, branches: Branch[], reading: Reading): void {
  const [first] = line.words;
  const last = branches.at(-1);
  if (first?.value === '.if') branches.push(branchOf(decided(line, branches, reading)));
  else if (first?.value === '.endif') branches.pop();
  else if (last !== undefined && (first?.value === '.elif' || first?.value === '.else')) {
    const holds = first.value === '.else' ? true : decided(line, branches.slice(0, -1), reading);
    if (last.taken === true) last.now = false;
    else if (last.taken === false) Object.assign(last, branchOf(holds));
    else last.now = holds === false ? false : null;
  }
}

const branchOf = (holds: boolean | null): Branch => ({ now: holds, taken: holds });

function decided(line: Line, branches: readonly Branch[], { decide }: Reading): boolean | null {
  if (branches.some(({ now }) => now === false)) return false;
  return decide === undefined ? null : decide(line);
}

function startOf({ environment }: Reading): Environment {
  if (environment === undefined) return new Map();
  return {
    get: (name) => environment(name) ?? undefined,
    has: (name) => environment(name) !== null,
  };
}

function withVariable(
  before: Environment,
  keyword: string,
  name: string | undefined,
  value: string | undefined,
): Environment {
  if (name === undefined) return before;
  const isSet = keyword === 'setenv' || (keyword === 'presetenv' && !before.has(name));
  if (keyword !== 'unsetenv' && (!isSet || value === undefined)) return before;
  const instead = keyword === 'unsetenv' ? undefined : value;
  return {
    get: (asked) => (asked === name ? instead : before.get(asked)),
    has: (asked) => (asked === name ? instead !== undefined : before.has(asked)),
  };
}

/** Named by `from`, else the one above; a defaults section starts from nothing unless it says so. */
function defaultsOf(defaults: readonly Section[], words: readonly Word[]): Section | null {
  const values = words.map(({ value }) => value);
  const from = values.indexOf('from', 1);
  if (from > 0) return defaults.findLast(({ name }) => name === values[from + 1]) ?? null;
  return values[0] === 'defaults' ? null : (defaults.at(-1) ?? null);
}

/** The last line of a keyword in a section, or in the defaults that it starts from. */
export function settingOf(section: Section, ...keyword: readonly string[]): Line | null {
  const found = section.lines.findLast(({ words }) =>
    keyword.every((word, index) => words[index]?.value === word),
  );
  return found ?? (section.defaults ? settingOf(section.defaults, ...keyword) : null);
}

export function isHttp(section: Section): boolean {
  return settingOf(section, 'mode')?.words[1]?.value === 'http';
}

export function isDisabled(section: Section): boolean {
  const said = section.lines.findLast(({ words }) => ['enabled', 'disabled'].includes(words[0]?.value ?? ''));
  if (said) return said.words[0]?.value === 'disabled';
  return section.defaults ? isDisabled(section.defaults) : false;
}
