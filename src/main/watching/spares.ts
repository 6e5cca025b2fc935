import { type Clock, type Log, messageOf } from '#base';
import type { SiteKeeper } from '#change';
import type { SiteText } from '#contract';
import { readSite } from '#dialects';
import { finalStates, type Tick } from '#events';
import { type Site, spareName, withSpare } from '#model';
import { type OpenFault, Spares, type SpareTurn } from '#monitor';
import type { JournalDoor } from '../journal-room.ts';

interface Parts {
  readonly sites: SiteKeeper;
  readonly door: JournalDoor;
  readonly clock: Clock;
  readonly log: Log;
}

/** Spare servers at work: what a pool needs becomes a change of its own, through every gate. */
export class SparesAtWork {
  readonly #parts: Parts;
  #spares: Spares | null = null;
  #turning: { readonly turn: SpareTurn; readonly change: string } | null = null;
  #looking = false;
  #told = '';

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  siteIs(site: Site): void {
    if (this.#spares) this.#spares.siteIs(site);
    else this.#spares = new Spares(site);
  }

  tick(tick: Tick): void {
    this.#spares?.tick(tick);
  }

  /** Called again and again; never rejects. */
  async look(open: readonly OpenFault[]): Promise<void> {
    const { clock, log } = this.#parts;
    if (!this.#spares || this.#looking) return;
    this.#looking = true;
    try {
      await this.#settle();
      const [turn] = this.#turning ? [] : this.#spares.look(clock.now(), faultyPools(open));
      if (turn) await this.#propose(turn);
    } catch (error) {
      log.error('spare servers are not looked after', { why: messageOf(error) });
    } finally {
      this.#looking = false;
    }
  }

  /** How the change that was proposed last ended. */
  async #settle(): Promise<void> {
    const views = this.#parts.door.open()?.pipeline.views();
    const view = views?.find(({ id }) => id === this.#turning?.change);
    if (!this.#turning || !view || !finalStates.includes(view.state)) return;
    const { turn } = this.#turning;
    this.#turning = null;
    if (view.state === 'promoted') this.#told = '';
    else await this.#fail(turn, `change ${view.id} is ${view.state}: ${view.why}`);
  }

  async #propose(turn: SpareTurn): Promise<void> {
    const { sites, door, clock } = this.#parts;
    const room = door.open();
    // Whoever changes the site now is ahead: what fills the pool may be that change.
    if (!room || room.pipeline.busy()) return;
    const current = sites.current();
    const text = turnedText(current, turn);
    if (text === null) return this.#fail(turn, 'its entry in the site file is not written out');
    const { pool, because, kind } = turn;
    const server = spareName(turn.server);
    const { hash: _, ...written } = current;
    const reason = `${because}; spare server ${server} ${kind}`;
    const asked = { force: false, release: false, unfreeze: false, older: true, by: 'controller', reason };
    try {
      const { id: change } = await room.pipeline.propose({ ...written, ...asked, text });
      this.#turning = { turn, change };
      this.#spares?.begun(turn, clock.now());
      await room.journal.append('monitor', { kind: `spare.${kind}`, pool, server, change, because });
    } catch (error) {
      await this.#fail(turn, messageOf(error));
    }
  }

  async #fail(turn: SpareTurn, why: string): Promise<void> {
    const { door, clock, log } = this.#parts;
    this.#spares?.failed(turn, clock.now());
    const { pool, because, kind } = turn;
    log.warn('a spare server stays where it is', { pool, why, because });
    const words = `${pool} ${kind}: ${why}`;
    if (words === this.#told) return;
    this.#told = words;
    const facts = { turn: kind, pool, server: spareName(turn.server), because, why };
    await door
      .open()
      ?.journal.append('monitor', { kind: 'spare.failed', ...facts })
      .catch(() => {});
  }
}

function turnedText(current: SiteText, { pool, server, kind }: SpareTurn): string | null {
  const found = readSite(current)
    .site?.pools.find(({ name }) => name === pool)
    ?.servers.find(({ name }) => name === server);
  return found ? withSpare(current.text, pool, found, kind === 'joins') : null;
}

/** That a pool was full, or slow while it was, is judged by its own figures; whatever else is wrong keeps everybody there. */
const ownSeries: readonly string[] = ['saturation', 'latency'];

function faultyPools(open: readonly OpenFault[]): ReadonlySet<string> {
  return new Set(
    open
      .filter(({ seenAt }) => seenAt !== null)
      .flatMap(({ series }) => series)
      .flatMap(({ pool, series, alarmed }) =>
        pool !== null && alarmed && !ownSeries.includes(series) ? [pool] : [],
      ),
  );
}
