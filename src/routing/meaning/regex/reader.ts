/** An expression has something that is not known here. */
export class Complex extends Error {}

/** A source and how far it is read. */
export class Reader {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  done(): boolean {
    return this.#at >= this.#source.length;
  }

  rest(): string {
    return this.#source.slice(this.#at);
  }

  looksAt(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  take(text: string): boolean {
    if (!this.looksAt(text)) return false;
    this.#at += text.length;
    return true;
  }

  next(): string {
    const char = this.#source[this.#at];
    if (char === undefined) throw new Complex();
    this.#at += 1;
    return char;
  }

  /** `pattern` is sticky. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found) this.#at += found[0].length;
    return found;
  }

  /** Spaces and comments, where `x` is on. */
  skipLayout(): boolean {
    return this.match(/[ \t\n\v\f\r]+|#[^\n]*\n?/y) !== null;
  }

  /** `\n`, `\x41`, `\/`, `\.`: one byte. */
  escapedByte(): number {
    const hex = this.match(/\\x(?:\{([0-9A-Fa-f]{1,2})\}|([0-9A-Fa-f]{1,2}))/y);
    if (hex) return Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
    const octal = this.match(/\\(?:0([0-7]{0,2})|o\{([0-7]{1,3})\})/y);
    if (octal) {
      const code = Number.parseInt(octal[1] || octal[2] || '0', 8);
      if (code > 255) throw new Complex();
      return code;
    }
    const control = this.match(/\\c([A-Za-z])/y)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) ^ 64;
    const simple = this.match(/\\([nrtfea])/y)?.[1];
    if (simple !== undefined) return { n: 10, r: 13, t: 9, f: 12, e: 27, a: 7 }[simple] ?? 0;
    const other = this.match(/\\([^A-Za-z0-9])/y)?.[1];
    if (other === undefined || other.charCodeAt(0) > 255) throw new Complex();
    return other.charCodeAt(0);
  }
}
