/**
 * `npm run prove:located [-- --only WORDS]`: injected faults, one after the other, on two balancers under `holdfast up`, each
 * machine of the site a network namespace: what visitors got, when it was seen, and what was said to be its cause.
 */
import { parseArgs } from 'node:util';
import { changeFaults, queueFaults, twoFaults } from './located/change-faults.ts';
import { engineFaults } from './located/engine-faults.ts';
import type { Fault } from './located/fault.ts';
import { type Engines, openField } from './located/field.ts';
import { type Judged, judge, type Naming } from './located/judge.ts';
import { networkFaults } from './located/network-faults.ts';
import { serverFaults } from './located/server-faults.ts';
import { type Proof, prove } from './proof.ts';

interface Chapter {
  readonly name: string;
  readonly engines: Engines;
  readonly faults: readonly Fault[];
}

/** At the same time, each on machines of its own: most of the time of a fault is waiting for its end. */
const chapters: readonly Chapter[] = [
  { name: 'servers', engines: 'haproxy and nginx', faults: serverFaults },
  { name: 'around', engines: 'haproxy and nginx', faults: [...networkFaults, ...engineFaults] },
  { name: 'changes', engines: 'haproxy and nginx', faults: [...twoFaults, ...changeFaults] },
  { name: 'queues', engines: 'haproxy twice', faults: queueFaults },
];
const atOnce = 2;
/** With nothing injected. */
const controlMs = 60_000;
/** What is usual must be known before something is unusual. */
const settleMs = 10_000;
const locatedMsMax = 2_000;

const namings: Readonly<Record<Naming, string>> = {
  right: 'right',
  between: 'honest: it is among what may be',
  wrong: 'WRONG',
  unseen: 'NOT SEEN',
};

function tell(proof: Proof, { name }: Fault, one: Judged): void {
  proof.say(`${name}: ${namings[one.naming]}`);
  proof.say(`    users: ${one.users}`);
  const of = one.firstBadMs === null ? 'after it happened' : `after the first bad answer`;
  if (one.seenMs !== null)
    proof.say(`    seen ${one.seenMs} ms ${of}, located ${one.locatedMs ?? '-'} ms after that`);
  if (one.said !== '') proof.say(`    said: ${one.said}`);
  for (const line of one.more) proof.say(`    ${line}`);
}

await prove('located', async (proof) => {
  const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean' } } });
  const only = new RegExp(values.only ?? '');
  const chosen = chapters
    .map((chapter) => ({ ...chapter, faults: chapter.faults.filter(({ name }) => only.test(name)) }))
    .filter(({ faults }) => faults.length > 0);
  if (chosen.length === 0) throw new Error(`no fault has "${values.only}" in its name`);
  const waiting = [...chosen];
  const judged = new Map<Fault, Judged>();
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift())
      await chapterOf(proof, next, values.only === undefined ? controlMs : settleMs, judged);
  };
  // Whoever fails, the others end what they have started.
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  summary(proof, [...judged.keys()], [...judged.values()]);
});

async function chapterOf(
  proof: Proof,
  { name, engines, faults }: Chapter,
  waitMs: number,
  judged: Map<Fault, Judged>,
): Promise<void> {
  const field = await openField(engines);
  try {
    const book = judge(field);
    await book.settled();
    const told = await book.quiet(waitMs);
    const control = `false alarms in ${waitMs / 1_000} s without a fault (${name}: ${engines})`;
    proof.atMost(control, told.length, 0);
    for (const fault of faults) {
      const one = await book.run(fault);
      judged.set(fault, one);
      tell(proof, fault, one);
    }
  } finally {
    await field.close();
  }
}

function summary(proof: Proof, chosen: readonly Fault[], judged: readonly Judged[]): void {
  const of = (naming: Naming) =>
    judged.filter((one, at) => chosen[at]?.is !== null && one.naming === naming).length;
  const all = chosen.filter(({ is }) => is !== null).length;
  const quiet = judged.filter((one, at) => chosen[at]?.is === null && one.naming !== 'right').length;
  if (all > 0) {
    proof.tell(`of ${all} faults: named right`, of('right'));
    proof.tell('  honest: between these', of('between'));
    proof.tell('  not seen', of('unseen'));
    proof.atLeast('share that is named right', of('right') / all, 0.95);
    proof.atMost('named wrong', of('wrong'), 0);
  }
  if (all < chosen.length) proof.atMost(`alarms for ${chosen.length - all} clients that misbehave`, quiet, 0);
  const times = judged
    .flatMap(({ locatedMs }) => (locatedMs === null ? [] : [locatedMs]))
    .toSorted((a, b) => a - b);
  if (times.length === 0) return;
  proof.tell('from alarm to verdict, median ms', times[Math.floor(times.length / 2)] ?? 0);
  proof.atMost('from alarm to verdict, worst ms', times.at(-1) ?? 0, locatedMsMax);
  const seen = judged
    .flatMap(({ seenMs, firstBadMs }) => (seenMs === null || firstBadMs === null ? [] : [seenMs]))
    .toSorted((a, b) => a - b);
  proof.tell('from the first bad answer to the alarm, median ms', seen[Math.floor(seen.length / 2)] ?? 0);
  proof.tell('  worst ms', seen.at(-1) ?? 0);
}
