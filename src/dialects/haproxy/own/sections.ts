import { once } from '#base';
import { type Environment, isPlain, type Word, wordsOf } from './words.ts';

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
  /** Those of its lines that begin with a word. */
  of(keyword: string): readonly Line[];
  /** `server` lines that are not among `lines`, because nothing in them needs a closer look: read when they are asked for. */
  readonly plainServers: PlainLines | null;
  /** The defaults section that it starts from. */
  readonly defaults: Section | null;
  /** As it is written, up to the next one. Null: what is in it depends on more than that, such as `.if` or a variable. */
  readonly text: string | null;
}

/** Lines without quotes, escapes, comments and variables. */
export interface PlainLines {
  readonly lines: () => readonly Line[];
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
  /** Whether plain `server` lines are kept apart (`Section.plainServers`): there may be a hundred thousand. */
  readonly laterServers?: true;
  /** Words of lines that have no quotes, escapes and comments, by how they are written: found there, and put there. */
  readonly words?: Map<string, readonly Word[]>;
}

interface Branch {
  /** Null: nobody knows. */
  now: boolean | null;
  /** Whether an earlier branch was the one. */
  taken: boolean | null;
}

/** The text as sections, in its order. Lines before the first one are in none. */
export function sectionsOf(text: string, reading: Reading = {}): readonly Section[] {
  const sections: Opened[] = [];
  const defaults: Opened[] = [];
  const branches: Branch[] = [];
  let isConditional = false;
  let environment: Environment = startOf(reading);
  let number = 0;
  for (let start = 0, end = 0; start <= text.length; start = end + 1) {
    number += 1;
    const section = sections.at(-1);
    if (reading.laterServers && branches.length === 0 && section?.isBack) {
      end = plainServerEnd(text, start);
      if (end >= 0) {
        section.keepForLater(number, start, end);
        continue;
      }
    }
    end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const source = text.slice(start, end);
    const words = knownWords(source, environment, reading);
    const first = words[0]?.value;
    if (first === undefined) continue;
    const conditional = branches.length > 0 && branches.some(({ now }) => now === null);
    const line = { number, words, conditional, environment };
    if (first.startsWith('.')) {
      isConditional = true;
      directive(line, branches, reading);
    } else if (branches.some(({ now }) => now === false)) continue;
    else if (words.some(({ open }) => open)) reading.onStray?.(line, 'its quotes are not closed');
    else if (kinds.has(first)) {
      const from = first === 'defaults' || proxies.has(first) ? defaultsOf(defaults, words) : null;
      section?.endsAt(start);
      const opened = new Opened(text, start, line, from);
      sections.push(opened);
      if (first === 'defaults') defaults.push(opened);
    } else if (section === undefined) reading.onStray?.(line, 'it stands in no section that is known');
    else section.lines.push(line);
    if (section?.kind === 'global' && words.length <= 3)
      environment = withVariable(environment, first, words[1]?.value, words[2]?.value);
  }
  for (const section of sections) section.close(isConditional);
  return sections;
}

function knownWords(source: string, environment: Environment, { words }: Reading): readonly Word[] {
  const known = words?.get(source);
  if (known) return known;
  const made = wordsOf(source, environment);
  if (words && isPlain(source)) words.set(source, made);
  return made;
}

/** A `server` with name and address, none of whose bytes has a meaning of its own. */
const plainServer =
  /[ \t]*server[ \t]+[\w!%&()*+,./:;<=>?@[\]^`{|}~-]+[ \t]+[\w!%&()*+,./:;<=>?@[\]^`{|}~-][\w!%&()*+,./:;<=>?@[\]^`{|}~\t -]*(?:\n|$)/y;

/** Where such a line ends; -1: it is none. */
function plainServerEnd(text: string, start: number): number {
  plainServer.lastIndex = start;
  if (!plainServer.test(text)) return -1;
  const end = plainServer.lastIndex;
  return text.charCodeAt(end - 1) === 10 ? end - 1 : end;
}

const noLines: readonly Line[] = [];
const aboutServers = ['server', 'server-template', 'dispatch'];

class Opened implements Section {
  readonly kind: string;
  readonly name: string;
  readonly head: Line;
  readonly lines: Line[] = [];
  readonly defaults: Section | null;
  readonly isBack: boolean;
  plainServers: PlainLines | null = null;
  readonly #whole: string;
  readonly #start: number;
  #end: number;
  #isConditional = false;
  #text: string | null | undefined;
  readonly #later: { readonly number: number; readonly start: number; end: number }[] = [];
  #byKeyword: ReadonlyMap<string, readonly Line[]> | null = null;

  constructor(text: string, start: number, head: Line, defaults: Section | null) {
    this.kind = head.words[0]?.value ?? '';
    this.name = head.words[1]?.value ?? '';
    this.head = head;
    this.defaults = defaults;
    this.isBack = this.kind === 'backend' || this.kind === 'listen';
    this.#whole = text;
    this.#start = start;
    this.#end = text.length;
  }

  endsAt(offset: number): void {
    this.#end = offset;
  }

  keepForLater(number: number, start: number, end: number): void {
    const last = this.#later.at(-1);
    if (last && last.end + 1 === start) last.end = end;
    else this.#later.push({ number, start, end });
  }

  close(isConditional: boolean): void {
    this.#isConditional = isConditional;
    if (this.#later.length === 0) return;
    if (aboutServers.some((one) => this.of(one).length > 0)) {
      this.lines.push(...this.#readLater());
      this.lines.sort((a, b) => a.number - b.number);
      this.#byKeyword = null;
    } else this.plainServers = { lines: once(() => this.#readLater()) };
  }

  #readLater(): readonly Line[] {
    const { environment } = this.head;
    return this.#later.flatMap(({ number, start, end }) =>
      this.#whole
        .slice(start, end)
        .split('\n')
        .map((source, index) => ({
          number: number + index,
          words: wordsOf(source, environment),
          conditional: false,
          environment,
        })),
    );
  }

  get text(): string | null {
    if (this.#text !== undefined) return this.#text;
    const text = this.#whole.slice(this.#start, this.#end);
    this.#text = this.#isConditional || text.includes('$') ? null : text;
    return this.#text;
  }

  of(word: string): readonly Line[] {
    if (this.lines.length === 0) return noLines;
    this.#byKeyword ??= Map.groupBy(this.lines, ({ words: [first] }) => first?.value ?? '');
    return this.#byKeyword.get(word) ?? [];
  }
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
export function settingOf(section: Section, first: string, ...more: readonly string[]): Line | null {
  const found = section.of(first).findLast((line) => goesOn(line, more));
  return found ?? (section.defaults ? settingOf(section.defaults, first, ...more) : null);
}

/** Whether these stand behind its first word. */
export function goesOn({ words }: Line, more: readonly string[]): boolean {
  return more.every((word, index) => words[index + 1]?.value === word);
}

export function isHttp(section: Section): boolean {
  return settingOf(section, 'mode')?.words[1]?.value === 'http';
}

export function isDisabled(section: Section): boolean {
  const last = (word: string) => section.of(word).at(-1);
  const [on, off] = [last('enabled'), last('disabled')];
  const said = (on?.number ?? 0) > (off?.number ?? 0) ? on : off;
  if (said) return said.words[0]?.value === 'disabled';
  return section.defaults ? isDisabled(section.defaults) : false;
}
