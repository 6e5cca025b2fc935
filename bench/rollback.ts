/** From the decision to the last bad answer, at 1,000 requests a second. */
import { type Field, type Kind, kinds, loadOf, rollbackOnce, withField } from '../proofs/field.ts';
import type { Proof } from '../proofs/proof.ts';
import { preciseNow, startLoadProcess } from '../test/world/load.ts';
import { median, quantile, sum } from './measure.ts';

const switchesBack = 1_500;
const badForMs = 12;
const goodForMs = 12;
const wantedMs = 5;
const leaseMs = 2_000;
const takeBacksEach = 4;

export async function rollback(proof: Proof): Promise<void> {
  await withField(async (field) => {
    for (const kind of [kinds.new, kinds.kept, kinds.h2]) await takeBacks(proof, field, kind);
    await newConnections(proof, field);
  });
}

/** The whole of it: park, resume, lead open connections back, drain. */
async function takeBacks(proof: Proof, field: Field, kind: Kind): Promise<void> {
  const rounds: Awaited<ReturnType<typeof rollbackOnce>>[] = [];
  for (let i = 0; i < takeBacksEach; i += 1)
    rounds.push(await rollbackOnce(field, kind, `bad-${kind.kind}-${i}`));
  const last = rounds.map((round) => round.lastBadMs);
  proof.say(`${kind.name}: ${takeBacksEach} take-backs, ${sum(rounds.map((r) => r.requests))} requests`);
  proof.tell('  decision to last bad answer, median ms', median(last));
  proof.tell('  decision to last bad answer, worst ms', Math.max(...last));
  proof.tell("  the machine's own stall meanwhile, worst ms", Math.max(...rounds.map((r) => r.stallMs)));
  proof.atMost('  requests broken off', sum(rounds.map((r) => r.broken)), 0);
  proof.atMost('  bad answers to requests sent after it was done', sum(rounds.map((r) => r.late)), 0);
}

interface Decision {
  readonly at: number;
  readonly until: number;
  /** An instant at which nothing was decided. */
  readonly calmAt: number;
}

/**
 * Enough decisions for a p99.9. A take-back ends the generation that it takes back, so here the end of an exposure is
 * measured: the same two signals, by the same call to the holder. An answer to a request that was on its way may come
 * late on a busy machine whatever is done: how late, the instants tell at which nothing was decided.
 */
async function newConnections(proof: Proof, field: Field): Promise<void> {
  const { stack, holder } = field;
  const { generation: bad } = await stack.call('candidate', { site: field.bad, change: 'switch' });
  const load = await startLoadProcess({ ...loadOf(field, kinds.new), expectBody: 'good' });
  const decisions: Decision[] = [];
  for (let i = 0; i < switchesBack; i += 1) {
    // One that a stalled machine does not confirm in time is rejected, and may have begun: the decision ends it all the same.
    await holder.call('expose', { generation: bad, forMs: leaseMs, alone: true, leaseMs }).catch(() => {});
    await pause(badForMs);
    const at = preciseNow();
    await holder.call('expose', { generation: bad, forMs: 0, alone: false, leaseMs });
    await pause(goodForMs);
    const calmAt = preciseNow();
    await pause(goodForMs);
    decisions.push({ at, until: preciseNow(), calmAt });
  }
  const { records } = await load.stop();
  await stack.call('rollback', { reason: 'measured', change: 'switch' });
  const wrong = records.filter((r) => r.outcome === 'wrong answer');
  const after = decisions.map(({ at, until }) => wrong.filter((r) => r.endedAt > at && r.endedAt <= until));
  const lastBadMs = decisions.map(({ at }, i) => Math.max(0, ...(after[i] ?? []).map((r) => r.endedAt - at)));
  const lastSentMs = decisions.map(({ at }, i) => Math.max(0, ...(after[i] ?? []).map((r) => r.sentAt - at)));
  const calmMs = decisions.map(({ calmAt }) =>
    Math.max(
      0,
      ...records.filter((r) => r.sentAt <= calmAt && r.endedAt > calmAt).map((r) => r.endedAt - calmAt),
    ),
  );
  const ownMs = quantile(calmMs, 0.999);
  proof.say(
    `new connections: ${decisions.length} decisions, ${records.length} requests, ${wrong.length} bad`,
  );
  proof.atLeast('  bad answers before the decisions', wrong.length, decisions.length);
  tellQuantiles(proof, 'decision to last bad answer', lastBadMs);
  tellQuantiles(proof, "the machine's own: an instant without a decision to the last answer", calmMs);
  tellQuantiles(proof, 'decision to the last request sent that was answered badly', lastSentMs);
  proof.holds(
    '  decision to last bad answer, p99.9 ms',
    quantile(lastBadMs, 0.999).toFixed(1),
    `at most ${wantedMs} and the machine's own`,
    quantile(lastBadMs, 0.999) <= wantedMs + ownMs,
  );
  const broken = records.filter((r) => !isWhole(r.outcome));
  const what = [...Map.groupBy(broken, (r) => `${r.outcome} ${r.status ?? r.detail}`)];
  const told = what.map(([outcome, some]) => `${outcome}: ${some.length}`).join(', ');
  proof.atMost(`  requests broken off ${told}`, broken.length, 0);
}

function tellQuantiles(proof: Proof, what: string, ms: readonly number[]): void {
  proof.tell(`  ${what}, median ms`, median(ms));
  proof.tell(`  ${what}, p99 ms`, quantile(ms, 0.99));
  proof.tell(`  ${what}, p99.9 ms`, quantile(ms, 0.999));
}

function isWhole(outcome: string): boolean {
  return outcome === 'ok' || outcome === 'wrong answer';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
