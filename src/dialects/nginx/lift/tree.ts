import { posix } from 'node:path';
import { once, type Place } from '#base';
import { type Directive, parse } from '../own/directives.ts';
import type { NotUnderstood } from './meaning.ts';

/** What the lift asks of the machine that the text lies on. */
export interface TextFiles {
  /** Absolute paths that a pattern of `include` names, in the order in which NGINX reads them. */
  find(pattern: string): readonly string[];
  /** Null: it is not there, or cannot be read. */
  read(path: string): string | null;
}

/** A directive with what it includes in the place of `include`. Words are bytes, one UTF-16 unit each. */
export interface Node {
  readonly name: string;
  readonly words: readonly string[];
  readonly place: Place;
  /** In one line, as it is written but for spaces and quotes. */
  readonly text: string;
  readonly block: readonly Node[] | null;
  /** `Directive.plainBlock` */
  readonly plainBlock: string | null;
  /** `Directive.source` */
  readonly source?: string;
}

export interface Tree {
  readonly nodes: readonly Node[];
  readonly notUnderstood: readonly NotUnderstood[];
}

const includeDepthMax = 16;
const includesMax = 2_000;
const textLengthMax = 16 * 1024 * 1024;

/** Files that NGINX brings along: types and parameters, nothing that moves a request. */
const standard = /(?:^|\/)(?:mime\.types|(?:fastcgi|uwsgi|scgi)_params|fastcgi\.conf)(?:\.default)?$/;

/** Reads a text with its includes. Never throws: where it cannot be read on, that line is not understood. */
export function readTree(file: string, folder: string, text: string, files: TextFiles): Tree {
  return new Reading(folder, files).read(file, text);
}

class Reading {
  readonly #folder: string;
  readonly #files: TextFiles;
  /** By place and reason: a file that is included often is refused once. */
  readonly #notUnderstood = new Map<string, NotUnderstood>();
  readonly #found = new Map<string, readonly string[]>();
  readonly #read = new Map<string, string | null>();
  #includes = 0;
  #length = 0;

  constructor(folder: string, files: TextFiles) {
    this.#folder = folder;
    this.#files = files;
  }

  read(file: string, text: string): Tree {
    const nodes = this.#nodes(file, text, []);
    return { nodes, notUnderstood: [...this.#notUnderstood.values()] };
  }

  #nodes(file: string, text: string, within: readonly string[]): readonly Node[] {
    this.#length += text.length;
    const start = { file, line: 1, column: 1 };
    if (this.#length > textLengthMax) {
      this.#refuse(start, '', `more than ${textLengthMax} characters, with what it includes`);
      return [];
    }
    const { directives, broken } = parse(file, text.startsWith('\uFEFF') ? text.slice(1) : text, true);
    if (broken) this.#refuse({ file, line: broken.line, column: broken.column }, '', broken.what);
    return this.#spread(directives, [...within, file]);
  }

  #spread(directives: readonly Directive[], within: readonly string[]): readonly Node[] {
    return directives.flatMap((directive) => {
      if (directive.name === 'include' && directive.block === null) return this.#include(directive, within);
      const { name, args, file, at, plainBlock, source } = directive;
      const place = { file, line: at.line, column: at.start + 1 };
      const words = args.map(({ value }) => asBytes(value));
      const line = [name, ...args.map(({ value }) => shown(value))].join(' ');
      const inside = () => directive.block && this.#spread(directive.block, within);
      const own = { name, words, place, text: line };
      if (source !== undefined) return [{ ...own, block: inside(), plainBlock, source }];
      if (plainBlock === null) return [{ ...own, block: inside(), plainBlock }];
      const later = once(inside);
      return [
        {
          ...own,
          plainBlock,
          get block() {
            return later();
          },
        },
      ];
    });
  }

  #include({ args, file, at }: Directive, within: readonly string[]): readonly Node[] {
    const place = { file, line: at.line, column: at.start + 1 };
    const said = args[0]?.value ?? '';
    const text = `include ${said}`;
    const pattern = posix.resolve(this.#folder, said);
    if (this.#includes > includesMax) return [];
    const paths = this.#find(pattern);
    if (paths.length === 0 && !/[*?[]/.test(said) && !standard.test(said))
      this.#refuse(place, text, 'the file is not there');
    return paths.flatMap((path) => {
      if (this.#includes > includesMax) return [];
      this.#includes += 1;
      const isLoop = within.includes(path) || within.length > includeDepthMax;
      if (isLoop || this.#includes > includesMax) {
        this.#refuse(
          place,
          text,
          this.#includes > includesMax ? `more than ${includesMax} includes` : 'the file includes itself',
        );
        return [];
      }
      const source = this.#source(path);
      if (source !== null) return this.#nodes(path, source, within);
      this.#refuse(place, text, `${path} cannot be read`);
      return [];
    });
  }

  #find(pattern: string): readonly string[] {
    const found = this.#found.get(pattern) ?? this.#files.find(pattern);
    this.#found.set(pattern, found);
    return found;
  }

  #source(path: string): string | null {
    const known = this.#read.get(path);
    const source = known === undefined ? this.#files.read(path) : known;
    this.#read.set(path, source);
    return source;
  }

  #refuse(place: Place, text: string, why: string): void {
    this.#notUnderstood.set(JSON.stringify([place, why]), { place, text, why });
  }
}

function shown(word: string): string {
  if (word !== '' && !/[\s;{}"']/.test(word)) return word;
  return word.includes('"') && !word.includes("'") ? `'${word}'` : `"${word.replaceAll('"', '\\"')}"`;
}

/** UTF-8, one UTF-16 unit a byte. */
function asBytes(word: string): string {
  return /^[\0-\x7f]*$/.test(word) ? word : Buffer.from(word, 'utf8').toString('latin1');
}
