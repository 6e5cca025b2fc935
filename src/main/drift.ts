import { existsSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { type Clock, type Log, messageOf } from '#base';
import type { BalancerPort, SiteKeeper } from '#change';
import { readLocally } from '#cli';
import type { DriftFinding, DriftView, SiteText } from '#contract';
import { readSite } from '#dialects';
import { siteHash, withoutJoined } from '#model';
import type { JournalDoor } from './journal-room.ts';

const lookEveryMs = 30_000;
const askTimeoutMs = 10_000;

export interface DriftParts {
  readonly door: JournalDoor;
  readonly sites: SiteKeeper;
  readonly balancers: readonly BalancerPort[];
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Looks now and then for what was changed behind Holdfast's back: the file that was applied, the text that is kept against
 * the journal, and what balancers find of their engines and of their next boot. Never in the middle of a change.
 */
export class DriftWatch {
  readonly #parts: DriftParts;
  #found: readonly DriftFinding[] = [];
  #dueMs: number;

  constructor(parts: DriftParts) {
    this.#parts = parts;
    this.#dueMs = parts.clock.monotonicMs() + lookEveryMs;
  }

  /** When it was last looked for. */
  get found(): readonly DriftFinding[] {
    return this.#found;
  }

  async tick(): Promise<void> {
    const { clock, log } = this.#parts;
    if (clock.monotonicMs() < this.#dueMs) return;
    this.#dueMs = Number.POSITIVE_INFINITY;
    await this.look().catch((error: unknown) =>
      log.warn('could not look for drift', { error: messageOf(error) }),
    );
    this.#dueMs = clock.monotonicMs() + lookEveryMs;
  }

  /** `mend`: what engines were told is kept, or taken back; the next boot is written anew. Files are for a person. */
  async look(mend?: 'adopt' | 'revert'): Promise<DriftView> {
    const { door, sites, balancers } = this.#parts;
    // It moves texts and servers itself: what is found in the middle of it is no drift.
    if (door.open()?.pipeline.inFlight()) return { found: this.#found, mended: [] };
    const current = sites.current();
    const answers = await Promise.all(balancers.map((one) => driftAt(one, mend)));
    const found = [
      ...(await fileDrift(current)),
      ...this.#journalDrift(current),
      ...answers.flatMap((one) => one.found),
    ];
    await this.#tell(found);
    return { found, mended: answers.flatMap(({ mended }) => mended) };
  }

  async #tell(found: readonly DriftFinding[]): Promise<void> {
    const lines = found.map(inWords);
    const isNews = lines.join('\n') !== this.#found.map(inWords).join('\n');
    this.#found = found;
    if (!isNews) return;
    const { door, log } = this.#parts;
    if (found.length > 0) log.warn('something was changed behind our back', { found: lines });
    await door
      .open()
      ?.journal.append('controller', { kind: 'drift.seen', found: lines })
      .catch(() => {});
  }

  #journalDrift(current: SiteText): readonly DriftFinding[] {
    const promoted = this.#parts.door
      .open()
      ?.pipeline.views()
      .findLast(({ state }) => state === 'promoted');
    if (!promoted || promoted.siteHash === current.hash) return [];
    const [is, wanted] = [current.hash, promoted.siteHash].map((hash) => `site ${hash.slice(0, 12)}`);
    return [
      {
        kind: 'journal',
        balancer: null,
        what: 'the kept text',
        is: is ?? '',
        wanted: `${wanted}, which ${promoted.id} promoted`,
        remedy:
          'Look at what runs (`holdfast status`), and apply the file that is meant: `holdfast apply FILE`',
      },
    ];
  }
}

function inWords({ kind, balancer, what, is, wanted }: DriftFinding): string {
  const other = kind === 'file' ? '' : `, and not ${wanted}`;
  return `${balancer ? `${balancer}: ` : ''}${what}: ${is}${other}`;
}

async function driftAt(balancer: BalancerPort, mend: 'adopt' | 'revert' | undefined): Promise<DriftView> {
  const asked = mend ? { mend } : {};
  // One that does not answer is in the status already.
  const said = await balancer.call('drift', asked, askTimeoutMs).catch(() => null);
  const found = (said?.found ?? []).map((one): DriftFinding => {
    const isBoot = one.what.includes('next boot');
    return {
      kind: isBoot ? 'boot' : 'engine',
      balancer: balancer.name,
      ...one,
      remedy: isBoot
        ? 'Write it anew: `holdfast drift --revert`'
        : 'Take it back: `holdfast drift --revert`. Keep it for generations to come: `holdfast drift --adopt`',
    };
  });
  return { found, mended: (said?.mended ?? []).map((line) => `${balancer.name}: ${line}`) };
}

/** The file that the running text was applied from, where it still lies: one that says the same in other words is the same. */
async function fileDrift(current: SiteText): Promise<readonly DriftFinding[]> {
  const path = fileOf(current);
  if (path === null) return [];
  const wanted = 'as it was applied';
  const finding = (is: string, remedy: string): DriftFinding[] => [
    { kind: 'file', balancer: null, what: path, is, wanted, remedy },
  ];
  const back = 'Back to what runs: `holdfast drift --revert`';
  try {
    const { read, site } = await readLocally(path, current.dialect);
    const named = {
      ...(current.site === undefined ? {} : { site: current.site }),
      ...(current.balancer === undefined ? {} : { balancer: current.balancer }),
    };
    const now = site && readSite({ ...read, ...named }).site;
    const running = readSite(current).site;
    if (!now) return finding('edited, and no site any more', `See why: \`holdfast check ${path}\`. ${back}`);
    if (!running || siteHash(now) === siteHash(withoutJoined(running))) return [];
    return finding(
      'edited, and not applied',
      `See what it would do: \`holdfast plan ${path}\`. Take it over: \`holdfast apply ${path}\`. ${back}`,
    );
  } catch (error) {
    return finding(`not readable: ${messageOf(error)}`, back);
  }
}

/** Null: it lay elsewhere, or is gone, as a copy that a deploy had applied is. */
function fileOf({ file, folder }: SiteText): string | null {
  const path = isAbsolute(file) ? file : join(folder, basename(file));
  return existsSync(path) ? path : null;
}
