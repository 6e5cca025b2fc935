/** From the decision to the last bad answer, at 1,000 requests a second. */
import { spawn } from 'node:child_process';
import { type Field, type Kind, kinds, loadOf, rollbackOnce, withField } from '../proofs/field.ts';
import type { Proof } from '../proofs/proof.ts';
import { preciseNow, startLoadProcess } from '../test/world/load.ts';
import { median, quantile, sum } from './measure.ts';

const switchesBack = 1_500;
const badForMs = 12;
const goodForMs = 12;
const wantedMs = 5;
const leaseMs = 2_000;
const echoEveryMs = 7;
const echoesToStart = 20;
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

/**
 * Enough decisions for a p99.9. A take-back ends the generation that it takes back, so here the end of an exposure is
 * measured: the same two signals, but the second waits a millisecond for its timer, and the call to the holder counts too.
 */
async function newConnections(proof: Proof, field: Field): Promise<void> {
  const { stack, holder } = field;
  const { generation: bad } = await stack.call('candidate', { site: field.bad, change: 'switch' });
  const load = await startLoadProcess({ ...loadOf(field, kinds.new), expectBody: 'good' });
  const echo = watchEcho();
  const decisions: Decision[] = [];
  for (let i = 0; i < switchesBack; i += 1) {
    await holder.call('expose', { generation: bad, forMs: leaseMs, alone: true, leaseMs });
    await pause(badForMs);
    const at = preciseNow();
    await holder.call('expose', { generation: bad, forMs: 0, alone: false, leaseMs });
    await pause(goodForMs);
    decisions.push({ at, until: preciseNow() });
  }
  const echoMs = echo.stop();
  const { records } = await load.stop();
  await stack.call('rollback', { reason: 'measured', change: 'switch' });
  const wrong = records.filter((r) => r.outcome === 'wrong answer').map((r) => r.endedAt);
  const lastBadMs = decisions.map((decision) => afterDecision(decision, wrong));
  const ownMs = quantile(echoMs, 0.999);
  proof.say(
    `new connections: ${decisions.length} decisions, ${records.length} requests, ${wrong.length} bad`,
  );
  proof.atLeast('  bad answers before the decisions', wrong.length, decisions.length);
  proof.tell('  decision to last bad answer, median ms', median(lastBadMs));
  proof.tell('  decision to last bad answer, p99 ms', quantile(lastBadMs, 0.99));
  proof.tell("  the machine's own: a byte to another process and back, median ms", median(echoMs));
  proof.tell("  the machine's own, p99 ms", quantile(echoMs, 0.99));
  proof.tell("  the machine's own, p99.9 ms", ownMs);
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

function isWhole(outcome: string): boolean {
  return outcome === 'ok' || outcome === 'wrong answer';
}

function afterDecision({ at, until }: Decision, wrong: readonly number[]): number {
  return Math.max(0, ...wrong.filter((end) => end > at && end <= until).map((end) => end - at));
}

/** How long this machine takes, at that time, for the least that two processes can do together; every few milliseconds. */
function watchEcho() {
  const child = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const tookMs: number[] = [];
  let sentAt: number | null = null;
  child.stdout.on('data', () => {
    if (sentAt !== null) tookMs.push(performance.now() - sentAt);
    sentAt = null;
  });
  const timer = setInterval(() => {
    if (sentAt !== null) return;
    sentAt = performance.now();
    child.stdin.write('.');
  }, echoEveryMs);
  return {
    stop() {
      clearInterval(timer);
      child.kill('SIGKILL');
      // The first ones wait for the process to start.
      return tookMs.slice(echoesToStart);
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
