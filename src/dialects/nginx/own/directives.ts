import { once } from '#base';

/** One word of a directive, where it stands. */
export interface Token {
  /** Quotes and escapes undone. */
  readonly value: string;
  readonly line: number;
  /** Columns from 0; `end` is null for a word that goes on over the end of its line. */
  readonly start: number;
  readonly end: number | null;
}

export interface Directive {
  readonly file: string;
  readonly name: string;
  readonly at: Token;
  readonly args: readonly Token[];
  /** Null for one that ends with a semicolon. Directives of included files stand where they are included. */
  readonly block: readonly Directive[] | null;
  /** How the block is written, where it is one of plain `server` directives alone: read when it is asked for. */
  readonly plainBlock: string | null;
  /** A `server` with its block, as it is written. Absent: of no other, and where nobody will ask. */
  readonly source?: string;
  /** Just behind the semicolon or the opening brace. */
  readonly after: { readonly line: number; readonly column: number };
}

export interface Parsed {
  readonly directives: readonly Directive[];
  /** Where the text cannot be read as directives; null: nowhere. */
  readonly broken: { readonly line: number; readonly column: number; readonly what: string } | null;
}

const depthMax = 64;
/** What a plain word goes on with, whatever stands before it. */
const plain = /[^\s;{\\$]+/y;
/** In an `upstream`. */
const plainServer = /[ \t\r\n]*server(?:[ \t]+[\w.:/[\]=@%,*~+-]+)+[ \t]*;/y;
const blockEnd = /[ \t\r\n]*\}/y;

/**
 * A text of NGINX's language (`ngx_conf_read_token`), its includes not followed. Never throws. @param later whether plain
 * blocks of servers are read when they are asked for: there may be a hundred thousand in them.
 */
export function parse(file: string, text: string, later = false): Parsed {
  const reader = new Reader(file, text, later);
  const directives = reader.block(0);
  return { directives, broken: reader.broken };
}

interface From {
  readonly at: number;
  readonly line: number;
  readonly lineStart: number;
}

class Reader {
  readonly #file: string;
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  readonly #later: boolean;
  broken: Parsed['broken'] = null;

  constructor(file: string, text: string, later = false, from: From = { at: 0, line: 1, lineStart: 0 }) {
    this.#file = file;
    this.#text = text;
    this.#later = later;
    this.#at = from.at;
    this.#line = from.line;
    this.#lineStart = from.lineStart;
  }

  block(depth: number): Directive[] {
    const found: Directive[] = [];
    for (;;) {
      const name = this.#token();
      const punctuation = name ? null : this.#punctuation();
      if (this.broken) return found;
      if (!name) {
        if (punctuation === '}' && depth > 0) return found;
        if (punctuation === null && depth === 0) return found;
        this.#fail(punctuation === null ? 'a "}" is missing' : `"${punctuation}" is not expected`);
        return found;
      }
      found.push(this.#directive(name, depth));
      if (this.broken) return found;
    }
  }

  #directive(name: Token, depth: number): Directive {
    const start = this.#lineStart + name.start;
    const args: Token[] = [];
    for (let token = this.#token(); token; token = this.#token()) args.push(token);
    const end = this.broken ? null : this.#punctuation();
    const after = { line: this.#line, column: this.#at - this.#lineStart };
    const directive = { file: this.#file, name: name.value, at: name, args, after, plainBlock: null };
    if (end === ';') return { ...directive, block: null };
    if (end !== '{' || depth >= depthMax) {
      this.#fail(`"${name.value}" ends without ";"`);
      return { ...directive, block: null };
    }
    if (this.#later && name.value === 'upstream') {
      const plainBlock = this.#plainBlock();
      if (plainBlock)
        return {
          ...directive,
          plainBlock: plainBlock.text,
          get block() {
            return plainBlock.read();
          },
        };
    }
    if (!name.value.endsWith('_by_lua_block')) {
      const block = this.block(depth + 1);
      if (!this.#later || name.value !== 'server') return { ...directive, block };
      return { ...directive, block, source: this.#text.slice(start, this.#at) };
    }
    this.#skipBlock();
    return { ...directive, block: [] };
  }

  /** Servers up to the end of the block; null: something else is in it. */
  #plainBlock(): { readonly text: string; readonly read: () => readonly Directive[] } | null {
    const from: From = { at: this.#at, line: this.#line, lineStart: this.#lineStart };
    plainServer.lastIndex = from.at;
    let end = from.at;
    while (plainServer.test(this.#text)) end = plainServer.lastIndex;
    blockEnd.lastIndex = end;
    if (!blockEnd.test(this.#text)) return null;
    this.#at = blockEnd.lastIndex;
    for (let at = this.#text.indexOf('\n', from.at); at >= 0 && at < this.#at; ) {
      this.#line += 1;
      this.#lineStart = at + 1;
      at = this.#text.indexOf('\n', at + 1);
    }
    return {
      text: this.#text.slice(from.at, this.#at),
      read: once(() => new Reader(this.#file, this.#text, false, from).block(1)),
    };
  }

  /** The next word, or null in front of `;`, `{`, `}` and the end. */
  #token(): Token | null {
    this.#skipSpace();
    const first = this.#text.charAt(this.#at);
    if (this.broken || first === '' || ';{}'.includes(first)) return null;
    const line = this.#line;
    const start = this.#at - this.#lineStart;
    const value = first === '"' || first === "'" ? this.#quoted(first) : this.#plain();
    const end = this.#line === line ? this.#at - this.#lineStart : null;
    return { value, line, start, end };
  }

  #plain(): string {
    let value = '';
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === '$' && this.#text[this.#at + 1] === '{') {
        value += '${';
        this.#at += 2;
      } else if (char === '\\' && this.#at + 1 < this.#text.length) value += this.#escape();
      else if (char === '' || /[\s;{]/.test(char)) return value;
      else {
        plain.lastIndex = this.#at;
        const [run = char] = plain.exec(this.#text) ?? [];
        value += run;
        this.#at += run.length;
      }
    }
  }

  #quoted(quote: string): string {
    let value = '';
    this.#at += 1;
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === '') {
        this.#fail('a quote is not closed');
        return value;
      }
      if (char === '\\') value += this.#escape();
      else {
        this.#next();
        if (char === quote) return value;
        value += char;
      }
    }
  }

  #escape(): string {
    const next = this.#text.charAt(this.#at + 1);
    const undone: Readonly<Record<string, string>> = {
      t: '\t',
      r: '\r',
      n: '\n',
      '"': '"',
      "'": "'",
      '\\': '\\',
    };
    this.#next();
    if (next !== '') this.#next();
    return undone[next] ?? `\\${next}`;
  }

  #punctuation(): string | null {
    const char = this.#text.charAt(this.#at);
    if (char === '') return null;
    this.#at += 1;
    return char;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      // Of most texts most.
      if (code > 35 && code < 128) return;
      const char = this.#text.charAt(this.#at);
      if (char === '#') while (!['\n', ''].includes(this.#text.charAt(this.#at))) this.#at += 1;
      else if (char !== '' && /\s/.test(char)) this.#next();
      else return;
    }
  }

  /** Lua between braces: only their balance counts. */
  #skipBlock(): void {
    for (let depth = 1; depth > 0; ) {
      const char = this.#text.charAt(this.#at);
      if (char === '') {
        this.#fail('a "}" is missing');
        return;
      }
      if (char === '{') depth += 1;
      if (char === '}') depth -= 1;
      this.#next();
    }
  }

  #next(): void {
    const isEnd = this.#text[this.#at] === '\n';
    this.#at += 1;
    if (!isEnd) return;
    this.#line += 1;
    this.#lineStart = this.#at;
  }

  #fail(what: string): void {
    this.broken ??= { line: this.#line, column: this.#at - this.#lineStart + 1, what };
  }
}
