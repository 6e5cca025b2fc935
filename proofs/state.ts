/** What a site knows goes on over switches, rollbacks, rotations, kills and runtime changes, under load. `--only=ENGINE`, `--rounds=N`, `--steps=N` (the first ones). */
import { type EngineName, engineNames } from '#model';
import { ask } from '../test/world/ask.ts';
import { startLoadProcess, usualLoad } from '../test/world/load.ts';
import { until } from '../test/world/stack.ts';
import { type Proof, prove } from './proof.ts';
import {
  ageKeys,
  beganWith,
  bindClients,
  byHand,
  can,
  connectMs,
  newestKeys,
  promptMs,
  type Scene,
  useUpRate,
  weightByHand,
  weights,
  withScene,
} from './state/scene.ts';
import { beginAnew, tlsVersions, visit } from './state/sessions.ts';

const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const only = option('only');
const rounds = Number(option('rounds') ?? 2);
/** An agent that has just started gives itself a quarter of a minute before it replaces what cannot be told. */
const keysMsMax = 60_000;

interface Sums {
  steps: number;
  requests: number;
  failed: number;
  sessions: number;
  notResumed: number;
  bound: number;
  moved: number;
  prompt: number;
  slow: number;
  rated: number;
  unlimited: number;
  settings: number;
  otherwise: number;
  /** After which steps, for a figure that does not hold. */
  readonly faults: Set<string>;
}

/** What is wanted of the pool's weights now, and what text runs. */
interface Now {
  serverMs: number;
  weight: number;
  change: number;
}

type Step = (scene: Scene, now: Now, sums: Sums) => Promise<void>;

async function settled({ stack }: Scene): Promise<void> {
  await until('an active and a parked generation', async () => {
    const { generations } = await stack.call('status', {});
    const is = (role: string, state: string) => generations.some((g) => g.role === role && g.state === state);
    return (
      is('active', 'accepting') && is('standby', 'parked') && generations.every((g) => g.role !== 'candidate')
    );
  });
}

const change: Step = async ({ stack, text }, now) => {
  now.serverMs += 1_000;
  now.change += 1;
  const named = `c${now.change}`;
  await stack.call('candidate', { site: text(now), change: named }, 60_000);
  await stack.call('promote', { change: named }, 60_000);
};

const rollback: Step = async ({ stack }, now) => {
  await stack.call('rollback', { change: null, reason: 'measured' }, 60_000);
  now.serverMs -= 1_000;
};

/** Each generation was told, began with them, or a fresh one has taken its place. */
async function keysEverywhere(scene: Scene, sums: Sums): Promise<void> {
  const { stack } = scene;
  await until(
    'the new keys in every generation',
    async () => {
      const { generations } = await stack.call('status', {});
      const living = generations.filter(({ role }) => role === 'active' || role === 'standby');
      const set = newestKeys(scene);
      const done = (await stack.call('records', { after: 0 })).flatMap(({ what }) =>
        what.kind === 'ticketKeys' && what.set === set ? [what.replacedBy ?? what.generation] : [],
      );
      return (
        living.length === 2 &&
        living.every(({ generation }) => done.includes(generation) || beganWith(scene, generation))
      );
    },
    keysMsMax,
  ).catch(() => sums.faults.add(`not every generation had the new keys within ${keysMsMax} ms`));
}

const rotate: Step = async (scene, _now, sums) => {
  const before = newestKeys(scene);
  ageKeys(scene);
  await until('new keys', async () => newestKeys(scene) > before);
  await keysEverywhere(scene, sums);
};

const killAgentInRotation: Step = async (scene, now, sums) => {
  const before = newestKeys(scene);
  ageKeys(scene);
  await new Promise((resolve) => setTimeout(resolve, (now.change * 130) % 700));
  scene.stack.agent().kill('SIGKILL');
  await scene.stack.startAgent();
  await until('new keys', async () => newestKeys(scene) > before);
  await keysEverywhere(scene, sums);
};

const weigh: Step = async (scene, now) => {
  if (!can(scene.engine).byHand) return;
  now.weight = (now.weight % 9) + 1;
  now.change += 1;
  const named = `c${now.change}`;
  await scene.stack.call('candidateInPlace', { site: scene.text(now), change: named }, 60_000);
  await scene.stack.call('expose', { change: named, share: 1, leaseMs: 60_000, requestsMax: null }, 60_000);
  await scene.stack.call('promote', { change: named }, 60_000);
};

const killActive: Step = async (scene) => {
  const pid = await scene.stack.pidOf('active');
  process.kill(pid, 'SIGKILL');
  await until('another active one', async () => (await scene.stack.pidOf('active')) !== pid);
};

/** In this order: the rollback goes back to what ran before the change that it follows. */
const allSteps: readonly { readonly name: string; readonly does: Step }[] = [
  { name: 'switch', does: change },
  { name: 'rotation of the ticket keys', does: rotate },
  { name: 'runtime change', does: weigh },
  { name: 'switch', does: change },
  { name: 'rollback', does: rollback },
  { name: 'kill -9 of the agent in a rotation', does: killAgentInRotation },
  { name: 'kill -9 of the active engine', does: killActive },
];

const steps = allSteps.slice(0, Number(option('steps') ?? allSteps.length));

/** Everything that has to be as it was. */
async function look(
  scene: Scene,
  clients: Awaited<ReturnType<typeof bindClients>>,
  { now, sums, after }: { now: Now; sums: Sums; after: string },
): Promise<void> {
  for (const version of tlsVersions) {
    const { resumed, ok } = await visit(scene, version);
    sums.sessions += 1;
    if (resumed && ok) continue;
    sums.notResumed += 1;
    sums.faults.add(`TLS ${version} after ${after}: resumed ${resumed}, answered ${ok}`);
  }
  for (const { cookie, server } of clients) {
    sums.bound += 1;
    if ((await ask(scene.http, { headers: { cookie } })).body.trim() !== server) sums.moved += 1;
  }
  const asked = Array.from({ length: 12 }, async () => {
    const began = performance.now();
    await ask(scene.http);
    return performance.now() - began;
  });
  for (const tookMs of await Promise.all(asked)) {
    sums.prompt += 1;
    if (tookMs <= promptMs) continue;
    sums.slow += 1;
    sums.faults.add(`requests that waited after ${after}`);
  }
  if (can(scene.engine).rates) {
    sums.rated += 1;
    if ((await ask(scene.http, { path: '/limited' })).status !== 429) sums.unlimited += 1;
  }
  if (can(scene.engine).byHand) {
    const wanted = `a ${now.weight}, b ${weightByHand}`;
    sums.settings += 1;
    const agree = async () => (await weights(scene)).every((one) => one === wanted);
    await until('one meaning everywhere', agree, 20_000).catch(() => {
      sums.otherwise += 1;
    });
  }
}

async function run(scene: Scene): Promise<Sums> {
  const now: Now = { serverMs: 20_000, weight: 1, change: 0 };
  const sums: Sums = {
    ...{ steps: 0, requests: 0, failed: 0, sessions: 0, notResumed: 0, bound: 0, moved: 0 },
    faults: new Set(),
    ...{ prompt: 0, slow: 0, rated: 0, unlimited: 0, settings: 0, otherwise: 0 },
  };
  await settled(scene);
  await until('the dead server to be known', async () => {
    const began = performance.now();
    // HAProxy's checks find it by themselves: who waits for it goes away, and asks again. Others learn from who waits.
    const patience = scene.engine === 'haproxy' ? { timeoutMs: connectMs / 10 } : {};
    await Promise.all(Array.from({ length: 12 }, () => ask(scene.http, patience)));
    return performance.now() - began < promptMs;
  });
  if (can(scene.engine).rates) await useUpRate(scene);
  if (can(scene.engine).byHand) await byHand(scene, `set server web/b weight ${weightByHand}`);
  const clients = can(scene.engine).sticky ? await bindClients(scene) : [];
  await beginAnew(scene);
  for (let round = 0; round < rounds; round += 1)
    for (const { name, does } of steps) {
      const isKill = does === killActive;
      const load = isKill
        ? null
        : await startLoadProcess({
            ...usualLoad,
            ...{ kind: 'kept', tls: true, port: scene.https, hostname: 'shop.example' },
            ...{ ratePerSecond: 50, connections: 8, timeoutMs: 60_000 },
          });
      await does(scene, now, sums);
      await settled(scene);
      await look(scene, clients, { now, sums, after: name });
      if (does === rotate || does === killAgentInRotation) await beginAnew(scene);
      sums.steps += 1;
      const result = await load?.stop();
      sums.requests += result?.counts.ended ?? 0;
      sums.failed += (result?.counts.ended ?? 0) - (result?.counts.ok ?? 0);
    }
  return sums;
}

function judge(proof: Proof, engine: EngineName, sums: Sums): void {
  for (const fault of sums.faults) proof.tell(fault, '');
  proof.atLeast('steps, everything looked at after each', sums.steps, steps.length * rounds);
  proof.atMost(`failed of ${sums.requests} requests meanwhile, kills of engines aside`, sums.failed, 0);
  proof.atMost(`TLS sessions (1.2, 1.3; openssl) not resumed, of ${sums.sessions}`, sums.notResumed, 0);
  proof.atMost(`requests that waited for the server that is down, of ${sums.prompt}`, sums.slow, 0);
  if (can(engine).sticky)
    proof.atMost(`clients moved from their server, of ${sums.bound} looks`, sums.moved, 0);
  if (can(engine).rates)
    proof.atMost(`clients whose count began anew, of ${sums.rated} looks`, sums.unlimited, 0);
  if (can(engine).byHand)
    proof.atMost(
      `weights that an engine or the next boot has otherwise, of ${sums.settings} looks`,
      sums.otherwise,
      0,
    );
}

await prove('state', async (proof) => {
  proof.say(`After each of: ${steps.map(({ name }) => name).join(', ')}; ${rounds} times`);
  for (const engine of engineNames) {
    if (only !== undefined && only !== engine) continue;
    proof.say(engine);
    await withScene(engine, async (scene) => judge(proof, engine, await run(scene)));
  }
});
