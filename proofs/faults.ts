/**
 * `npm run prove:faults [-- --only PART] [--victim WHO]`: real faults at each step of a change, against the real `holdfast up` under load:
 * kill -9 and SIGSTOP of every process, a clock that jumps, a disk that is full or slow, no memory, the controller away.
 * `prove:kill` has the finer moments of a balancer's own processes.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { holderClient } from '../src/agent/holder/protocol.ts';
import { messageOf, sitePaths } from '../src/base/index.ts';
import { startOrigin } from '../test/world/origins.ts';
import { freePort, until } from '../test/world/stack.ts';
import { makeFolders, type UpSite, up } from '../test/world/up.ts';
import { outOfGroupMemory, outOfOwnMemory } from './faults/memory.ts';
import { hangsMs, lostWith, mayFail, pidsOf, steps, type Victim, victims } from './faults/processes.ts';
import { makeWorld, type World } from './faults/world.ts';
import { fill } from './kill/disk.ts';
import { type Blow, inAChange } from './kill/in-change.ts';
import { failedOf, pidIn, type SiteField, startLoads, writeSite } from './kill/site.ts';
import { type Proof, prove, undoing } from './proof.ts';

/** Of each kind of connection: the machine has other things to do in most of these cases. */
const ratePerSecond = 150;
const dayInSeconds = 24 * 60 * 60;
const diskMb = 96;
/** Six leases: what a controller does in an hour that it does not in this time, it does by the same arithmetic. */
const awayMs = 20_000;
const leaseMs = 3_000;

interface Scene {
  readonly proof: Proof;
  readonly field: SiteField;
  readonly world: World;
  site: UpSite;
  cases: number;
}

async function inScene(
  proof: Proof,
  folder: string | null,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  const before = process.env.TMPDIR;
  if (folder !== null) process.env.TMPDIR = folder;
  const folders = makeFolders();
  const origin = await startOrigin({ name: 'web', delayMs: 20 });
  const field = { folders, origin, http: await freePort(), ratePerSecond };
  let scene: Scene | null = null;
  const end = undoing(async () => {
    scene?.world.become({});
    await scene?.site.stop();
    await origin.close();
    folders.remove();
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });
  try {
    const world = makeWorld(folders.folder);
    const site = await up([writeSite(field, 'first'), '--port', '0'], folders.env, world.env);
    scene = { proof, field, world, site, cases: 0 };
    await run(scene);
    world.become({});
    const words = await scene.site.stop();
    proof.holds(
      '  Ctrl-C ends everything',
      words.trim().split('\n').at(-1) ?? '',
      'nothing left',
      /Nothing is left/.test(words),
    );
  } finally {
    await end();
  }
}

const strikeIn = async (scene: Scene, blow: Omit<Blow, 'server'>) => {
  scene.cases += 1;
  try {
    await inAChange(scene.proof, scene.field, { ...blow, server: `server-${scene.cases}` });
  } catch (error) {
    // The other cases are worth knowing all the same.
    scene.proof.holds('  it went on to its end', messageOf(error), 'yes', false);
    await scene.site.stop();
    await startAgain(scene);
  }
};

const startAgain = async (scene: Scene) => {
  const first = join(scene.field.folders.folder, 'first.yaml');
  scene.site = await up([first, '--port', '0'], scene.field.folders.env, scene.world.env);
};

const signal = (pids: readonly number[], name: NodeJS.Signals) => {
  for (const pid of pids)
    try {
      process.kill(pid, name);
    } catch {
      // It has ended, as it may.
    }
};

async function hitProcess(
  scene: Scene,
  victim: Victim,
  name: 'SIGKILL' | 'SIGSTOP',
  step: (typeof steps)[number],
) {
  let struck: readonly number[] = [];
  const find = async () => (await pidsOf(scene.field, victim, scene.site.up.child.pid ?? 0)) ?? [];
  await strikeIn(scene, {
    name: `${name} ${victim}`,
    ...step,
    lost: lostWith(victim, name),
    async strike() {
      struck = await find();
      signal(struck, name);
    },
    ...(name === 'SIGSTOP'
      ? { over: { afterMs: hangsMs, mend: () => signal(struck, 'SIGCONT') } }
      : victim === 'up'
        ? { over: { afterMs: 500, mend: () => startAgain(scene) } }
        : {}),
  });
}

/** Candidates are there from the canary on. */
const isThere = (victim: Victim, { state }: (typeof steps)[number]) =>
  victim !== 'candidate' || state === 'canary' || state === 'baking';

async function processes(proof: Proof, only?: string): Promise<void> {
  await inScene(proof, null, async (scene) => {
    for (const victim of victims.filter((one) => only === undefined || one === only))
      for (const name of ['SIGKILL', 'SIGSTOP'] as const)
        for (const step of steps.filter((one) => isThere(victim, one)))
          await hitProcess(scene, victim, name, step);
  });
}

async function clock(proof: Proof): Promise<void> {
  proof.say(
    "the clock of the day jumps for every process of the site, engines too (a library's, not the kernel's)",
  );
  await inScene(proof, null, async (scene) => {
    for (const days of [1, -1, 400, -400])
      for (const step of steps)
        await strikeIn(scene, {
          name: `the clock jumps by ${days} days`,
          ...step,
          // HAProxy counts a request's time by the clock of the day: to what it has just sent on, a day has gone by.
          lost: days > 0 ? 'in hand' : 'none',
          strike: () => scene.world.become({ clockOffSeconds: days * dayInSeconds }),
          over: { afterMs: 10_000, mend: () => scene.world.become({}) },
        });
  });
}

async function disk(proof: Proof): Promise<void> {
  await inScene(proof, null, async (scene) => {
    for (const step of steps)
      await strikeIn(scene, {
        name: 'everything that is to be on the disk takes a second',
        ...step,
        lost: 'none',
        strike: () => scene.world.become({ diskMs: 1_000 }),
        over: { afterMs: 10_000, mend: () => scene.world.become({}) },
      });
  });
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMb}m,mode=755`, 'tmpfs', folder]);
  const unmount = undoing(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  try {
    await inScene(proof, folder, async (scene) => {
      for (const step of steps) {
        let empty = () => {};
        await strikeIn(scene, {
          name: 'the disk is full',
          ...step,
          lost: 'none',
          strike() {
            empty = fill(folder);
          },
          over: { afterMs: 5_000, mend: () => empty() },
        });
      }
    });
  } finally {
    await unmount();
  }
}

async function memory(proof: Proof): Promise<void> {
  await inScene(proof, null, async (scene) => {
    for (const victim of ['controller', 'agent', 'holder', 'active', 'candidate'] as const)
      for (const way of ['its group', 'itself'] as const) {
        let undo: (() => void) | null = null;
        await strikeIn(scene, {
          name: `no more memory for the ${victim}: a limit of ${way}`,
          state: 'canary',
          afterMs: 300,
          // Who gets no more memory answers what it can, and goes on.
          lost: way === 'itself' ? mayFail(victim) : lostWith(victim, 'SIGKILL'),
          async strike() {
            const pids = (await pidsOf(scene.field, victim, 0)) ?? [];
            undo = way === 'itself' ? outOfOwnMemory(pids) : outOfGroupMemory(pids);
            if (way === 'its group' && undo === null) proof.say('  this machine lets nobody make a group');
          },
          over: { afterMs: 8_000, mend: () => undo?.() },
        });
      }
  });
}

/** Nobody supervises, nobody decides; engines may die all the same. */
async function away(proof: Proof): Promise<void> {
  proof.say(
    `the controller and \`up\` are away for ${awayMs / 1_000} s, more than six leases; an hour is more of the same`,
  );
  await inScene(proof, null, async (scene) => {
    const { field } = scene;
    const holder = holderClient(join(sitePaths('t', field.folders.env).run, 'lb-1/holder.sock'));
    try {
      await strikeIn(scene, {
        name: 'SIGKILL up and controller',
        state: 'canary',
        afterMs: 300,
        lost: 'none',
        async strike() {
          signal([scene.site.up.child.pid ?? 0], 'SIGKILL');
          signal([pidIn(field, 'controller.pid')], 'SIGKILL');
          const began = performance.now();
          await until('the end of the lease', async () => {
            const { generations, expired } = await holder.call('status', {}, 500);
            return expired.length > 0 || generations.every(({ role }) => role !== 'candidate');
          });
          proof.atMost('  the exposure had ended after, ms', performance.now() - began, 2 * leaseMs);
        },
        over: { afterMs: awayMs, mend: () => startAgain(scene) },
      });
      await withoutController(scene, holder);
    } finally {
      holder.close();
    }
  });
}

async function withoutController(scene: Scene, holder: ReturnType<typeof holderClient>): Promise<void> {
  const { proof, field } = scene;
  proof.say('nobody but the agent is there, and the active engine is killed');
  const loads = await startLoads(field);
  try {
    signal([scene.site.up.child.pid ?? 0], 'SIGKILL');
    signal([pidIn(field, 'controller.pid')], 'SIGKILL');
    const [dead = 0] = (await holder.call('status', {}, 500)).generations
      .filter(({ role }) => role === 'active')
      .map(({ pid }) => pid);
    signal([dead], 'SIGKILL');
    await until('another active one, and a new way back', async () => {
      const { generations } = await holder.call('status', {}, 500);
      const now = generations.filter(({ role }) => role !== 'draining');
      return now.length === 2 && now.every(({ pid }) => pid !== dead);
    });
    await sleep(1_000);
    await startAgain(scene);
    const { all, failed, how } = await failedOf(loads);
    proof.atMost(`  failed of ${all} ${how}`, failed, mayFail('active'));
  } finally {
    for (const load of loads) load.kill();
  }
}

const parts = { processes, clock, disk, memory, away } as const;

await prove('faults', async (proof) => {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, victim: { type: 'string' }, json: { type: 'boolean' } },
  });
  const chosen = Object.entries(parts).filter(([name]) => values.only === undefined || name === values.only);
  if (chosen.length === 0)
    throw new Error(`there is no part "${values.only}". Known: ${Object.keys(parts).join(', ')}`);
  for (const [, run] of chosen) await run(proof, values.victim);
});
