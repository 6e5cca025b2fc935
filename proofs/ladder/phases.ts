/** When an engine turns bad, in the life of a change; what then has to come about. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeView, StatusView } from '../../src/contract/index.ts';
import { until } from '../../test/world/stack.ts';
import { type Typed, type as typeLine, type UpSite } from '../../test/world/up.ts';
import type { BadEngine } from './engine.ts';
import type { Misbehaviour } from './misbehaviour.ts';

export interface Scene {
  readonly way: Misbehaviour;
  readonly engine: BadEngine;
  readonly site: UpSite;
  /** Another text of the same site. */
  readonly nextFile: string;
}

export interface Came {
  /** For the table: `refused: rehearsal`, `rolled back`, `builtin carries it`. */
  readonly what: string;
}

export interface Phase {
  readonly name: string;
  /** The engine is bad before `up` is started. */
  readonly fromTheStart?: true;
  /** A change meets the bad engine: it may not be promoted, unless what is broken is not used. */
  readonly changesUnderIt?: true;
  /** Requests that may fail: what the dying process had in its hands, or what the exposure let through. Null: their number is only told. */
  readonly failedMax: number | null;
  run(scene: Scene): Promise<Came>;
}

/** What a generation that starts parked may take before it is parked (`prove:switch` counts it). */
export const startsMayTake = 5;
const servedMsMax = 90_000;
/** What is broken shows within this time, or it does not matter. */
const watchedMs = 5_000;

const cli = (site: UpSite, ...args: string[]): Typed => typeLine(args, { env: site.env });

async function json<T>(site: UpSite, ...args: string[]): Promise<T> {
  const { out, err } = await cli(site, ...args, '--json').ended;
  try {
    return JSON.parse(out) as T;
  } catch {
    throw new Error(`holdfast ${args.join(' ')}: ${err}${out}`);
  }
}

async function apply({ site, nextFile }: Scene): Promise<ChangeView> {
  return await json<ChangeView>(site, 'apply', nextFile, '--new-generation');
}

function endOf(change: ChangeView): string {
  if (change.state !== 'refused') return change.state;
  return `refused: ${change.gates.find(({ verdict, forced }) => verdict !== 'passed' && !forced)?.gate ?? change.why}`;
}

type Role = 'active' | 'standby' | 'candidate';

async function pids(site: UpSite, ...roles: readonly Role[]): Promise<number[]> {
  const { balancers } = await site.status();
  return balancers.flatMap((one) =>
    'generations' in one
      ? one.generations.filter(({ role }) => roles.includes(role as Role)).map(({ pid }) => pid)
      : [],
  );
}

const carriedBy = ({ balancers }: StatusView) =>
  balancers.map((one) => ('generations' in one ? one.carried?.by : undefined)).find((by) => by !== undefined);

const isServing = async (site: UpSite) => (await site.status()).state === 'serving';

/** What carries the site some seconds later. */
async function settled(site: UpSite): Promise<string> {
  await sleep(watchedMs);
  await until('the site to be served', () => isServing(site), servedMsMax);
  const by = carriedBy(await site.status());
  return by ? `${by} carries it` : 'serves on';
}

/** What was promoted is taken back by hand: an engine that misbehaves must not be in the way of that. */
async function backByHand(site: UpSite, change: ChangeView): Promise<string> {
  if (change.state !== 'promoted') return endOf(change);
  const began = performance.now();
  const { exit, err } = await cli(site, 'rollback').ended;
  if (exit !== 0) throw new Error(`rollback: ${err}`);
  return `promoted, back in ${Math.round(performance.now() - began)} ms`;
}

export const phases: readonly Phase[] = [
  {
    name: 'first start',
    fromTheStart: true,
    failedMax: 5,
    run: async ({ site }) => ({ what: await settled(site) }),
  },
  {
    name: 'before the gates',
    changesUnderIt: true,
    failedMax: 0,
    async run(scene) {
      scene.engine.become(scene.way);
      return { what: await backByHand(scene.site, await apply(scene)) };
    },
  },
  {
    name: 'after the gates',
    changesUnderIt: true,
    failedMax: 60,
    async run(scene) {
      scene.engine.become(scene.way, 'rehearsals');
      return { what: await backByHand(scene.site, await apply(scene)) };
    },
  },
  {
    name: 'candidate dies in its canary',
    changesUnderIt: true,
    failedMax: 5,
    async run(scene) {
      const ended = apply(scene);
      ended.catch(() => {});
      const [candidate = 0] = await until('a candidate in traffic', async () => {
        const status = await scene.site.status();
        if (status.change?.state !== 'canary') return null;
        const found = await pids(scene.site, 'candidate');
        return found.length > 0 && found;
      });
      scene.engine.become(scene.way);
      process.kill(candidate, 'SIGKILL');
      return { what: endOf(await ended) };
    },
  },
  {
    name: 'active dies',
    failedMax: 5,
    async run({ site, engine, way }) {
      engine.become(way);
      for (const pid of await pids(site, 'active')) process.kill(pid, 'SIGKILL');
      return { what: await settled(site) };
    },
  },
  {
    name: 'rollback by hand',
    // The next way back starts on the engine that is bad by now.
    failedMax: startsMayTake,
    async run(scene) {
      const change = await apply(scene);
      if (change.state !== 'promoted') throw new Error(`the good change: ${endOf(change)}: ${change.why}`);
      scene.engine.become(scene.way);
      return { what: await backByHand(scene.site, change) };
    },
  },
  {
    name: 'all die',
    failedMax: null,
    async run({ site, engine, way }) {
      engine.become(way);
      for (const pid of await pids(site, 'active', 'standby', 'candidate')) process.kill(pid, 'SIGKILL');
      return { what: await settled(site) };
    },
  },
];
