import type { Place } from '#base';
import type { meaning } from '#routing';
import type { Line, Section } from '../own/sections.ts';
import type { Word } from '../own/words.ts';

type Unknown = meaning.Unknown;

/** What a lift is given: the text, and all that may be asked of the machine. */
export interface LiftSource {
  readonly file: string;
  readonly text: string;
  /** A list or map by the name that the text has for it; null when it cannot be read. */
  readonly read: (path: string) => string | null;
  /** A variable of the engine's environment; null when it is not set, or not known. */
  readonly environment: (name: string) => string | null;
  /** Conditions by their words, for texts that are lifted to be compared: what both say is one and the same in both. */
  readonly shared?: Map<string, meaning.Condition>;
  /** The program that will run the text, where it is known: `.if` asks for it. */
  readonly engine?: { readonly version: string; readonly features: readonly string[] };
}

/** A condition that is too large is one that is not understood. */
export const patternsMax = 100_000;
export const listedMax = 1_000_000;

/** What one lift has found out so far. */
export class Notes {
  readonly notUnderstood: meaning.NotUnderstood[] = [];
  readonly source: LiftSource;
  readonly #seen = new Set<string>();
  readonly #draws = new Map<string, number>();

  constructor(source: LiftSource) {
    this.source = source;
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
    return textOf(line.words);
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
  return section.defaults ? [...ownAndInherited(section.defaults), ...section.lines] : section.lines;
}
