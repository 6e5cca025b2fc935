import type { RewrittenLine } from './own.ts';

/**
 * A text's lines, some of them changed at single words. What is not touched stays byte for byte, and so does the number
 * of lines, but for those that are added.
 */
export class OwnLines {
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #edits = new Map<number, Edit[]>();
  readonly #added = new Map<number, { readonly text: string; readonly why: string }[]>();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#lines = text.split('\n');
  }

  /** Puts other characters in the place of some; columns from 0. */
  replace(
    line: number,
    at: { readonly start: number; readonly end: number },
    text: string,
    why: string,
  ): void {
    const edits = this.#edits.get(line) ?? [];
    // A file that is included twice asks twice.
    const again = edits.some((edit) => edit.start === at.start && edit.end === at.end && edit.text === text);
    if (!again) this.#edits.set(line, [...edits, { start: at.start, end: at.end, text, why }]);
  }

  /** The line stays, as a comment. */
  comment(line: number, why: string): void {
    if (this.#edits.get(line)?.some(({ text }) => text === '# ')) return;
    const start = (this.#lines[line - 1] ?? '').search(/\S|$/);
    this.#edits.set(line, [{ start, end: start, text: '# ', why }]);
  }

  /** A line of ours after one of theirs, or several of which the first is told; 0: before the first. */
  add(after: number, text: string, why: string): void {
    this.#added.set(after, [...(this.#added.get(after) ?? []), { text, why }]);
  }

  /** The whole, and by number of a line of it the number of theirs that it is or follows. */
  result(): { text: string; rewritten: readonly RewrittenLine[]; original: readonly number[] } {
    const out: string[] = [];
    const rewritten: RewrittenLine[] = [];
    const original: number[] = [];
    const put = (line: number, text: string) => {
      out.push(text);
      original.push(Math.max(1, line));
    };
    const putAdded = (line: number) => {
      for (const { text, why } of this.#added.get(line) ?? []) {
        for (const one of text.split('\n')) put(line, one);
        const [first = ''] = text.split('\n');
        rewritten.push({ file: this.#file, line: Math.max(1, line), before: '', after: first.trim(), why });
      }
    };
    putAdded(0);
    this.#lines.forEach((before, index) => {
      const line = index + 1;
      const edits = (this.#edits.get(line) ?? []).toSorted((a, b) => b.start - a.start);
      const after = edits.reduce((text, e) => text.slice(0, e.start) + e.text + text.slice(e.end), before);
      // The end of the last line is no line of its own.
      const last = index === this.#lines.length - 1 && before === '';
      if (last) putAdded(line);
      put(line, after);
      if (after !== before) {
        const why = [...new Set(edits.toReversed().map((edit) => edit.why))].join('; ');
        rewritten.push({ file: this.#file, line, before: before.trim(), after: after.trim(), why });
      }
      if (!last) putAdded(line);
    });
    return { text: out.join('\n'), rewritten, original };
  }

  get count(): number {
    return this.#lines.length;
  }
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly why: string;
}
