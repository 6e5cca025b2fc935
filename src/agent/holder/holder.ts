import { rmSync } from 'node:fs';
import { assert, type Clock, Failure, isAlive, type Log, messageOf } from '#base';
import { exposures } from './exposure.ts';
import { describe, findGeneration, type Held, kill, startGeneration } from './generations.ts';
import type {
  Death,
  GenerationSpec,
  HolderCall,
  HolderCalls,
  HolderStatus,
  ListenerAddress,
} from './protocol.ts';
import { openListening, socketInode, takeDescriptor } from './sockets.ts';
import { emptyState, loadState, saveState } from './state.ts';
import { takeBack } from './take-back.ts';

const deathsMax = 100;
/** A generation that was ending when its holder died gets this long. */
const drainMsMax = 60_000;

const key = ({ host, port }: ListenerAddress) => `${host}:${port}`;

export type Holder = {
  [C in HolderCall]: (input: HolderCalls[C]['input']) => Promise<HolderCalls[C]['output']>;
};

/**
 * Owns the listening sockets of one balancer and lends them to generations. It starts, parks, resumes and ends
 * engines when it is told to, and by itself does just two things: it ends a lease that was not renewed, and puts
 * another generation in the place of an active one that died.
 */
export function createHolder(options: {
  stateFile: string;
  clock: Clock;
  log: Log;
  exit: () => void;
}): Holder {
  const { stateFile, clock, log } = options;
  const sockets = new Map<string, ListenerAddress & { fd: number }>();
  const generations = new Map<number, Held>();
  const deaths: Death[] = [];
  let deathCount = 0;
  let active: number | null = null;
  let stopping = false;

  const exposure = exposures({
    clock,
    activeOne: () => (active === null ? null : (generations.get(active) ?? null)),
  });

  function save(): void {
    const state = {
      active,
      sockets: [...sockets.values()].map(({ host, port, fd }) => ({ host, port, inode: socketInode(fd) })),
      generations: [...generations.values()].map((g) => ({ ...g.spec, role: g.role, ...g.process })),
    };
    if (!saveState(stateFile, state)) log.warn("the holder's state could not be written", { stateFile });
  }

  function mustHave(generation: number): Held {
    const found = generations.get(generation);
    if (!found) throw new Failure('HF404', `no generation ${generation} is held`);
    return found;
  }

  function ended(generation: number, how: string): void {
    const dead = generations.get(generation);
    if (!dead) return;
    generations.delete(generation);
    dead.control.close();
    exposure.forget(dead);
    const at = clock.now();
    const began = clock.monotonicMs();
    const wasActive = active === generation;
    const next = wasActive ? successor() : active === null ? null : (generations.get(active) ?? null);
    if (wasActive) {
      active = next?.spec.generation ?? null;
      if (next) next.role = 'active';
    }
    save();
    if (stopping || dead.role === 'draining') return;
    const record = (takenOverBy: number | null, tookOverMs: number | null) =>
      recordDeath({ ...dead.spec, role: dead.role }, { at, how, takenOverBy, tookOverMs });
    if (!next) return record(null, null);
    next.side.want('accepting').then(
      () => record(wasActive ? next.spec.generation : null, wasActive ? clock.monotonicMs() - began : null),
      (error) => {
        log.error('the generation that should take over does not follow', { error: messageOf(error) });
        record(null, null);
      },
    );
  }

  function recordDeath(
    spec: GenerationSpec,
    facts: Pick<Death, 'at' | 'how' | 'takenOverBy' | 'tookOverMs'>,
  ): void {
    const { generation, role, siteHash, change } = spec;
    deathCount += 1;
    deaths.push({ number: deathCount, generation, role, siteHash, change, ...facts });
    if (deaths.length > deathsMax) deaths.shift();
    log.error('an engine ended', { generation, role, ...facts });
  }

  /** Standby first: it was proven by traffic. A candidate is better than nobody. */
  function successor(): Held | null {
    const others = [...generations.values()];
    return others.find((g) => g.role === 'standby') ?? others.find((g) => g.role === 'candidate') ?? null;
  }

  function watchStrangers(): void {
    setInterval(() => {
      for (const g of [...generations.values()]) {
        if (strangers.has(g.spec.generation) && !isAlive(g.process)) ended(g.spec.generation, 'gone');
      }
    }, 20).unref();
  }
  const strangers = new Set<number>();

  function recover(): void {
    const state = loadState(stateFile);
    if (state === emptyState) return;
    active = state.active;
    const dead: GenerationSpec[] = [];
    for (const { pid, startTicks, ...spec } of state.generations) {
      const found = findGeneration(spec, { pid, startTicks });
      if (!found) {
        dead.push(spec);
        continue;
      }
      generations.set(spec.generation, found);
      strangers.add(spec.generation);
      // First the last good one, then everything else: nothing here may wait.
      const accepts = spec.generation === active;
      found.side
        .want(accepts ? 'accepting' : 'parked')
        .catch((e) => log.warn(messageOf(e), { spec: spec.generation }));
      if (spec.role === 'candidate') exposure.expire(found);
      if (spec.role === 'draining') end(found, drainMsMax);
    }
    for (const socket of state.sockets) {
      const fd = findSocket(socket, socket.inode);
      if (fd !== null) sockets.set(key(socket), { host: socket.host, port: socket.port, fd });
      else log.warn('no engine has the socket any more; it is opened anew', { socket: key(socket) });
    }
    if (active !== null && !generations.has(active)) {
      const next = successor();
      active = next?.spec.generation ?? null;
      if (next) next.role = 'active';
      next?.side.want('accepting').catch(() => {});
    }
    const at = clock.now();
    for (const spec of dead.filter((d) => d.role !== 'draining'))
      recordDeath(spec, {
        at,
        how: 'gone',
        takenOverBy: spec.role === 'active' ? active : null,
        tookOverMs: null,
      });
    log.info('took up generations', { generations: [...generations.keys()], active });
    save();
  }

  function findSocket(address: ListenerAddress, inode: string): number | null {
    for (const g of generations.values()) {
      const index = g.spec.listeners.findIndex((l) => key(l) === key(address));
      const fd = index < 0 ? null : takeDescriptor(g.process.pid, 3 + index);
      if (fd !== null && socketInode(fd) === inode) return fd;
    }
    return null;
  }

  recover();
  watchStrangers();

  function start(spec: GenerationSpec): { pid: number } {
    assert(!generations.has(spec.generation), `generation ${spec.generation} is new`);
    const fds = spec.listeners.map((address) => {
      const socket = sockets.get(key(address));
      if (!socket) throw new Failure('HF404', `no socket ${key(address)} is open`);
      return socket.fd;
    });
    const fresh = startGeneration(spec, fds, (how) => ended(spec.generation, how));
    generations.set(spec.generation, fresh);
    save();
    return { pid: fresh.process.pid };
  }

  function retire(generation: number, withinMs: number): void {
    const old = mustHave(generation);
    if (generation === active) throw new Failure('HF105', `generation ${generation} is the active one`);
    old.role = 'draining';
    exposure.forget(old);
    save();
    end(old, withinMs);
  }

  function end(old: Held, withinMs: number): void {
    old.side.want('parked').catch(() => {});
    old.control.drain(200).catch(() => kill(old));
    setTimeout(() => kill(old), withinMs).unref();
  }

  return {
    async open({ listeners }) {
      for (const l of listeners) {
        if (!sockets.has(key(l))) sockets.set(key(l), { ...l, fd: openListening(l.host, l.port) });
      }
      save();
      return null;
    },
    start: async (spec) => start(spec),
    async status() {
      const status: HolderStatus = {
        pid: process.pid,
        active,
        generations: [...generations.values()].map(describe),
        deaths,
        expired: exposure.expired(),
      };
      return status;
    },
    async activate({ generation }) {
      const next = mustHave(generation);
      const before = active === null ? null : (generations.get(active) ?? null);
      await next.side.want('accepting');
      exposure.forget(next);
      active = generation;
      next.role = 'active';
      if (before && before !== next) before.role = 'standby';
      save();
      if (before && before !== next) await before.side.want('parked');
      return null;
    },
    async expose({ generation, forMs, alone, leaseMs }) {
      await exposure.expose(mustHave(generation), { forMs, alone, leaseMs });
      return null;
    },
    async takeBack({ from, to }) {
      const good = mustHave(to);
      const bad = generations.get(from) ?? null;
      if (bad) exposure.forget(bad);
      active = to;
      good.role = 'active';
      if (bad) bad.role = 'draining';
      const done = takeBack({ good, bad, clock });
      save();
      return await done;
    },
    async retire({ generation, withinMs }) {
      retire(generation, withinMs);
      return null;
    },
    async shutdown({ withinMs }) {
      stopping = true;
      for (const g of generations.values()) g.control.drain(200).catch(() => kill(g));
      const deadline = clock.monotonicMs() + withinMs;
      while (generations.size > 0) {
        if (clock.monotonicMs() > deadline) for (const g of generations.values()) kill(g);
        for (const g of [...generations.values()])
          if (!isAlive(g.process)) ended(g.spec.generation, 'told to');
        await clock.sleep(20);
      }
      rmSync(stateFile, { force: true });
      setTimeout(options.exit, 10);
      return null;
    },
  };
}
