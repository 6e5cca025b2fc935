import { statSync } from 'node:fs';
import { checkOwnText } from '#agent';
import { Failure, formatDiagnostic, messageOf } from '#base';
import type { Site } from '#model';
import { linesOf } from '#plan';
import { readOwn } from '../own-text.ts';
import { type ThreadPlanner, threadPlanner } from '../planner.ts';
import type { Read } from './engine-look.ts';

/** What has become of the text on disk. `lines`: its plan, or what is wrong with it. */
export interface Edit {
  readonly what: string;
  readonly lines: readonly string[];
  /** Null: it cannot be read, or it says what the engine runs. */
  readonly read: Read | null;
}

const plain = (text: string) => text;
const paint = { good: plain, bad: plain, warn: plain, dim: plain, bold: plain };

/** Follows the text on disk, and plans what each edit of it would do to every request. */
export class Edits {
  readonly #file: string;
  readonly #name: string;
  #stamp: string;
  #seen = '';
  #planner: ThreadPlanner | null = null;

  constructor(first: Read, file: string, name: string) {
    this.#file = file;
    this.#name = name;
    this.#stamp = stampOf(first);
  }

  /** Null: nothing is new, or who writes it may not have ended. `current`: what the engine runs. */
  async look(current: Read): Promise<Edit | null> {
    const now = stampOf(current);
    const isStill = now === this.#seen;
    this.#seen = now;
    if (now === this.#stamp || !isStill) return null;
    this.#stamp = now;
    try {
      return await this.#plan(current);
    } catch (error) {
      const lines = error instanceof Failure ? error.diagnostics.map(formatDiagnostic) : [];
      return { what: `${this.#file} was edited: ${messageOf(error)}`, lines, read: null };
    }
  }

  close(): void {
    this.#planner?.close();
  }

  async #plan(current: Read): Promise<Edit> {
    const { site, text } = await readOwn(this.#file, this.#name);
    if (text.hash === current.text.hash)
      return { what: `${this.#file} was written, and says what runs`, lines: [], read: null };
    const refused = await refusalOf(site);
    if (refused.length > 0)
      return { what: `${this.#file} was edited: a reload would fail`, lines: refused, read: null };
    this.#planner ??= threadPlanner();
    const view = await this.#planner.plan(current.text, text);
    const what = view.same ? 'a reload would change nothing' : 'what a reload would do';
    return { what: `${this.#file} was edited: ${what}`, lines: linesOf(view, paint), read: { site, text } };
  }
}

/** What the engine says against it, where one is installed; no line: nothing. */
async function refusalOf(site: Site): Promise<readonly string[]> {
  const said = await checkOwnText(site).catch(() => null);
  if (!said || said.accepted) return [];
  const lines =
    said.diagnostics.length > 0 ? said.diagnostics.map(formatDiagnostic) : said.output.split('\n');
  return [
    `${said.engine} ${said.version} does not accept it:`,
    ...lines.filter((line) => line.trim() !== ''),
  ];
}

/** What changes when a text, or what it includes, is written. */
function stampOf({ site, text }: Read): string {
  return [text.file, ...(site.own?.includes ?? []).map(({ path }) => path)]
    .map((path) => {
      const found = statSync(path, { throwIfNoEntry: false, bigint: true });
      return found ? `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}` : 'gone';
    })
    .join(' ');
}
