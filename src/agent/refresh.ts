import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, messageOf } from '#base';
import type { SiteText } from '#contract';
import type { GuardRecord } from '#events';
import { type BackOff, backOff } from './back-off.ts';
import type { Changes } from './changes.ts';
import { activeOf, calmMs, type Fleet, type Launched } from './fleet.ts';
import { siteOf } from './good.ts';
import type { HeldGeneration, HolderStatus } from './holder/protocol.ts';
import type { Kept } from './kept.ts';
import type { KeySet } from './ticket-keys.ts';

const tellMsMax = 2_000;
/** Nothing of this is urgent, and an agent that has just started does not know yet which servers are down. */
const learnMs = 15_000;
/** A server that comes and goes is no reason to start a process each time. */
const unawareEveryMs = 15_000;

/**
 * Keeps generations that run as fit as ones that would start now, while no change is under way: an engine that can be told
 * is told and read back; one that learns at its start only gets a fresh process of the same text.
 * - Keys for TLS tickets, in every generation. Who died half-way has lost nothing: what a generation has is looked at, not remembered.
 * - Servers that are down, in a parked generation of an engine that asks none itself, or that an agent before this one
 *   started and may not have told: a rollback to it begins with that.
 */
export class Refresh {
  readonly #fleet: Fleet;
  readonly #kept: Kept;
  readonly #changes: Changes;
  readonly #record: (what: GuardRecord['what']) => void;
  readonly #told = new Map<number, string>();
  readonly #toldDown = new Set<number>();
  readonly #again: BackOff;
  #looking = false;
  #nextUnawareMs = 0;
  readonly #fromMs: number;

  constructor(parts: {
    readonly fleet: Fleet;
    readonly kept: Kept;
    readonly changes: Changes;
    readonly record: (what: GuardRecord['what']) => void;
  }) {
    this.#fleet = parts.fleet;
    this.#kept = parts.kept;
    this.#changes = parts.changes;
    this.#record = parts.record;
    this.#fromMs = parts.fleet.options.clock.monotonicMs() + learnMs;
    this.#again = backOff(parts.fleet.options.clock, { firstMs: 1_000, mostMs: 60_000 });
  }

  /** Called twice a second; never rejects. */
  async look(status: HolderStatus): Promise<void> {
    if (this.#looking || !this.#again.due) return;
    this.#looking = true;
    try {
      await this.#look(status);
    } catch (error) {
      this.#again.failed();
      this.#fleet.options.log.error('a generation has old keys for TLS tickets', { error: messageOf(error) });
    } finally {
      this.#looking = false;
    }
  }

  async #look({ generations }: HolderStatus): Promise<void> {
    const keys = this.#fleet.tickets.current();
    for (const about of [this.#told, this.#toldDown])
      for (const known of about.keys())
        if (generations.every(({ generation }) => generation !== known)) about.delete(known);
    const living = generations.filter(
      ({ role, generation }) => role !== 'draining' && !this.#fleet.isLaunching(generation),
    );
    const behind = living.filter(
      (g) => this.#told.get(g.generation) !== keys.keys.join() && existsSync(this.#file(g)),
    );
    const stale: HeldGeneration[] = [];
    for (const generation of behind) if (!(await this.#tell(generation, keys))) stale.push(generation);
    for (const held of living) await this.#tellDown(held);
    if (this.#changes.busy || this.#fleet.options.clock.monotonicMs() < this.#fromMs) return;
    if (stale.length > 0) return await this.#changes.alone(() => this.#replace(stale, keys));
    const unaware = living.find((g) => this.#isUnaware(g));
    if (unaware) await this.#changes.alone(() => this.#replaceUnaware(unaware));
  }

  /** What its own checks have said already is the last word. */
  async #tellDown(held: HeldGeneration): Promise<void> {
    const { generation, role } = held;
    const control = this.#fleet.control(held);
    const isDone = this.#toldDown.has(generation) || this.#fleet.launchedHere(generation);
    const text = this.#textOf(held);
    if (role === 'active' || isDone || !control.know || !text || !this.#fleet.known.isAny) return;
    const servers = await control.servers(tellMsMax);
    const down = this.#fleet.known
      .downFor(siteOf(text))
      .filter(({ pool, server }) =>
        servers.some((s) => s.pool === pool && s.server === server && s.state === 'unknown'),
      );
    if (down.length > 0) await control.know(down, tellMsMax);
    this.#toldDown.add(generation);
  }

  #isUnaware(held: HeldGeneration): boolean {
    const { clock } = this.#fleet.options;
    const now = clock.monotonicMs();
    if (held.role !== 'standby' || now < this.#nextUnawareMs || this.#fleet.control(held).know) return false;
    const text = this.#textOf(held);
    const site = text && this.#fleet.known.isAny ? siteOf(text) : null;
    // A team's own text says what the team says.
    const down = site && !site.own ? this.#fleet.downOf(site) : [];
    const before = this.#fleet.beganWithout(held.generation);
    return down.some((server) => !before.includes(server));
  }

  async #replaceUnaware(old: HeldGeneration): Promise<void> {
    const { clock, log } = this.#fleet.options;
    this.#nextUnawareMs = clock.monotonicMs() + unawareEveryMs;
    const { active } = await this.#fleet.status(calmMs);
    const { generation } = await this.#fresh(old, 'standby');
    if (active !== null) this.#fleet.link(active, generation);
    await this.#fleet.retire(old.generation);
    log.info('the parked generation knows which servers are down', {
      generation,
      instead: old.generation,
      down: this.#fleet.beganWithout(generation),
    });
  }

  /** A generation without this file has no keys of ours. */
  #file({ generation }: HeldGeneration): string {
    return join(this.#fleet.folder(generation), 'ticket.keys');
  }

  /** False: it has others, and cannot be told. */
  async #tell(held: HeldGeneration, { keys, number }: KeySet): Promise<boolean> {
    const { generation } = held;
    const control = this.#fleet.control(held);
    const hasOthers = (this.#told.get(generation) ?? readKeys(this.#file(held))) !== keys.join();
    if (control.ticketKeys) {
      await control.ticketKeys(keys, tellMsMax);
      if (hasOthers) this.#record({ kind: 'ticketKeys', set: number, generation, replacedBy: null });
    } else if (hasOthers && this.#givesTickets()) return false;
    this.#told.set(generation, keys.join());
    return true;
  }

  #givesTickets(): boolean {
    return this.#kept.site.listeners.some(({ tls }) => tls !== null && !tls.clients);
  }

  async #replace(stale: readonly HeldGeneration[], { number }: KeySet): Promise<void> {
    const status = await this.#fleet.status(calmMs);
    const active = activeOf(status);
    const isStale = (one: HeldGeneration) => stale.some(({ generation }) => generation === one.generation);
    const done = (generation: number, replacedBy: number) =>
      this.#record({ kind: 'ticketKeys', set: number, generation, replacedBy });
    let standby = status.generations.find((g) => g.role === 'standby')?.generation ?? null;
    for (const old of status.generations.filter((g) => g.role === 'standby' && isStale(g))) {
      const next = await this.#fresh(old, 'standby');
      this.#fleet.link(active.generation, next.generation);
      standby = next.generation;
      await this.#fleet.retire(old.generation);
      done(old.generation, next.generation);
    }
    if (!isStale(active)) return;
    const next = await this.#fresh(active, 'candidate');
    this.#fleet.link(next.generation, standby);
    this.#fleet.link(active.generation, next.generation);
    await this.#fleet.withoutNet(next);
    await next.control.takeBack(false, calmMs);
    const drainMs = this.#kept.site.guard.drainTimeoutMs;
    await this.#fleet.holder.call(
      'takeBack',
      { from: active.generation, to: next.generation, drainMs },
      3_000,
    );
    done(active.generation, next.generation);
  }

  #textOf({ siteHash }: HeldGeneration): SiteText | null {
    const { current, previous } = this.#kept.good;
    return [current, previous].find((one) => one?.hash === siteHash) ?? null;
  }

  /** The same text, which is the good one or the one before it, in a new process. */
  #fresh(held: HeldGeneration, role: 'standby' | 'candidate'): Promise<Launched> {
    const { good, runner } = this.#kept;
    const by = good.carried ? { by: runner } : {};
    const text = this.#textOf(held);
    if (!text) throw new Failure('HF105', 'a generation of another text is about to be replaced anyway');
    return this.#fleet.launch({ text, site: siteOf(text), role, change: null, ...by });
  }
}

function readKeys(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').join();
}
