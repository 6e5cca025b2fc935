import type { Place } from '#base';
import { meaning } from '#routing';
import type { Line, Section } from '../own/sections.ts';
import type { Word } from '../own/words.ts';

type Unknown = meaning.Unknown;
const { all } = meaning;

/** What a lift is given: the text, and all that may be asked of the machine. */
export interface LiftSource {
  readonly file: string;
  readonly text: string;
  /** A list or map by the name that the text has for it; null when it cannot be read. */
  readonly read: (path: string) => string | null;
  /** A variable of the engine's environment; null when it is not set, or not known. */
  readonly environment: (name: string) => string | null;
  /** For texts that are lifted to be compared: what both say is one and the same in both. */
  readonly shared?: SharedParts;
  /** The program that will run the text, where it is known: `.if` asks for it. */
  readonly engine?: { readonly version: string; readonly features: readonly string[] };
}

/** The same conditions together are one and the same. */
class Wholes {
  readonly #next = new Map<meaning.Condition, Wholes>();
  #whole: meaning.Condition | null = null;

  of(parts: readonly meaning.Condition[]): meaning.Condition {
    let at: Wholes = this;
    for (const part of parts) {
      const next = at.#next.get(part) ?? new Wholes();
      at.#next.set(part, next);
      at = next;
    }
    at.#whole ??= all(parts);
    return at.#whole;
  }
}

/** What is read once, in however many texts and places it stands. */
export class SharedParts {
  /** Lines without quotes, escapes and comments, by how they are written. */
  readonly words = new Map<string, readonly Word[]>();
  /** Conditions about a request as it came, by their words. */
  readonly conditions = new Map<string, meaning.Condition>();
  /** Those of them that come of such words alone. */
  readonly plain = new Set<meaning.Condition>();
  readonly wholes = new Wholes();
  /** The same by the line that they end: from which of its words on. */
  readonly byLine = new Map<
    readonly Word[],
    { readonly from: number; readonly condition: meaning.Condition }
  >();
  readonly texts = new Map<readonly Word[], string>();
  /** By the text of their section: `source` is that with what it inherits, `line` where it stood. */
  readonly servers = new Map<
    string,
    {
      readonly source: readonly string[];
      readonly line: number;
      readonly servers: readonly meaning.ServerMeaning[];
    }
  >();
}

/** A condition that is too large is one that is not understood. */
export const patternsMax = 100_000;
export const listedMax = 1_000_000;

/** What one lift has found out so far. */
export class Notes {
  readonly notUnderstood: meaning.NotUnderstood[] = [];
  readonly source: LiftSource;
  readonly shared: SharedParts;
  readonly #seen = new Set<string>();
  readonly #draws = new Map<string, number>();

  constructor(source: LiftSource) {
    this.source = source;
    this.shared = source.shared ?? new SharedParts();
  }

  place(line: Line, word: Word | undefined = line.words[0]): Place {
    return { file: this.source.file, line: line.number, column: (word?.start ?? 0) + 1 };
  }

  /** A sample that is drawn anew each time it is asked for: no two draws of one section are alike. */
  drawn(section: string, said: string): string {
    const key = `${section}\n${said}`;
    const draw = (this.#draws.get(key) ?? 0) + 1;
    this.#draws.set(key, draw);
    return draw === 1 ? said : `${said}, draw ${draw}`;
  }

  /** The line as it stands, without what is around it. */
  textOf(line: Line): string {
    const { texts } = this.shared;
    const known = texts.get(line.words);
    const text = known ?? textOf(line.words);
    if (known === undefined) texts.set(line.words, text);
    return text;
  }

  /** Told once for each line and reason. */
  miss(line: Line, why: string): void {
    const key = `${line.number} ${why}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    // Without spaces, comments and quotes that say nothing: a line that is written otherwise is the same line.
    this.notUnderstood.push({ place: this.place(line), text: this.textOf(line).slice(0, 300), why });
  }

  /** Something that depends on what is not in the text. `not understood` is told, too. */
  unknown(line: Line, why: Unknown['why'], text: string, reason = ''): Unknown {
    if (why === 'not understood' || why === 'complex')
      this.miss(line, reason || `"${text}" is not understood`);
    return { text, place: this.place(line), why };
  }
}

/** Words in one form, with quotes only where they are needed. */
export function textOf(words: readonly Word[]): string {
  const [only] = words;
  if (words.length === 1 && only) return quoted(only);
  return words.map(quoted).join(' ');
}

const plain = /^[^\s"'#\\]+$/;

function quoted({ value }: Word): string {
  return plain.test(value) ? value : JSON.stringify(value);
}

/** As bytes, one UTF-16 unit each: what requests are compared with. */
export function bytes(text: string): string {
  return [...text].every((char) => char < '\u0080') ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The lines of a proxy with those of the defaults that it starts from before them. */
export function ownAndInherited(section: Section): readonly Line[] {
  const { defaults, lines } = section;
  if (defaults === null) return lines;
  const inherited = ownAndInherited(defaults);
  // Thousands of backends may say nothing but their servers: they have one and the same lines.
  return lines.length === 0 ? inherited : [...inherited, ...lines];
}
