import { after, assert, type Clock, Failure, type Log, messageOf, type ProcessIdentity } from '#base';
import { Deaths, type NewDeath } from './deaths.ts';
import { endAfter, endWhenUnused } from './endings.ts';
import { Exposures } from './exposure.ts';
import { describe, drain, type Held } from './held.ts';
import { addressKey, HeldSockets, type Lent } from './held-sockets.ts';
import type { HolderMachine } from './machine.ts';
import type { GenerationSpec, HolderCall, HolderCalls, HolderStatus, HolderTakeBack } from './protocol.ts';
import { emptyState } from './state.ts';
import { takeBack } from './take-back.ts';

const drainCallMsMax = 200;
const strangersEveryMs = 20;
/** An agent asks several times a second. */
const unusedMsMax = 30_000;
/** For what is not urgent: a busy machine is no reason to give up. */
const patientMs = 2_000;
/** Nobody accepts meanwhile, and there is nobody else. */
const insteadMs = 1_000;

type Calls = {
  readonly [C in HolderCall]: (input: HolderCalls[C]['input']) => Promise<HolderCalls[C]['output']>;
};

export interface HolderOptions {
  readonly machine: HolderMachine;
  readonly clock: Clock;
  readonly log: Log;
  /** Nothing is held, and nobody has asked for so long: whoever started it was killed before it could say what for. */
  readonly unusedMsMax?: number;
  /** Called when everything has ended that was to end. */
  readonly exit: () => void;
}

/**
 * Owns the listening sockets of one balancer and lends them to generations. It starts, parks, resumes and ends
 * engines when it is told to, and by itself does just two things: it ends a lease that was not renewed, and puts
 * another generation in the place of an active one that died.
 */
export class Holder {
  readonly #options: HolderOptions;
  readonly #sockets: HeldSockets;
  readonly #generations = new Map<number, Held>();
  /** Generations that another holder started: their end is not told to us, so it is looked for. */
  readonly #strangers = new Set<number>();
  /** Generations of which processes are left whose main process has died. */
  readonly #remains = new Map<number, { readonly spec: GenerationSpec; readonly leader: ProcessIdentity }>();
  #deaths = new Deaths([]);
  readonly #exposures: Exposures;
  #active: number | null = null;
  #stopping = false;
  #askedMs: number;

  constructor(options: HolderOptions) {
    this.#options = options;
    this.#sockets = new HeldSockets(options.machine);
    this.#exposures = new Exposures(options.clock, () => this.#activeOne());
    this.#askedMs = options.clock.monotonicMs();
    this.#recover();
    if (this.#strangers.size > 0) this.#lookForStrangers();
    endWhenUnused({
      ...options,
      msMax: options.unusedMsMax ?? unusedMsMax,
      isUsed: () => this.#sockets.size + this.#generations.size + this.#remains.size > 0,
      askedMs: () => this.#askedMs,
    });
  }

  readonly calls: Calls = {
    open: async ({ listeners, until }) => {
      if (until && this.#generations.size === 0)
        void endAfter(until, { ...this.#options, isUsed: () => this.#generations.size > 0 });
      this.#sockets.open(listeners);
      this.#save();
      return null;
    },
    steer: async ({ listeners, ...which }) => {
      for (const listener of listeners) this.#machine.steer(this.#sockets.of(listener), which);
      return null;
    },
    side: async ({ side }) => {
      await this.#activeOne()?.side.want(side, patientMs);
      return null;
    },
    share: async () => {
      for (const fd of this.#sockets.descriptors) this.#machine.allowBeside(fd);
      return null;
    },
    start: async (spec) => this.#start(spec),
    status: async () => {
      this.#askedMs = this.#options.clock.monotonicMs();
      return this.#status();
    },
    activate: async ({ generation }) => {
      await this.#activate(this.#mustHave(generation));
      return null;
    },
    expose: async ({ generation, ...slice }) => {
      if (generation === this.#active)
        throw new Failure('HF105', `generation ${generation} is the active one`);
      await this.#exposures.expose(this.#mustHave(generation), slice);
      return null;
    },
    takeBack: async ({ from, to, drainMs }) =>
      await this.#takeBack(this.#generations.get(from) ?? null, this.#goodOne(to, from), drainMs),
    label: async ({ generation, ...said }) => {
      const found = this.#mustHave(generation);
      found.spec = { ...found.spec, ...said };
      this.#save();
      return null;
    },
    retire: async ({ generation, withinMs }) => {
      this.#retire(this.#mustHave(generation), withinMs);
      return null;
    },
    shutdown: async ({ withinMs }) => {
      await this.#shutdown(withinMs);
      return null;
    },
  };

  #status(): HolderStatus {
    return {
      pid: this.#machine.pid,
      active: this.#active,
      generations: [...this.#generations.values()].map(describe),
      deaths: this.#deaths.told,
      expired: this.#exposures.expired(),
      remains: [...this.#remains.keys()],
    };
  }

  get #machine(): HolderMachine {
    return this.#options.machine;
  }

  #activeOne(): Held | null {
    return this.#active === null ? null : (this.#generations.get(this.#active) ?? null);
  }

  #mustHave(generation: number): Held {
    const found = this.#generations.get(generation);
    if (!found) throw new Failure('HF404', `no generation ${generation} is held`);
    return found;
  }

  #save(): void {
    const state = {
      active: this.#active,
      sockets: this.#sockets.state,
      generations: [...this.#generations.values()].map((g) => ({
        ...g.spec,
        role: g.role,
        drainMs: g.drainMs,
        ...g.process,
      })),
      deaths: this.#deaths.all,
      remains: [...this.#remains.values()].map(({ spec, leader }) => ({ ...spec, ...leader })),
    };
    if (!this.#machine.save(state)) this.#options.log.warn("the holder's state could not be written");
  }

  #teller({ generation }: GenerationSpec): (what: string) => void {
    return (what) => this.#options.log.warn(what, { generation });
  }

  #start(spec: GenerationSpec): { pid: number } {
    // Whoever was about to start one has not heard of the end yet: nobody would ever end this one.
    if (this.#stopping) throw new Failure('HF304', 'the holder is ending, and starts nothing any more');
    assert(!this.#generations.has(spec.generation), `generation ${spec.generation} is new`);
    const fds = spec.listeners.map((address) => this.#sockets.of(address));
    const fresh = this.#machine.start(spec, fds, {
      clock: this.#options.clock,
      ended: (how) => this.#ended(spec.generation, how),
      tell: this.#teller(spec),
    });
    this.#generations.set(spec.generation, fresh);
    this.#save();
    fresh.begin();
    return { pid: fresh.process.pid };
  }

  async #activate(next: Held): Promise<void> {
    const before = this.#activeOne();
    // First of all: the end of a slice would park what is to stay.
    this.#exposures.forget(next);
    try {
      // A lease that ran out has set it: an active generation that leads its requests away serves nobody for long.
      await next.control.takeBack(false, patientMs);
      await next.side.want('accepting', patientMs);
      if (next.side.wanted !== 'accepting') throw new Failure('HF105', 'it was taken back meanwhile');
    } catch (error) {
      before?.side.want('accepting').catch(() => {});
      // Without a timer it would go on accepting beside the one that stays.
      if (before && before !== next && next.role === 'candidate') this.#exposures.expire(next);
      throw error;
    }
    // One that came meanwhile would end by parking what is active now.
    this.#exposures.forget(next);
    this.#active = next.spec.generation;
    next.role = 'active';
    if (before && before !== next) before.role = 'standby';
    this.#save();
    if (before && before !== next) await before.side.want('parked', patientMs);
  }

  async #takeBack(bad: Held | null, good: Held, drainMs: number): Promise<HolderTakeBack> {
    // First of all: the end of a slice would park what is to stay.
    this.#exposures.forget(good);
    const isOfCandidate = bad?.role === 'candidate';
    if (bad) {
      this.#exposures.forget(bad);
      bad.role = 'draining';
      bad.drainMs = drainMs;
    }
    this.#active = good.spec.generation;
    good.role = 'active';
    // The bad one itself may have had another neighbour, or none; and some still lead connections of long ago to it.
    for (const old of this.#generations.values()) if (old.role === 'draining') this.#link(old, good);
    let to = good;
    const instead = async () => {
      // Whoever replaces an active one has just seen that the other is good.
      const other = isOfCandidate ? await this.#insteadOf(good, bad) : null;
      to = other ?? to;
      return other;
    };
    const done = takeBack({ good, bad, clock: this.#options.clock, instead });
    this.#save();
    return { ...(await done), to: to.spec.generation };
  }

  /** The active one does not follow: one that is parked beside it and does takes its place, and it stays as that one was. */
  async #insteadOf(silent: Held, bad: Held | null): Promise<Held | null> {
    const isGood = (g: Held) =>
      g.role === 'standby' && g !== silent && g.spec.siteHash !== bad?.spec.siteHash;
    const next = [...this.#generations.values()].find(isGood);
    if (!next) return null;
    const follows = await next.side.want('accepting', insteadMs).then(
      () => true,
      () => false,
    );
    // Somebody else may be active by now, by a death or a promotion.
    if (!follows || next.role !== 'standby' || this.#activeOne() !== silent) {
      if (this.#activeOne() !== next) next.side.want('parked').catch(() => {});
      return null;
    }
    this.#active = next.spec.generation;
    next.role = 'active';
    silent.role = 'standby';
    silent.side.want('parked').catch(() => {});
    for (const old of this.#generations.values()) if (old.role === 'draining') this.#link(old, next);
    this.#save();
    return next;
  }

  /**
   * Who is good when another one is active by now than whoever decided knew of: it took over from one that died, or was
   * promoted. Beside it the one that was meant would be a second one that accepts.
   */
  #goodOne(meant: number, bad: number): Held {
    const active = this.#activeOne();
    return active && active.spec.generation !== bad ? active : this.#mustHave(meant);
  }

  #retire(old: Held, withinMs: number): void {
    if (old.spec.generation === this.#active)
      throw new Failure('HF105', `generation ${old.spec.generation} is the active one`);
    old.role = 'draining';
    this.#exposures.forget(old);
    this.#save();
    end(old, withinMs, this.#options.clock);
  }

  /** A generation's process is gone. Called once for each. */
  #ended(generation: number, how: string): void {
    const dead = this.#generations.get(generation);
    if (!dead) return;
    this.#generations.delete(generation);
    dead.side.end();
    dead.control.close();
    this.#exposures.forget(dead);
    const at = this.#options.clock.now();
    const wasActive = this.#active === generation;
    if (wasActive) this.#promoteSuccessor();
    const next = this.#activeOne();
    const isTold = !this.#stopping && dead.role !== 'draining';
    const takenOverBy = wasActive && next ? next.spec.generation : null;
    const death = deathOf(dead.spec, dead.role, { at, how, takenOverBy });
    // Written with its successor: this holder may be the next to die.
    if (isTold) this.#deaths.expect(death);
    this.#endRemains(dead.spec, dead.process);
    this.#save();
    if (!isTold) return;
    if (next) void this.#takeOver(next, death);
    else this.#recordDeath(death);
  }

  /** Also when a candidate died: in its slice the active one may have been parked. */
  async #takeOver(next: Held, death: NewDeath): Promise<void> {
    const { clock, log } = this.#options;
    const began = clock.monotonicMs();
    try {
      await next.side.want('accepting');
      const tookOverMs = death.takenOverBy === null ? null : clock.monotonicMs() - began;
      this.#recordDeath(death, { ...death, tookOverMs });
    } catch (error) {
      log.error('the generation that should take over does not follow', { error: messageOf(error) });
      this.#recordDeath(death, { ...death, takenOverBy: null });
    }
  }

  /** While nobody else accepts, what is left of a dead engine is better than nobody. */
  #endRemains(spec: GenerationSpec, leader: ProcessIdentity): void {
    this.#remains.set(spec.generation, { spec, leader });
    const isServed = () => {
      const next = this.#activeOne();
      if (next?.side.wanted !== 'accepting') return false;
      this.#link({ spec }, next);
      return true;
    };
    const over = () => void this.#remains.delete(spec.generation);
    this.#machine.endRemains({ spec, leader, isServed, over });
  }

  /** Standby first: it was proven by traffic. A candidate is better than nobody. */
  #promoteSuccessor(): void {
    const others = [...this.#generations.values()];
    const next =
      others.find((g) => g.role === 'standby') ?? others.find((g) => g.role === 'candidate') ?? null;
    this.#active = next?.spec.generation ?? null;
    if (!next) return;
    // A candidate whose lease ran out leads its requests away, to where nobody is now.
    if (next.role === 'candidate') next.control.takeBack(false, patientMs).catch(() => {});
    this.#exposures.forget(next);
    next.role = 'active';
    // Where the dead one was, a take-back would lead requests to nobody.
    for (const g of others) if (g.role === 'candidate') this.#link(g, next);
  }

  #link(from: Pick<Held, 'spec'>, to: Held): void {
    try {
      this.#machine.link(from.spec.folder, to.spec.folder);
    } catch (error) {
      this.#options.log.error('a generation has no neighbour', { error: messageOf(error) });
    }
  }

  #recordDeath(death: NewDeath, instead: NewDeath = death): void {
    this.#deaths.tell(death, instead);
    this.#save();
    const { siteHash: _, change: __, ...said } = instead;
    this.#options.log.error('an engine ended', said);
  }

  #lookForStrangers(): void {
    for (const generation of this.#strangers) {
      const found = this.#generations.get(generation);
      if (found && this.#machine.isAlive(found.process)) continue;
      this.#strangers.delete(generation);
      if (found) this.#ended(generation, 'gone');
    }
    if (this.#strangers.size > 0)
      after(this.#options.clock, strangersEveryMs, () => this.#lookForStrangers());
  }

  /** Takes up what a holder before this one left: first the last good generation, then everything else. */
  #recover(): void {
    const { clock, log } = this.#options;
    const state = this.#machine.load();
    if (state === emptyState) return;
    this.#active = state.active;
    this.#deaths = new Deaths(state.deaths);
    const gone: GenerationSpec[] = [];
    for (const { pid, startTicks, ...spec } of state.remains) this.#endRemains(spec, { pid, startTicks });
    for (const { pid, startTicks, ...spec } of state.generations) {
      const found = this.#machine.find(spec, { pid, startTicks }, { clock, tell: this.#teller(spec) });
      if (found) this.#takeUp(found);
      else {
        gone.push(spec);
        this.#endRemains(spec, { pid, startTicks });
      }
    }
    for (const socket of state.sockets)
      if (!this.#sockets.takeBack(socket, this.#lent()))
        log.warn('no engine has the socket any more; it is opened anew', { socket: addressKey(socket) });
    if (!this.#activeOne()) {
      this.#promoteSuccessor();
      this.#activeOne()
        ?.side.want('accepting')
        .catch(() => {});
    }
    const at = clock.now();
    for (const spec of gone.filter((d) => d.role !== 'draining')) {
      const takenOverBy = spec.role === 'active' ? this.#active : null;
      this.#recordDeath(deathOf(spec, spec.role, { at, how: 'gone', takenOverBy }));
    }
    log.info('took up generations', { generations: [...this.#generations.keys()], active: this.#active });
    this.#save();
  }

  #takeUp(found: Held): void {
    const { generation, role } = found.spec;
    this.#generations.set(generation, found);
    this.#strangers.add(generation);
    const side = generation === this.#active ? 'accepting' : 'parked';
    found.side.want(side).catch((e) => this.#options.log.warn(messageOf(e), { generation }));
    if (role === 'candidate') this.#exposures.expire(found);
    if (role === 'draining') end(found, found.drainMs, this.#options.clock);
  }

  #lent(): readonly Lent[] {
    const held = [...this.#generations.values()].map(({ spec, process }) => ({ spec, pids: [process.pid] }));
    const left = [...this.#remains.values()].map(({ spec, leader }) => {
      return { spec, pids: this.#machine.membersOf(leader) };
    });
    return [...held, ...left];
  }

  async #shutdown(withinMs: number): Promise<void> {
    const { clock, exit } = this.#options;
    this.#stopping = true;
    for (const g of this.#generations.values()) void drain(g, drainCallMsMax);
    const deadline = clock.monotonicMs() + withinMs;
    while (this.#generations.size > 0) {
      if (clock.monotonicMs() > deadline) for (const g of this.#generations.values()) g.kill();
      for (const g of [...this.#generations.values()])
        if (!this.#machine.isAlive(g.process)) this.#ended(g.spec.generation, 'told to');
      await clock.sleep(20);
    }
    for (const { leader } of this.#remains.values()) this.#machine.killGroup(leader);
    this.#machine.forget();
    after(clock, 10, exit);
  }
}

function end(old: Held, withinMs: number, clock: Clock): void {
  old.side.want('parked').catch(() => {});
  void drain(old, drainCallMsMax);
  after(clock, withinMs, () => old.kill());
}

function deathOf(
  { generation, siteHash, change }: GenerationSpec,
  role: GenerationSpec['role'],
  facts: Pick<NewDeath, 'at' | 'how' | 'takenOverBy'>,
): NewDeath {
  return { generation, role, siteHash, change, ...facts, tookOverMs: null };
}
