import { Failure, messageOf } from '#base';
import type { SiteText } from '#contract';
import type { HistoryTick } from '#detect';
import type { GuardRecord, TakeBack } from '#events';
import type { Site } from '#model';
import { personsTakeBack } from './evidence.ts';
import { activeOf, calmMs, type Fleet, type Launched } from './fleet.ts';
import { Flight } from './flight.ts';
import { siteOf } from './good.ts';
import type { HeldGeneration, HolderStatus } from './holder/protocol.ts';
import { between, InPlace } from './in-place.ts';
import { InPlaceFlight } from './in-place-flight.ts';
import { inWords } from './in-place-words.ts';
import type { Kept } from './kept.ts';
import { residentBytes } from './memory.ts';
import { Starting } from './starting.ts';

export interface ChangesParts {
  readonly fleet: Fleet;
  readonly kept: Kept;
  /** What the active generation did before: the baseline of a candidate. */
  readonly history: readonly HistoryTick[];
  /** Whether something is wrong with it already. */
  readonly isAlarmed: () => boolean;
  readonly record: (what: GuardRecord['what']) => void;
  /** After a take-back: whoever is active now is to be looked at, and the generation that was meant to be, if another one took its place. */
  readonly landed: (meant: number | null) => Promise<void>;
}

type AnyFlight = Flight | InPlaceFlight;

/** Candidates: their start, their promotion, their taking back, and the going back after it. */
export class Changes {
  readonly #parts: ChangesParts;
  readonly inPlace: InPlace;
  #flight: AnyFlight | null = null;
  /** Promoted or taken back: who asked for it may still look. */
  #last: AnyFlight | null = null;
  readonly #starting = new Starting();
  #goingBack = false;
  /** What is done to the generations without a change. */
  #alone: Promise<void> | null = null;

  constructor(parts: ChangesParts) {
    this.#parts = parts;
    this.inPlace = new InPlace(parts.fleet, parts.kept);
  }

  get flight(): AnyFlight | null {
    return this.#flight;
  }

  /** A candidate is in the air, or about to be, or what is good is just being changed: not to be repaired. */
  get busy(): boolean {
    return this.#flight !== null || this.#starting.now !== null || this.#goingBack || this.#alone !== null;
  }

  /** The flight of a change, in the air or just landed; null when there is none that this process knows. */
  flightOf(change: string): AnyFlight | null {
    return [this.#flight, this.#last].find((f) => f?.options.change === change) ?? null;
  }

  async tick(): Promise<void> {
    await this.#flight?.tick();
    if (!this.#flight && this.inPlace.due) await this.inPlace.recover().catch(() => {});
    if (this.#flight?.takenBack) await this.#landed();
  }

  end(): void {
    if (this.#flight?.takenBack) this.#last = this.#flight;
    this.#flight?.end();
    this.#flight = null;
  }

  async #landed(): Promise<void> {
    const flight = this.#flight;
    this.end();
    await this.#parts.landed(flight?.kind === 'generation' ? flight.options.incumbent.generation : null);
  }

  /** Takes back what is in the air, if anything is. */
  async takeBack(cause: 'died' | 'lease' | 'person', reason: string): Promise<TakeBack | null> {
    if (!this.#flight) return null;
    const done = await this.#flight.takeBack(cause, reason);
    await this.#landed();
    return done;
  }

  /** Starts the text beside what runs, parked, and watches it from its first exposure. */
  async start(text: SiteText, site: Site, change: string): Promise<Launched> {
    const { fleet } = this.#parts;
    await this.#alone?.catch(() => {});
    this.#requireFree();
    this.#starting.begin(change);
    try {
      const incumbent = activeOf(await fleet.status(calmMs));
      fleet.certificates.take(text, site);
      const neighbour = incumbent.generation;
      const launched = await fleet.launch({ text, site, role: 'candidate', change, neighbour });
      this.#flight = this.#newFlight({ incumbent, launched, change, text, site });
      await this.#requireWanted(change);
      return launched;
    } finally {
      this.#starting.end();
    }
  }

  /** Whoever took the change back while it started has long been answered. */
  async #requireWanted(change: string): Promise<void> {
    try {
      this.#starting.requireWanted(change);
    } catch (error) {
      await this.takeBack('person', messageOf(error));
      throw error;
    }
  }

  /** Nothing else begins meanwhile; a change that comes waits. */
  async alone(work: () => Promise<void>): Promise<void> {
    this.#requireFree();
    this.#alone = work().finally(() => {
      this.#alone = null;
    });
    await this.#alone;
  }

  #requireFree(): void {
    if (!this.busy) return;
    const { name } = this.#parts.fleet.options.balancer;
    const other = this.#flight?.options.change ?? 'a change that just began';
    throw new Failure('HF108', `${name} already has a candidate, of ${other}`);
  }

  /** Takes a change in hand that the running generations are told of; they hear it with the first exposure. */
  async startInPlace(text: SiteText, site: Site, change: string): Promise<HeldGeneration> {
    const { fleet, kept, history, isAlarmed, record } = this.#parts;
    await this.#alone?.catch(() => {});
    this.#requireFree();
    this.#starting.begin(change);
    try {
      const active = activeOf(await fleet.status(calmMs));
      const intent = await this.inPlace.begin(text, site, change);
      const policy = kept.site.guard;
      const of = {
        fleet,
        inPlace: this.inPlace,
        intent,
        active,
        change,
        text,
        site,
        policy,
        history,
        isAlarmed,
        record,
      };
      this.#flight = new InPlaceFlight(of);
      await this.#requireWanted(change);
      return active;
    } finally {
      this.#starting.end();
    }
  }

  /** Generations already do as the text says: it is good from now on, and a boot comes up with it. */
  async #promoteInPlace(flight: InPlaceFlight): Promise<void> {
    const { fleet, kept } = this.#parts;
    const { text, change, intent } = flight.options;
    if (flight.takenBack) throw new Failure('HF404', `${change} was taken back: ${flight.takenBack.reason}`);
    kept.keep({ current: text, previous: kept.good.current, change, carried: null, inPlace: true });
    flight.end();
    await this.inPlace.keep(intent).finally(() => {
      this.#flight = null;
    });
    const { generations } = await fleet.status(calmMs);
    // A parked one of an older text has not been told.
    for (const old of generations.filter((g) => g.role === 'standby' && g.siteHash !== text.hash))
      await fleet.retire(old.generation);
  }

  #newFlight(of: {
    incumbent: HeldGeneration;
    launched: Launched;
    change: string;
    text: SiteText;
    site: Site;
  }): Flight {
    const { fleet, kept, history, record } = this.#parts;
    return new Flight({
      ...of,
      fleet,
      incumbent: { ...of.incumbent, control: fleet.control(of.incumbent) },
      policy: kept.site.guard,
      history,
      record,
      bytesOf: residentBytes,
    });
  }

  /** The candidate is what is good from now on. On disk first: a reboot in between comes up with it, as approved. */
  async promote(change: string): Promise<void> {
    const { fleet, kept, record } = this.#parts;
    if (kept.good.change === change) return;
    const flight = this.#flight?.options.change === change ? this.#flight : null;
    if (!flight) throw new Failure('HF404', `there is no candidate of ${change}`);
    if (flight.kind === 'in place') return await this.#promoteInPlace(flight);
    const before = await fleet.status(calmMs);
    const incumbent = activeOf(before);
    const { launched, text } = flight.options;
    const wayBack = await this.#freshWayBack();
    if (this.#flight !== flight || flight.isOver) {
      if (wayBack) await fleet.discard(wayBack.generation);
      throw new Failure('HF404', `${change} was taken back: ${flight.takenBack?.reason ?? 'just now'}`);
    }
    const { carried, current: previous } = kept.good;
    kept.keep({ current: text, previous, change, carried: null });
    if (carried) record({ kind: 'carriedNoMore', change, by: launched.engine });
    flight.end();
    // It is what is good, also when the hand-over breaks off: then the next look brings it, which an open flight forbids.
    [this.#flight, this.#last] = [null, flight];
    await this.alone(async () => {
      if (wayBack) await this.#handOver(incumbent, launched, wayBack);
      else {
        await fleet.activate(launched);
        fleet.link(incumbent.generation, null);
      }
      for (const old of before.generations.filter((g) => g.role === 'standby'))
        await fleet.retire(old.generation);
    });
  }

  /** The text before, as a parked process of its own: the one that ran it has users' connections, and is to end. */
  async #freshWayBack(): Promise<Launched | null> {
    const { fleet, kept } = this.#parts;
    try {
      const { good, site, runner: by } = kept;
      return await fleet.launch({ text: good.current, site, role: 'standby', change: null, by });
    } catch (error) {
      fleet.options.log.warn('no fresh way back; what was active stays, with its open connections', {
        error: messageOf(error),
      });
      return null;
    }
  }

  /** Everybody moves, kept-alive connections too: what was active leads its requests to the new one, and is drained. */
  async #handOver(from: HeldGeneration, to: Launched, wayBack: Launched): Promise<void> {
    const { fleet, kept } = this.#parts;
    fleet.link(to.generation, wayBack.generation);
    fleet.link(from.generation, to.generation);
    await fleet.withoutNet(to);
    await to.control.takeBack(false, calmMs);
    await fleet.holder.call(
      'takeBack',
      { from: from.generation, to: to.generation, drainMs: kept.site.guard.drainTimeoutMs },
      3_000,
    );
  }

  /**
   * Takes the candidate back, or after promotion goes to the generation before. Null when `change` is neither, and when it
   * only starts: then it goes as soon as it has started.
   */
  async rollback(reason: string, change: string | null): Promise<TakeBack | null> {
    const isStarting = this.#starting.takeBack(change, reason);
    if (isStarting && !this.#flight) return null;
    if (this.#flight && (change === null || this.#flight.options.change === change))
      return await this.takeBack('person', reason);
    await this.#alone?.catch(() => {});
    const { previous, change: promoted } = this.#parts.kept.good;
    if (this.#flight || !previous || (change !== null && promoted !== change)) return null;
    this.#goingBack = true;
    try {
      return await this.#goBack(previous, promoted, reason);
    } finally {
      this.#goingBack = false;
    }
  }

  /** Parked and alive, it takes milliseconds; when it is gone, its text is started cold. */
  async #goBack(previous: SiteText, change: string | null, reason: string): Promise<TakeBack> {
    const { fleet, kept, record } = this.#parts;
    const status = await fleet.status(calmMs);
    const told = await this.#goBackInPlace(activeOf(status), previous, change, reason);
    if (told) return told;
    const { generation: from } = activeOf(status);
    const parked = status.generations.find((g) => g.role === 'standby' && g.siteHash === previous.hash);
    const site = siteOf(previous);
    const plan = { text: previous, site, role: 'standby', change: null } as const;
    const carrier = kept.good.carried ? { by: kept.runner } : {};
    const { generation: to, engine: by } = parked ?? (await fleet.launch({ ...plan, ...carrier }));
    fleet.link(from, to);
    const done = await fleet.holder.call(
      'takeBack',
      { from, to, drainMs: kept.site.guard.drainTimeoutMs },
      3_000,
    );
    const instead = fleet.nameFor(site);
    const because = `it was gone back to: ${reason}`;
    const carried = by === instead ? null : { by, instead, since: fleet.options.clock.now(), because };
    kept.keep({ current: previous, previous: null, change: null, carried });
    const takeBack = personsTakeBack({ change, from, to, reason, ...done, rung: parked ? done.rung : 3 });
    record({ kind: 'tookBack', takeBack });
    return takeBack;
  }

  /** Null: the change before was not of this kind. */
  async #goBackInPlace(
    active: HeldGeneration,
    previous: SiteText,
    change: string | null,
    reason: string,
  ): Promise<TakeBack | null> {
    const { fleet, kept, record } = this.#parts;
    const { clock } = fleet.options;
    const { good } = kept;
    const hashes = [good.current.hash, previous.hash];
    if (!good.inPlace || !hashes.includes(active.siteHash)) return null;
    const intent = between(previous, good.current, change ?? '', active);
    if (!intent) return null;
    const [decidedAt, began] = [clock.now(), clock.monotonicMs()];
    this.inPlace.write(intent);
    kept.keep({ current: previous, previous: null, change: null, carried: null });
    await this.inPlace.undo(intent);
    const tookMs = clock.monotonicMs() - began;
    const steps = intent.changes.map((one) => ({ what: `take back: ${inWords(one)}`, ok: true, tookMs }));
    const { generation } = active;
    const done = {
      from: generation,
      to: generation,
      decidedAt,
      doneAt: clock.now(),
      rung: 1 as const,
      steps,
    };
    const takeBack = personsTakeBack({ change, reason, ...done });
    record({ kind: 'tookBack', takeBack });
    return takeBack;
  }

  /** After this agent's predecessor died: what it was telling the generations is told to the end, or taken back. */
  async takeUpInPlace(): Promise<void> {
    const { fleet, record } = this.#parts;
    try {
      const { clock } = fleet.options;
      const decidedAt = clock.now();
      const change = await this.inPlace.recover();
      if (change === null) return;
      const { generation } = activeOf(await fleet.status(calmMs));
      const reason = 'the agent ended while the change was tried';
      const done = {
        from: generation,
        to: generation,
        decidedAt,
        doneAt: clock.now(),
        rung: 1 as const,
        steps: [],
      };
      const takeBack = personsTakeBack({ change, reason, ...done });
      const evidence = { ...takeBack.evidence, cause: 'lease' };
      record({ kind: 'tookBack', takeBack: { ...takeBack, evidence } });
    } catch (error) {
      fleet.options.log.error('a change in place could not be ended', { error: messageOf(error) });
    }
  }

  /** After this agent's predecessor died: a candidate that was promoted is made active, any other is taken back. */
  async takeUp(status: HolderStatus): Promise<void> {
    const { fleet, kept, record } = this.#parts;
    for (const found of status.generations.filter((g) => g.role === 'candidate')) {
      const isPromoted = found.change === null || found.change === kept.good.change;
      if (found.siteHash === kept.good.current.hash && isPromoted) {
        await fleet.activate(found);
      } else if (status.active !== null) {
        const [from, to] = [found.generation, status.active];
        const done = await fleet.holder.call(
          'takeBack',
          { from, to, drainMs: kept.site.guard.drainTimeoutMs },
          2_000,
        );
        const reason = 'the agent ended while there was a candidate';
        const takeBack = personsTakeBack({ change: found.change, from, to, reason, ...done });
        const evidence = { ...takeBack.evidence, cause: 'lease' };
        record({ kind: 'tookBack', takeBack: { ...takeBack, evidence } });
      }
    }
  }
}
