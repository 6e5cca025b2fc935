/** From the decision to the last bad answer, at 1,000 requests a second. */
import {
  type Field,
  generationOf,
  type Kind,
  kinds,
  loadOf,
  rollbackOnce,
  withField,
} from '../proofs/field.ts';
import type { Proof } from '../proofs/proof.ts';
import { preciseNow, startLoadProcess } from '../test/world/load.ts';
import { median, quantile, sum } from './measure.ts';

const switchesBack = 1_500;
const badForMs = 12;
const goodForMs = 12;
const wantedMs = 5;
/** A timer that was later than this says that the machine stood still. */
const stallMsMin = 2;
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
}

interface Stall {
  readonly from: number;
  readonly to: number;
}

/**
 * Enough decisions for a p99.9. A take-back ends the generation that it takes back, so here two generations switch:
 * the same two signals, one after the other instead of both at once, and the call to the holder counts too.
 */
async function newConnections(proof: Proof, field: Field): Promise<void> {
  const { stack, holder } = field;
  const { generation: bad } = await stack.call('candidate', { site: field.bad, change: 'switch' });
  const good = await generationOf(field, 'active');
  const load = await startLoadProcess({ ...loadOf(field, kinds.new), expectBody: 'good' });
  const stalls = watchStalls();
  const decisions: Decision[] = [];
  for (let i = 0; i < switchesBack; i += 1) {
    await holder.call('activate', { generation: bad });
    await pause(badForMs);
    const at = preciseNow();
    await holder.call('activate', { generation: good });
    await pause(goodForMs);
    decisions.push({ at, until: preciseNow() });
  }
  const own = stalls.stop();
  const { records, stall } = await load.stop();
  await stack.call('rollback', { reason: 'measured', change: 'switch' });
  const wrong = records.filter((r) => r.outcome === 'wrong answer').map((r) => r.endedAt);
  const all: Stall[] = [...own, ...stall.long.map(({ at, lateMs }) => ({ from: at - lateMs, to: at }))];
  const seen = decisions.map((decision) => afterDecision(decision, wrong, all));
  const calm = seen.filter(({ stalled }) => !stalled).map(({ lastBadMs }) => lastBadMs);
  proof.say(
    `new connections: ${decisions.length} decisions, ${records.length} requests, ${wrong.length} bad`,
  );
  proof.atLeast('  bad answers before the decisions', wrong.length, decisions.length);
  proof.tell('  decision to last bad answer, median ms', median(seen.map((s) => s.lastBadMs)));
  proof.tell(
    '  decision to last bad answer, p99 of all, ms',
    quantile(
      seen.map((s) => s.lastBadMs),
      0.99,
    ),
  );
  proof.tell(
    '  decision to last bad answer, p99.9 of all, ms',
    quantile(
      seen.map((s) => s.lastBadMs),
      0.999,
    ),
  );
  proof.tell('  decisions in which the machine did not stand still', calm.length);
  proof.atMost('  decision to last bad answer, p99.9 of these', quantile(calm, 0.999), wantedMs, 'ms');
  proof.tell("  the machine's own stall (a timer's lateness), p99 ms", stall.p99Ms);
  proof.tell("  the machine's own stall, worst ms", stall.maxMs);
  const broken = records.filter((r) => !isWhole(r.outcome));
  const what = [...Map.groupBy(broken, (r) => `${r.outcome} ${r.status ?? r.detail}`)];
  const told = what.map(([outcome, some]) => `${outcome}: ${some.length}`).join(', ');
  proof.atMost(`  requests broken off ${told}`, broken.length, 0);
}

function isWhole(outcome: string): boolean {
  return outcome === 'ok' || outcome === 'wrong answer';
}

function afterDecision({ at, until }: Decision, wrong: readonly number[], stalls: readonly Stall[]) {
  const late = wrong.filter((endedAt) => endedAt > at && endedAt <= until);
  const lastBadMs = Math.max(0, ...late.map((endedAt) => endedAt - at));
  const stalled = stalls.some(({ from, to }) => to > at - 1 && from < at + lastBadMs + 1);
  return { lastBadMs, stalled };
}

/** When this process, which is nothing but timers, could not run. */
function watchStalls() {
  const stalls: Stall[] = [];
  let due = preciseNow() + 1;
  const timer = setInterval(() => {
    const now = preciseNow();
    if (now - due > stallMsMin) stalls.push({ from: due, to: now });
    due = now + 1;
  }, 1);
  return {
    stop() {
      clearInterval(timer);
      return stalls;
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
