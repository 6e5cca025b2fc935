/** Switches, rollback and slices on real HAProxy under load, by kind of connection. */
import { type HolderClient, holderClient } from '../src/agent/holder/protocol.ts';
import {
  type LoadPlan,
  type LoadResult,
  lastBadAfterMs,
  startLoadProcess,
  usualLoad,
} from '../test/world/load.ts';
import { type Origin, startOrigin } from '../test/world/origins.ts';
import { shopText } from '../test/world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../test/world/stack.ts';
import { type Proof, prove } from './proof.ts';

const switchesAll = 10_000;
const rollbacksEach = 10;
/** The holder's times are whole milliseconds, the generator's are not. */
const clockSlackMs = 1;
const kinds = [
  { name: 'new connections, HTTP/1.1', kind: 'new', tls: false },
  { name: 'kept-alive, HTTP/1.1', kind: 'kept', tls: false },
  { name: 'new connections, TLS', kind: 'new', tls: true },
  { name: 'kept-alive, HTTP/2 over TLS', kind: 'h2', tls: true },
] as const satisfies readonly (Pick<LoadPlan, 'kind' | 'tls'> & { name: string })[];

interface Field {
  readonly stack: Stack;
  readonly http: number;
  readonly https: number;
  readonly origins: { readonly good: Origin; readonly bad: Origin };
}

function loadOf(field: Field, kind: Pick<LoadPlan, 'kind' | 'tls'>, ratePerSecond: number): LoadPlan {
  return {
    ...usualLoad,
    ...kind,
    port: kind.tls ? field.https : field.http,
    hostname: 'shop.example',
    ratePerSecond,
  };
}

/** A full handshake for each request costs the generator too much for more. */
const rateOf = (kind: Pick<LoadPlan, 'kind' | 'tls'>) => (kind.kind === 'new' && kind.tls ? 300 : 1_000);
const failed = (result: LoadResult) => result.counts.ended - result.counts.ok;

/** What went wrong, for a figure that does not hold. */
function faults(result: LoadResult): string {
  return Object.entries(result.counts.byOutcome)
    .filter(([outcome, count]) => outcome !== 'ok' && count > 0)
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(', ');
}

async function switches(proof: Proof, field: Field): Promise<void> {
  proof.say(`${switchesAll} switches between two generations (TLS and plain, 2 threads) under load`);
  const active = await generationOf(field.stack, 'active');
  const standby = await generationOf(field.stack, 'standby');
  const holder = holderClient(`${field.stack.run}/holder.sock`);
  let requests = 0;
  let wrong = 0;
  for (const kind of kinds) {
    const load = await startLoadProcess(loadOf(field, kind, rateOf(kind)));
    const began = performance.now();
    for (let i = 0; i < switchesAll / kinds.length; i += 1) {
      await holder.call('activate', { generation: i % 2 === 0 ? standby : active }, 5_000);
    }
    const tookMs = (performance.now() - began) / (switchesAll / kinds.length);
    const result = await load.stop();
    requests += result.counts.ended;
    wrong += failed(result);
    proof.atMost(
      `failed of ${result.counts.ended} requests, ${kind.name} ${faults(result)}`,
      failed(result),
      0,
    );
    proof.tell(`  one switch, both sides read back, ms`, tookMs);
  }
  holder.close();
  proof.atMost(`failed of ${requests} requests over ${switchesAll} switches`, wrong, 0);
}

async function generationOf(stack: Stack, role: string): Promise<number> {
  return await until(
    role,
    async () => (await stack.call('status', {})).generations.find((g) => g.role === role)?.generation,
  );
}

/** The candidate's servers say another name, so each answer says which generation gave it. */
async function slices(proof: Proof, field: Field, candidate: ReturnType<typeof textOf>): Promise<void> {
  proof.say('Canary share by slice: share of new connections that the candidate answered');
  await field.stack.call('candidate', { site: candidate, change: 'slices' });
  for (const share of [0.05, 0.25, 0.5, 0.75]) {
    const expose = () =>
      field.stack.call('expose', { change: 'slices', share, leaseMs: 3_000, requestsMax: null });
    await expose();
    const load = await startLoadProcess(loadOf(field, kinds[0], 1_000));
    for (let second = 0; second < 4; second += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await expose();
    }
    const result = await load.stop();
    const own = result.records.filter((r) => r.marker.startsWith('bad')).length;
    const seen = own / result.records.length;
    proof.holds(
      `share wanted ${share}, of ${result.records.length} requests`,
      seen.toFixed(3),
      'within a third',
      Math.abs(seen - share) <= share / 3,
    );
    proof.atMost(`  failed ${faults(result)}`, failed(result), 0);
  }
  await field.stack.call('rollback', { reason: 'measured', change: 'slices' });
}

async function startsParked(proof: Proof, field: Field, candidate: ReturnType<typeof textOf>): Promise<void> {
  const starts = 8;
  proof.say(`A generation that starts parked: ${starts} starts at full load`);
  const load = await startLoadProcess(loadOf(field, kinds[0], 1_500));
  for (let i = 0; i < starts; i += 1) {
    await field.stack.call('candidate', { site: candidate, change: `start-${i}` });
    await field.stack.call('rollback', { reason: 'measured', change: `start-${i}` });
  }
  const result = await load.stop();
  const taken = result.records.filter((r) => r.marker.startsWith('bad')).length;
  proof.atMost(
    `requests taken before it was parked, of ${result.records.length}, all ${starts} starts`,
    taken,
    starts * 10,
  );
  proof.atMost(`failed ${faults(result)}`, failed(result), 0);
}

/** A bad generation answers everybody from the wrong servers, the good one is parked; then it is taken back. */
async function rollbacks(proof: Proof, field: Field, candidate: ReturnType<typeof textOf>): Promise<void> {
  proof.say(
    `Rollback of a generation that sends everybody to the wrong servers, ${rollbacksEach} times each`,
  );
  const holder = holderClient(`${field.stack.run}/holder.sock`);
  for (const kind of kinds) {
    const rounds: Round[] = [];
    for (let round = 0; round < rollbacksEach; round += 1)
      rounds.push(
        await rollbackOnce(field, holder, candidate, kind, `bad-${kind.kind}-${kind.tls}-${round}`),
      );
    const sum = (count: (round: Round) => number) => rounds.reduce((total, round) => total + count(round), 0);
    const last = rounds.map((round) => round.lastBadMs).sort((a, b) => a - b);
    const stallMs = Math.max(...rounds.map((round) => round.stallMs));
    proof.say(`  ${kind.name}: ${sum((r) => r.requests)} requests`);
    proof.atLeast(
      '  wrong answers before the decision, all rollbacks',
      sum((r) => r.before),
      100,
    );
    proof.atMost(
      '  wrong answers to requests sent after the take-back was done',
      sum((r) => r.late),
      0,
    );
    proof.tell('  last wrong answer after the decision, median ms', last[Math.floor(last.length / 2)] ?? 0);
    proof.tell('  last wrong answer after the decision, worst ms', last.at(-1) ?? 0);
    proof.tell("  the machine's own stall in these runs, worst ms", stallMs);
    proof.tell('  wrong answers after the decision, each rollback', sum((r) => r.after) / rounds.length);
    proof.atMost(
      '  requests broken off, all rollbacks',
      sum((r) => r.broken),
      0,
    );
    if (kind.kind === 'h2')
      proof.tell(
        '  streams refused (not processed, safe to send again), each rollback',
        sum((r) => r.refused) / rounds.length,
      );
  }
  holder.close();
}

interface Round {
  readonly requests: number;
  readonly before: number;
  readonly after: number;
  /** Sent when the take-back was done: these must not be wrong. The others were under way. */
  readonly late: number;
  readonly lastBadMs: number;
  readonly broken: number;
  readonly refused: number;
  readonly stallMs: number;
}

async function rollbackOnce(
  field: Field,
  holder: HolderClient,
  candidate: ReturnType<typeof textOf>,
  kind: (typeof kinds)[number],
  change: string,
): Promise<Round> {
  const { generation } = await field.stack.call('candidate', { site: candidate, change });
  const good = await generationOf(field.stack, 'active');
  await holder.call('expose', { generation, forMs: 5_000, alone: true, leaseMs: 5_000 });
  const load = await startLoadProcess({ ...loadOf(field, kind, rateOf(kind)), expectBody: 'good' });
  await new Promise((resolve) => setTimeout(resolve, 400));
  const { decidedAt, doneAt } = await holder.call('takeBack', { from: generation, to: good }, 5_000);
  await new Promise((resolve) => setTimeout(resolve, 600));
  const { records, stall } = await load.stop();
  await field.stack.call('rollback', { reason: 'measured', change });
  const wrong = records.filter((r) => r.outcome === 'wrong answer');
  const after = wrong.filter((r) => r.endedAt > decidedAt);
  return {
    requests: records.length,
    before: wrong.length - after.length,
    after: after.length,
    late: wrong.filter((r) => r.sentAt > doneAt + clockSlackMs).length,
    lastBadMs: Math.max(0, ...after.map((r) => r.endedAt - decidedAt)),
    broken: records.filter((r) => !['ok', 'wrong answer', 'refused stream'].includes(r.outcome)).length,
    refused: records.filter((r) => r.outcome === 'refused stream').length,
    stallMs: stall.maxMs,
  };
}

await prove('switch', async (proof) => {
  const origins = {
    good: await startOrigin({ name: 'good' }),
    bad: await startOrigin({ name: 'bad', way: 'right' }),
  };
  const [http, https] = [await freePort(), await freePort()];
  const site = (origin: Origin) => (folder: string) =>
    shopText({ http, https, engine: 'haproxy', servers: [{ name: 'one', port: origin.port }] }, folder);
  const stack = await startStack({ siteText: site(origins.good), engine: 'haproxy' });
  try {
    const field = { stack, http, https, origins };
    await switches(proof, field);
    await slices(proof, field, textOf(site(origins.bad)(stack.folder), stack.folder));
    await startsParked(proof, field, textOf(site(origins.bad)(stack.folder), stack.folder));
    await rollbacks(proof, field, textOf(site(origins.bad)(stack.folder), stack.folder));
  } finally {
    await stack.stop();
    await origins.good.close();
    await origins.bad.close();
  }
});
