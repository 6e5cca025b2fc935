import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type Log, messageOf, type SitePaths, writeDurably } from '#base';
import type { Alert, Journal } from '#events';

/** A process of ours that lived and was of no use, and that `up` killed. */
export interface Replaced {
  /** `the controller` */
  readonly process: string;
  readonly why: string;
  readonly at: number;
}

/** A night: whoever reads the alerts in the morning sees it. */
const toldForMs = 12 * 3_600_000;
/** So many within that time are no accident. */
const oftenMin = 3;

function folderOf(paths: SitePaths): string {
  return join(paths.run, 'replaced');
}

/** For the controller that comes next: a file each, so that neither needs the other one to live. */
export function leaveWord(paths: SitePaths, what: Replaced): void {
  const name = `${what.at}-${what.process.replaceAll(/[^a-z0-9]+/gi, '-')}.json`;
  try {
    mkdirSync(folderOf(paths), { recursive: true, mode: 0o700 });
    writeDurably(join(folderOf(paths), name), JSON.stringify(what));
  } catch (error) {
    process.stderr.write(`not journalled: ${what.process} was killed, ${what.why}: ${messageOf(error)}\n`);
  }
}

export interface ReplacedParts {
  readonly site: string;
  readonly paths: SitePaths;
  /** Null: it cannot be written now. */
  readonly journal: () => Journal | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Brings what `up` left into the journal, and tells it as an alert. Files that were journalled stay for as long as that is told. */
export class ReplacedWatch {
  readonly #parts: ReplacedParts;
  #told: readonly Replaced[] = [];
  #said = '';

  constructor(parts: ReplacedParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const { paths, clock, log } = this.#parts;
    try {
      const folder = folderOf(paths);
      for (const name of namesIn(folder, '.json')) await this.#journal(join(folder, name));
      this.#told = namesIn(folder, '.told').flatMap((name) => {
        const path = join(folder, name);
        const what = JSON.parse(readFileSync(path, 'utf8')) as Replaced;
        if (clock.now() - what.at < toldForMs) return [what];
        rmSync(path, { force: true });
        return [];
      });
      this.#said = '';
    } catch (error) {
      const why = messageOf(error);
      if (why !== this.#said) log.warn('what was replaced is not told', { why });
      this.#said = why;
    }
  }

  async #journal(path: string): Promise<void> {
    const { process, why, at } = JSON.parse(readFileSync(path, 'utf8')) as Replaced;
    const journal = this.#parts.journal();
    await journal?.append('controller', { kind: 'process.replaced', process, why, killedAt: at });
    if (journal) renameSync(path, path.replace(/json$/, 'told'));
  }

  alerts(): readonly Alert[] {
    const { site } = this.#parts;
    const last = this.#told.at(-1);
    if (!last) return [];
    const times = this.#told.length;
    return [
      {
        labels: { alertname: 'ProcessHung', severity: times >= oftenMin ? 'error' : 'warning', site },
        annotations: {
          summary: `${last.process} hung and was replaced${times > 1 ? ` (${times} times that one of ours did)` : ''}`,
          users: 'Nothing: requests do not need it.',
          cause: `${last.why}. Until then nothing was watched or changed by it.`,
          action: 'Nothing is urgent. Its log and `holdfast bundle` are what a report of it needs.',
        },
        startsAt: this.#told[0]?.at ?? last.at,
        endsAt: null,
        generatorURL: '',
      },
    ];
  }
}

function namesIn(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .toSorted();
}
