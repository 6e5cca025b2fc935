import type { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { type Notes, textOf } from './source.ts';

type Scope = meaning.Setting['scope'];

/** Where the settings of one proxy are told: for each address that it listens on, for its pool. */
export interface Told {
  readonly listeners: readonly Scope[];
  readonly pool: Scope | null;
}

export const nowhere: Told = { listeners: [], pool: null };
export const globalScope: Scope = { kind: 'global' };

/** A settings list that keeps to the order of the text. */
export class Settings {
  readonly all: meaning.Setting[] = [];
  readonly #notes: Notes;
  readonly #lines = new Set<string>();

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  add(scopes: readonly Scope[], name: string, value: string, line: Line): void {
    const place = this.#notes.place(line);
    for (const scope of scopes) this.all.push({ scope, name, value, place });
  }

  /** A whole line as one setting, once for each scope; in the place of an ACL's name stands what it asks. */
  addLine(
    scopes: readonly Scope[],
    line: Line,
    words: number,
    aclText: (name: string) => string | null,
  ): void {
    const name = textOf(line.words.slice(0, words));
    const rest = line.words.slice(words);
    const at = rest.findIndex(({ value }) => value === 'if' || value === 'unless');
    const shown = at === -1 ? rest : rest.slice(0, at + 1);
    const asked = rest.slice(shown.length).map((word) => meantBy(word, aclText));
    const value = [textOf(shown), ...asked].join(' ');
    for (const scope of scopes) {
      const key = `${JSON.stringify(scope)} ${line.number}`;
      if (this.#lines.has(key)) continue;
      this.#lines.add(key);
      this.all.push({ scope, name, value, place: this.#notes.place(line) });
    }
  }
}

function meantBy(word: Word, aclText: (name: string) => string | null): string {
  const name = word.value.replace(/^!+/, '');
  const text = aclText(name);
  return text === null
    ? textOf([word])
    : `${word.value.slice(0, word.value.length - name.length)}{ ${text} }`;
}
