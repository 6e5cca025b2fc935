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

/** The text as sections, in its order. Lines before the first one are in none. */
export function sectionsOf(text: string): readonly Section[] {
  const sections: (Section & { readonly lines: Line[] })[] = [];
  let environment: Environment = new Map();
  let depth = 0;
  text.split('\n').forEach((source, index) => {
    const words = wordsOf(source, environment);
    const [first, second, third, fourth] = words.map(({ value }) => value);
    if (first === undefined) return;
    if (first === '.if') depth += 1;
    if (first === '.endif') depth = Math.max(0, depth - 1);
    if (first.startsWith('.')) return;
    const line = { number: index + 1, words, conditional: depth > 0, environment };
    if (kinds.has(first)) {
      const from = first === 'defaults' || proxies.has(first) ? defaultsOf(sections, words) : null;
      sections.push({ kind: first, name: second ?? '', head: line, lines: [], defaults: from });
      return;
    }
    const section = sections.at(-1);
    section?.lines.push(line);
    if (section?.kind === 'global' && fourth === undefined)
      environment = withVariable(environment, first, second, third);
  });
  return sections;
}

function withVariable(
  before: Environment,
  keyword: string,
  name: string | undefined,
  value: string | undefined,
): Environment {
  const after = new Map(before);
  if (name === undefined) return before;
  if (keyword === 'unsetenv') after.delete(name);
  else if (value === undefined) return before;
  else if (keyword === 'setenv' || (keyword === 'presetenv' && !before.has(name))) after.set(name, value);
  else return before;
  return after;
}

/** Named by `from`, else the one above; a defaults section starts from nothing unless it says so. */
function defaultsOf(before: readonly Section[], words: readonly Word[]): Section | null {
  const values = words.map(({ value }) => value);
  const from = values.indexOf('from', 1);
  const defaults = before.filter(({ kind }) => kind === 'defaults');
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
