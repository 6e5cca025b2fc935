import type { Line } from '../own/sections.ts';
import type { LiftSource } from './source.ts';

/** What `.if` asks for: true, false, or null where only the engine knows it (`cfgcond.c` of 2.6). */
export function decideOf({ engine, environment }: LiftSource): (line: Line) => boolean | null {
  return (line) => {
    const text = line.words
      .slice(1)
      .map(({ value }) => value)
      .join(' ');
    if (line.words.some(({ unknown }) => unknown.length > 0)) return null;
    if (text === '') return false;
    const reader = new Reader(text, { engine, environment });
    const held = reader.either();
    return reader.isAtEnd ? held : null;
  };
}

type Asked = Pick<LiftSource, 'engine' | 'environment'>;

class Reader {
  readonly #asked: Asked;
  #rest: string;
  #depth = 0;

  constructor(text: string, asked: Asked) {
    this.#rest = text.trim();
    this.#asked = asked;
  }

  get isAtEnd(): boolean {
    return this.#rest === '';
  }

  either(): boolean | null {
    const left = this.#both();
    if (!this.#take('||')) return left;
    const right = this.either();
    if (left === true || right === true) return true;
    return left === null || right === null ? null : false;
  }

  #both(): boolean | null {
    const left = this.#term();
    if (!this.#take('&&')) return left;
    const right = this.#both();
    if (left === false || right === false) return false;
    return left === null || right === null ? null : true;
  }

  #term(): boolean | null {
    this.#depth += 1;
    if (this.#depth > 1_000) return null;
    if (this.#take('!')) {
      const of = this.#term();
      return of === null ? null : !of;
    }
    if (this.#take('(')) {
      const of = this.either();
      return this.#take(')') ? of : null;
    }
    const [number] = /^[+-]?\d+/.exec(this.#rest) ?? [];
    if (number !== undefined) {
      this.#take(number);
      return Number(number) !== 0;
    }
    const [all, name, args] = /^(\w+)\(([^)]*)\)/.exec(this.#rest) ?? [];
    if (all === undefined) return null;
    this.#take(all);
    return this.#predicate(name ?? '', (args ?? '').split(',').map(unquoted));
  }

  #predicate(name: string, [first = '', second = '']: readonly string[]): boolean | null {
    const { engine, environment } = this.#asked;
    switch (name) {
      case 'defined':
        return environment(first) !== null;
      case 'streq':
        return first === second;
      case 'strneq':
        return first !== second;
      case 'version_atleast':
        return engine ? compare(engine.version, first) >= 0 : null;
      case 'version_before':
        return engine ? compare(engine.version, first) < 0 : null;
      case 'feature':
        return engine ? engine.features.includes(first) : null;
      default:
        return null;
    }
  }

  #take(what: string): boolean {
    if (!this.#rest.startsWith(what)) return false;
    this.#rest = this.#rest.slice(what.length).trimStart();
    return true;
  }
}

function unquoted(text: string): string {
  return text.trim().replace(/^(["'])(.*)\1$/, '$2');
}

/** Of a version: `2.6.12-1`. */
const partsMax = 4;

function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(/[.-]/).map((part) => Number(part) || 0));
  for (let index = 0; index < partsMax; index += 1) {
    const by = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (by !== 0) return by;
  }
  return 0;
}
