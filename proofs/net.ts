/** A forced change whose servers cannot be reached, with the net and without it; and attempts at a loop. */
import { join } from 'node:path';
import { linkNeighbour } from '../src/agent/holder/neighbour.ts';
import { type HolderClient, holderClient } from '../src/agent/holder/protocol.ts';
import { type EngineControl, engines } from '../src/engines/index.ts';
import type { EngineName } from '../src/model/index.ts';
import { ask } from '../test/world/ask.ts';
import { type Blackhole, startBlackhole } from '../test/world/blackhole.ts';
import { type LoadPlan, type LoadResult, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { type Origin, startOrigin } from '../test/world/origins.ts';
import { patientCheck, shopText } from '../test/world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../test/world/stack.ts';
import { type Proof, prove } from './proof.ts';

/** The built-in engine, two generations of it, the origins and the generator share the machine: new connections are its dear ones. */
const rates = {
  haproxy: { new: 1_000, kept: 1_000, h2: 1_000 },
  builtin: { new: 300, kept: 1_000, h2: 1_000 },
  nginx: { new: 1_000, kept: 1_000, h2: 1_000 },
} as const satisfies Record<EngineName, Record<LoadPlan['kind'], number>>;
/** From the first request that the candidate may get to the moment when both sides are read back. */
const takenBackMsMax = 300;
const rounds = 3;
/** How long the net has to do without the guard. */
const unguardedMs = 3_000;
const kinds = [
  { name: 'new connections', kind: 'new' },
  { name: 'kept-alive', kind: 'kept' },
] as const satisfies readonly (Pick<LoadPlan, 'kind'> & { name: string })[];
const engineNames = ['haproxy', 'builtin', 'nginx'] as const satisfies readonly EngineName[];

interface Field {
  readonly engine: EngineName;
  readonly stack: Stack;
  readonly http: number;
  readonly good: Origin;
  readonly holder: HolderClient;
  /** Ports where servers would be. */
  readonly unreachable: readonly { readonly name: string; readonly port: number }[];
}

const guard = (net: boolean) =>
  `guard:\n  canary: { steps: [0.5, 1], step: 1s }\n  bake: 1s\n  net: ${net}\n`;

/** A candidate without servers; its checks are quick to say so. */
function siteText({ http, engine }: Field, ports: readonly number[], net = true) {
  const servers = ports.map((port, index) => ({ name: `s${index + 1}`, port }));
  return (folder: string) => shopText({ http, https: null, engine, servers, more: guard(net) }, folder);
}

async function openField(engine: EngineName, blackhole: Blackhole): Promise<Field> {
  const good = await startOrigin({ name: 'good' });
  const refuses = await startOrigin({ name: 'nobody', way: 'refuses' });
  const http = await freePort();
  const servers = [{ name: 'good', port: good.port }];
  const site = { http, https: null, engine, servers, healthCheck: patientCheck };
  const stack = await startStack({ siteText: (folder) => shopText(site, folder), engine });
  const unreachable = [
    { name: 'refused', port: refuses.port },
    { name: 'no answer to SYN', port: blackhole.port },
  ];
  return { engine, stack, http, good, unreachable, holder: holderClient(join(stack.run, 'holder.sock')) };
}

async function closeField({ stack, good, holder }: Field): Promise<void> {
  holder.close();
  await stack.stop();
  await good.close();
}

function loadOf({ engine, http }: Field, kind: LoadPlan['kind']): LoadPlan {
  const ratePerSecond = rates[engine][kind];
  return { ...usualLoad, kind, port: http, hostname: 'shop.example', ratePerSecond, expectBody: 'good' };
}

interface Round {
  readonly result: LoadResult;
  readonly netUses: number;
  readonly cause: string;
  readonly takenBackMs: number;
}

/** Forced: nobody looked at the servers. Half of all new connections go to the candidate until the guard has spoken. */
async function forced(
  field: Field,
  plan: { kind: LoadPlan['kind']; port: number; net: boolean; change: string },
): Promise<Round> {
  const { stack, holder } = field;
  const { change } = plan;
  const text = siteText(field, [plan.port, plan.port], plan.net)(stack.folder);
  const { generation } = await stack.call('candidate', { site: textOf(text, stack.folder), change });
  // Open connections move nowhere: for some to be the candidate's they are opened while it is exposed, before the guard looks.
  if (plan.kind !== 'new')
    await holder.call('expose', { generation, forMs: 10_000, alone: false, leaseMs: 10_000 });
  const load = await startLoadProcess(loadOf(field, plan.kind));
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await stack.call('expose', { change, share: 0.5, leaseMs: 5_000, requestsMax: null });
    const { takenBack } = await until('the guard takes it back', async () => {
      const seen = await stack.call('observe', { change });
      return seen.takenBack && { takenBack: seen.takenBack };
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const result = await load.stop();
    const { evidence, doneAt } = takenBack;
    return {
      result,
      netUses: evidence.candidate.netUses,
      cause: evidence.cause,
      takenBackMs: doneAt - (evidence.exposedAt ?? 0),
    };
  } finally {
    load.kill();
  }
}

/** Half of all new connections go to a candidate without servers, and nobody looks. */
async function unguarded(proof: Proof, field: Field): Promise<void> {
  const { stack, holder, engine } = field;
  for (const [index, { name: way, port }] of field.unreachable.entries()) {
    for (const { name, kind } of kinds) {
      const change = `unguarded-${index}-${kind}`;
      const text = siteText(field, [port, port])(stack.folder);
      const { generation, pid } = await stack.call('candidate', { site: textOf(text, stack.folder), change });
      const control = engines[engine].control({
        pid,
        control: join(stack.run, `g${generation}`, 'control.sock'),
      });
      const slice = { generation, forMs: unguardedMs, alone: true, leaseMs: 2 * unguardedMs };
      await holder.call('expose', slice);
      const load = await startLoadProcess(loadOf(field, kind));
      try {
        await new Promise((resolve) => setTimeout(resolve, unguardedMs));
        const { netUses, errors } = await control.evidence(2_000);
        await stack.call('rollback', { reason: 'measured', change });
        await new Promise((resolve) => setTimeout(resolve, 300));
        const result = await load.stop();
        proof.say(`${engine}, ${way}, ${name}, the net alone for ${unguardedMs} ms, without the guard`);
        proof.atMost(
          `  failed of ${result.counts.ended} ${faults([result])}`,
          result.counts.ended - result.counts.ok,
          0,
        );
        // How many is chance: which of two accepting generations an open connection fell to.
        proof.atLeast('  requests that the net caught', netUses, 1);
        proof.atMost('  errors of the candidate', errors, 0);
        const tookMs = result.records.map((r) => r.endedAt - r.sentAt).sort((a, b) => a - b);
        proof.tell('  a request took, median ms', tookMs[Math.floor(tookMs.length / 2)] ?? 0);
        proof.tell('  a request took, longest ms', tookMs.at(-1) ?? 0);
      } finally {
        load.kill();
        control.close();
      }
    }
  }
}

function faults(results: readonly LoadResult[]): string {
  const records = results.flatMap((r) => r.records).filter((r) => r.outcome !== 'ok');
  const counted = Map.groupBy(records, (r) => `${r.outcome}${r.status ? ` ${r.status}` : ''}`);
  return [...counted].map(([outcome, all]) => `${outcome}: ${all.length}`).join(', ');
}

async function forcedChanges(proof: Proof, field: Field, net: boolean): Promise<void> {
  let number = 0;
  for (const { name: way, port } of field.unreachable) {
    for (const { name, kind } of kinds) {
      const done: Round[] = [];
      for (let round = 0; round < rounds; round += 1) {
        number += 1;
        const change = `${net ? 'net' : 'bare'}-${number}`;
        done.push(await forced(field, { kind, port, net, change }));
      }
      report(proof, { net, name: `${field.engine}, ${way}, ${name}` }, done);
    }
  }
}

function report(proof: Proof, { net, name }: { net: boolean; name: string }, done: readonly Round[]): void {
  const sum = (count: (round: Round) => number) => done.reduce((all, round) => all + count(round), 0);
  const requests = sum((r) => r.result.counts.ended);
  const failed = sum((r) => r.result.counts.ended - r.result.counts.ok);
  const what = faults(done.map((r) => r.result));
  const took = done.map((r) => r.takenBackMs).sort((a, b) => a - b);
  const stallMs = Math.max(...done.map((r) => r.result.stall.maxMs));
  const causes = [...new Set(done.map((r) => r.cause))].join(', ');
  proof.say(`${name}, ${net ? 'with' : 'without'} the net, ${done.length} forced changes, by ${causes}`);
  if (net) {
    proof.atMost(`  failed of ${requests} ${what}`, failed, 0);
    proof.tell('  requests that the net caught, each change', sum((r) => r.netUses) / done.length);
  } else {
    proof.atLeast(`  failed of ${requests}, ${what}`, failed, 1);
    proof.tell('  failed, each change', failed / done.length);
  }
  proof.tell('  taken back after its first exposure, median ms', took[Math.floor(took.length / 2)] ?? 0);
  proof.atMost(
    '  taken back after its first exposure, worst',
    took.at(-1) ?? 0,
    Math.ceil(takenBackMsMax + stallMs),
    `ms: ${takenBackMsMax}, and the machine's own stall`,
  );
}

async function controlsOf({ stack, holder, engine }: Field): Promise<Map<string, EngineControl>> {
  const { generations } = await holder.call('status', {}, 500);
  return new Map(
    generations.map(({ role, generation, pid }) => {
      const control = join(stack.run, `g${generation}`, 'control.sock');
      return [role, engines[engine].control({ pid, control })];
    }),
  );
}

interface Loop {
  readonly asked: number;
  readonly statuses: string;
  readonly slowestMs: number;
  readonly entrances: number;
}

/** Many requests at once; how they ended, and how often any private entrance was passed for them. */
async function askMany(field: Field, controls: ReadonlyMap<string, EngineControl>): Promise<Loop> {
  const passed = async () => {
    const all = await Promise.all([...controls.values()].map((control) => control.evidence(2_000)));
    return all.reduce((sum, evidence) => sum + evidence.entranceRequests, 0);
  };
  const before = await passed();
  const answers: { status: string; ms: number }[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const asked = Array.from({ length: 10 }, async () => {
      const began = performance.now();
      const status = await ask(field.http, { timeoutMs: 20_000 }).then(
        (answer) => `${answer.status}`,
        (error: Error) => error.message,
      );
      answers.push({ status, ms: performance.now() - began });
    });
    await Promise.all(asked);
  }
  const counted = Map.groupBy(answers, (a) => a.status);
  return {
    asked: answers.length,
    statuses: [...counted].map(([status, all]) => `${status} ${all.length}`).join(', '),
    slowestMs: Math.max(...answers.map((a) => a.ms)),
    entrances: (await passed()) - before,
  };
}

/** Time-outs of the pool's texts: connect 4 times 5 s is the worst that a request may wait; refusals are quicker. */
const answeredMsMax = 15_000;

function judgeLoop(proof: Proof, name: string, hopsMax: number, loop: Loop): void {
  const { asked, statuses, slowestMs, entrances } = loop;
  const ended = !/[a-z]/.test(statuses);
  proof.holds(
    `  ${name}: every request is answered with an error`,
    statuses,
    '5xx',
    ended && !/\b[1-4]\d\d /.test(statuses),
  );
  proof.atMost('  slowest answer', slowestMs, answeredMsMax, 'ms');
  proof.atMost(`  private entrances passed for ${asked} requests`, entrances, asked * hopsMax);
}

/** Nobody has a server any more, and the nets of all are in: each request may pass a private entrance twice, no more. */
async function loops(proof: Proof, field: Field): Promise<void> {
  const { stack, holder, good } = field;
  proof.say(`${field.engine}: no loop`);
  const change = 'loop';
  const text = siteText(field, [field.unreachable[0]?.port ?? 0])(stack.folder);
  const { generation } = await stack.call('candidate', { site: textOf(text, stack.folder), change });
  await good.become('refuses');
  const controls = await controlsOf(field);
  try {
    for (const control of controls.values())
      await until('all servers are seen to be down', async () => {
        const { pools } = await control.evidence(2_000);
        return pools.every((pool) => pool.serversLive === 0);
      });
    await holder.call('expose', { generation, forMs: 60_000, alone: true, leaseMs: 60_000 });
    judgeLoop(proof, 'as it is', 1, await askMany(field, controls));
    for (const control of controls.values()) await control.net(true, 2_000);
    judgeLoop(proof, 'every net in', 2, await askMany(field, controls));
    await linkInACircle(field);
    judgeLoop(proof, 'and neighbours in a circle', 2, await askMany(field, controls));
    linkNeighbour(join(stack.run, `g${generation}`), join(stack.run, `g${generation}`));
    judgeLoop(proof, 'a generation that is its own neighbour', 2, await askMany(field, controls));
    for (const control of controls.values()) await control.takeBack(true, 2_000);
    judgeLoop(proof, 'and every take-back set', 2, await askMany(field, controls));
  } finally {
    for (const control of controls.values()) control.close();
  }
}

/** By hand, as no product code does: candidate to standby to active to candidate. */
async function linkInACircle({ stack, holder }: Field): Promise<void> {
  const { generations } = await holder.call('status', {}, 500);
  const folders = ['candidate', 'standby', 'active'].map((role) => {
    const found = generations.find((g) => g.role === role);
    if (!found) throw new Error(`no ${role}`);
    return join(stack.run, `g${found.generation}`);
  });
  for (const [index, folder] of folders.entries())
    linkNeighbour(folder, folders[(index + 1) % folders.length] ?? folder);
}

const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);

await prove('net', async (proof) => {
  const blackhole = await startBlackhole();
  try {
    for (const engine of engineNames) {
      if (only !== undefined && !only.startsWith(engine)) continue;
      const field = await openField(engine, blackhole);
      try {
        if (!only?.endsWith('loops')) {
          await unguarded(proof, field);
          await forcedChanges(proof, field, true);
          await forcedChanges(proof, field, false);
        }
        await loops(proof, field);
      } finally {
        await closeField(field);
      }
    }
  } finally {
    await blackhole.close();
  }
});
