/** One bad input, done for real; and what it must get. */
import { systemClock } from '../../src/base/clock.ts';
import { until } from '../../test/world/stack.ts';
import type { Proof } from '../proof.ts';
import type { Field, Got } from './field.ts';

export interface Case {
  readonly name: string;
  how(field: Field): Promise<Got>;
  readonly wanted: {
    /** 1 when left out. */
    readonly exit?: number;
    /** What a person reads: code, place, remedy. Each must be in it. */
    readonly says: readonly (string | RegExp)[];
    /** What the site is afterwards; `unchanged` when left out. */
    readonly leaves?: Leaves;
  };
}

/** `restarted`: the same site in new processes; requests are not counted while there is none. */
export type Leaves = 'unchanged' | 'promoted' | 'restarted';

const settledMsMax = 30_000;
const linesShown = 4;

export async function judge(proof: Proof, field: Field, one: Case): Promise<void> {
  const { exit = 1, says, leaves = 'unchanged' } = one.wanted;
  const before = await snapshot(field);
  const began = systemClock.monotonicMs();
  const { exit: gotExit, said } = await one.how(field);
  const tookMs = Math.round(systemClock.monotonicMs() - began);
  const missing = says.filter((part) => (typeof part === 'string' ? !said.includes(part) : !part.test(said)));
  const left = await leftAs(field, before, leaves);
  const faults = [
    ...(gotExit === exit ? [] : [`exit ${gotExit}, wanted ${exit}`]),
    ...missing.map((part) => `does not say ${part}`),
    ...left,
  ];
  proof.holds(
    one.name,
    faults.length === 0 ? `exit ${gotExit}` : 'WRONG',
    `${leaves}, ${tookMs} ms`,
    faults.length === 0,
  );
  const lines = said.trimEnd().split('\n').filter(Boolean);
  const shown = faults.length === 0 ? decisive(lines) : [...faults.map((fault) => `! ${fault}`), ...lines];
  for (const line of shown) proof.say(`      ${line.trim().slice(0, 220)}`);
}

/** The lines with a code and the one after them: what a person is told. */
function decisive(all: readonly string[]): readonly string[] {
  const lines = all.filter((line) => !line.includes(' warning: '));
  const at = lines.findIndex((line) => /HF\d{3}|✖/.test(line));
  return lines.slice(Math.max(0, at)).slice(0, linesShown);
}

interface Snapshot {
  readonly siteHash: string;
  /** Everything that serves or is kept to go back to: generation, process, role, side, text. */
  readonly generations: readonly string[];
  readonly promoted: number | null;
  readonly failed: number;
  readonly sent: number;
}

async function snapshot(field: Field): Promise<Snapshot> {
  const { siteHash, balancers } = await field.status();
  const generations = balancers.flatMap((one) =>
    'unreachable' in one
      ? [`${one.balancer} ${one.unreachable}`]
      : one.generations
          .filter(({ role }) => role !== 'draining')
          .map(
            (g) => `${one.balancer} ${g.generation} ${g.pid} ${g.role} ${g.state} ${g.siteHash.slice(0, 8)}`,
          ),
  );
  const changes = await field.changes();
  const promoted = changes?.filter(({ state }) => state === 'promoted').length ?? null;
  const { sent, failed } = await field.traffic();
  return { siteHash, generations: generations.toSorted(), promoted, sent, failed };
}

/** What is not as it must be. A change that was refused late needs a moment until its candidate has gone. */
async function leftAs(field: Field, before: Snapshot, wanted: Leaves): Promise<readonly string[]> {
  let after = before;
  const settled = await until(
    'the site has settled',
    async () => {
      after = await snapshot(field);
      if (after.sent <= before.sent) return false;
      return isLeft[wanted](before, after);
    },
    settledMsMax,
  ).catch(() => false);
  const { how } = await field.traffic();
  return [
    ...(settled ? [] : [`the site is not ${wanted}: ${JSON.stringify({ before, after })}`]),
    ...(after.failed === before.failed || wanted === 'restarted'
      ? []
      : [`${after.failed - before.failed} requests failed (all in all: ${how})`]),
  ];
}

const isLeft = {
  unchanged: (before, after) =>
    isSameSite(before, after) && before.generations.join() === after.generations.join(),
  promoted: (before, after) => before.siteHash !== after.siteHash && isServed(after),
  restarted: (before, after) => isSameSite(before, after) && isServed(after),
} as const satisfies Record<Leaves, (before: Snapshot, after: Snapshot) => boolean>;

function isSameSite(before: Snapshot, after: Snapshot): boolean {
  return before.siteHash === after.siteHash && before.promoted === after.promoted;
}

/** By both balancers. */
function isServed({ siteHash, generations }: Snapshot): boolean {
  const active = generations.filter((one) => one.includes(' active accepting '));
  return active.length === 2 && active.every((one) => one.endsWith(siteHash.slice(0, 8)));
}
