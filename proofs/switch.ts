/** Switches, rollback and slices on real HAProxy and NGINX under load, by kind of connection. */
import { type LoadResult, startLoadProcess } from '../test/world/load.ts';
import { type Field, generationOf, kinds, loadOf, type Round, rollbackOnce, withField } from './field.ts';
import { type Proof, prove } from './proof.ts';
import { tcpPart } from './switch/tcp.ts';

const rollbacksEach = 10;
const kindsAll = Object.values(kinds);
const failed = (result: LoadResult) => result.counts.ended - result.counts.ok;

/** What went wrong, for a figure that does not hold. */
function faults(result: LoadResult): string {
  return Object.entries(result.counts.byOutcome)
    .filter(([outcome, count]) => outcome !== 'ok' && count > 0)
    .map(([outcome, count]) => `${outcome} ${count}`)
    .join(', ');
}

async function switches(proof: Proof, field: Field, switchesAll: number): Promise<void> {
  proof.say(`${switchesAll} switches between two generations (TLS and plain, 2 threads) under load`);
  const active = await generationOf(field, 'active');
  const standby = await generationOf(field, 'standby');
  let requests = 0;
  let wrong = 0;
  for (const kind of kindsAll) {
    const load = await startLoadProcess(loadOf(field, kind));
    const began = performance.now();
    for (let i = 0; i < switchesAll / kindsAll.length; i += 1) {
      await field.holder.call('activate', { generation: i % 2 === 0 ? standby : active }, 5_000);
    }
    const tookMs = (performance.now() - began) / (switchesAll / kindsAll.length);
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
  proof.atMost(`failed of ${requests} requests over ${switchesAll} switches`, wrong, 0);
}

/** The candidate's servers say another name, so each answer says which generation gave it. */
async function slices(proof: Proof, field: Field): Promise<void> {
  proof.say('Canary share by slice: share of new connections that the candidate answered');
  await field.stack.call('candidate', { site: field.bad, change: 'slices' });
  for (const share of [0.05, 0.25, 0.5, 0.75]) {
    const expose = () =>
      field.stack.call('expose', { change: 'slices', share, leaseMs: 3_000, requestsMax: null });
    await expose();
    const load = await startLoadProcess(loadOf(field, kinds.new, 1_000));
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

async function startsParked(proof: Proof, field: Field): Promise<void> {
  const starts = 8;
  proof.say(`A generation that starts parked: ${starts} starts at full load`);
  const load = await startLoadProcess(loadOf(field, kinds.new, 1_500));
  for (let i = 0; i < starts; i += 1) {
    await field.stack.call('candidate', { site: field.bad, change: `start-${i}` });
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
async function rollbacks(proof: Proof, field: Field): Promise<void> {
  proof.say(
    `Rollback of a generation that sends everybody to the wrong servers, ${rollbacksEach} times each`,
  );
  for (const kind of kindsAll) {
    const rounds: Round[] = [];
    for (let round = 0; round < rollbacksEach; round += 1)
      rounds.push(await rollbackOnce(field, kind, `bad-${kind.kind}-${kind.tls}-${round}`));
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
}

/** `--only=nginx`: one engine; `--only=tcp`: TCP alone, on each engine that has it. */
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);

await prove('switch', async (proof) => {
  for (const engine of ['haproxy', 'nginx'] as const) {
    if (only !== undefined && only !== engine) continue;
    proof.say(engine);
    await withField(async (field) => {
      await switches(proof, field, engine === 'haproxy' ? 10_000 : 2_000);
      await slices(proof, field);
      await startsParked(proof, field);
      await rollbacks(proof, field);
    }, engine);
  }
  if (only !== undefined && only !== 'tcp') return;
  for (const engine of ['haproxy', 'builtin'] as const) await tcpPart(proof, engine);
});
