/**
 * `npm run prove:mutants -- --seed N --mutants N [--decisions N] [--only PATH]`: bugs are planted in the model, one at a time,
 * and have to be found: by what real engines did with many texts, which is recorded once, by lines that they refuse, and by asking
 * both sides of a comparison. A mutant whose place no question comes by counts as not found.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Finding } from './mutants/child.ts';
import { whyExcluded } from './mutants/excluded.ts';
import type { Question } from './mutants/judged.ts';
import { pointedMeanings, ruledMeanings } from './mutants/meanings.ts';
import { isProgram, type Mutant, mutants } from './mutants/mutants.ts';
import { refusedTexts } from './mutants/refused.ts';
import { type Job, questionsFile, reachOf, triedAll } from './mutants/runs.ts';
import { pairsOf, record } from './mutants/tape.ts';
import { type Proof, prove } from './proof.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    mutants: { type: 'string', default: '320' },
    /** Of each engine, recorded. */
    decisions: { type: 'string', default: '9600' },
    /** Only mutants of files whose path begins so. */
    only: { type: 'string', default: '' },
    /** Processes at a time. */
    together: { type: 'string', default: '2' },
    json: { type: 'boolean' },
  },
});

const foundShareLeast = 95;
/** Of the shortest texts: long ones need seconds. */
const pairsMax = 200;
const ruledCount = 100;
const pointedCount = 500;
/** A comparison that takes longer as it stands is not asked. */
const comparisonMsMax = 2_000;

await prove('mutants', async (proof) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'));
  try {
    await run(proof, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function run(proof: Proof, folder: string): Promise<void> {
  const seed = Number(values.seed);
  const questions = await questionsOf(proof, seed);
  const file = questionsFile(folder, questions);
  const reached = await reachOf(file, questions.length);
  const wrong = reached.passed.flatMap(({ judgement }, at) =>
    judgement.wrong === null ? [] : [{ at, judgement }],
  );
  for (const { at, judgement } of wrong.slice(0, 5))
    proof.say(`    question ${at}, without a bug: ${judgement.wrong}`);
  proof.atMost('comparisons that are wrong without a bug', wrong.length, 0);
  const isAsked = reached.passed.map(
    ({ judgement, cpuMs }, at) =>
      judgement.wrong === null && (cpuMs < comparisonMsMax || questions[at]?.kind === 'decided'),
  );
  const slow = reached.passed.filter(({ judgement }, at) => judgement.wrong === null && !isAsked[at]);
  proof.tell('comparisons that take too long: left out', slow.length);
  const asked = (mutant: Mutant) => reached.by(mutant).filter((at) => isAsked[at]);
  const { jobs, excluded } = drawn(seed, asked);
  const open = reached.passed.map(({ judgement }) => judgement.open);
  const results: Tried[] = [];
  await triedAll(
    folder,
    file,
    open,
    jobs.filter((job) => job.questions.length > 0),
    Number(values.together),
    (job, finding) => {
      results.push({ job, finding });
      if (finding.found === null) proof.say(`    ${shown(job.mutant)}`);
    },
  );
  const unreached = jobs.filter((job) => job.questions.length === 0);
  for (const { mutant } of unreached) proof.say(`    no question comes by ${shown(mutant)}`);
  told(
    proof,
    [...results, ...unreached.map((job): Tried => ({ job, finding: { found: null, how: 'not reached' } }))],
    excluded,
  );
}

interface Tried {
  readonly job: Job;
  readonly finding: Finding;
}

async function questionsOf(proof: Proof, seed: number): Promise<readonly Question[]> {
  const [haproxy, nginx] = [
    await record('haproxy', seed, Number(values.decisions)),
    await record('nginx', seed, Number(values.decisions)),
  ];
  const meanings = [...pointedMeanings(seed, pointedCount), ...ruledMeanings(seed, ruledCount)];
  const recorded = haproxy.recorded
    .flatMap((one, at) => [one, nginx.recorded[at]].flatMap((it) => it ?? []))
    .concat(nginx.recorded.slice(haproxy.recorded.length));
  const pairs = pairsOf(recorded, pairsMax);
  const { refused, passedOver } = refusedTexts();
  proof.tell('decisions of real engines', haproxy.decisions + nginx.decisions);
  proof.tell('of which the model says wrong as it stands: left out', haproxy.wrong + nginx.wrong);
  proof.tell('comparisons of two texts', pairs.length);
  proof.tell('comparisons of two meanings', meanings.length);
  proof.tell('lines that an engine refuses, and that are said not to be understood', refused.length);
  proof.tell('lines that an engine refuses, passed over: left out', passedOver.length);
  return [...refused, ...meanings, ...recorded, ...pairs];
}

/** So many that are to be found, and those that were left out on the way. */
function drawn(
  seed: number,
  asked: (mutant: Mutant) => readonly number[],
): {
  readonly jobs: readonly Job[];
  readonly excluded: ReadonlyMap<string, number>;
} {
  const jobs: Job[] = [];
  const excluded = new Map<string, number>();
  for (const mutant of mutants(seed)) {
    if (jobs.length >= Number(values.mutants)) break;
    if (!mutant.file.startsWith(values.only) || !isProgram(mutant)) continue;
    const why = whyExcluded(mutant);
    if (why !== null) excluded.set(why, (excluded.get(why) ?? 0) + 1);
    else jobs.push({ mutant, questions: asked(mutant) });
  }
  return { jobs, excluded };
}

function shown({ file, line, rule, was, is, text }: Mutant): string {
  return `${file}:${line} ${rule}: ${JSON.stringify(was.slice(0, 60))} to ${JSON.stringify(is.slice(0, 60))}\n        ${text}`;
}

function told(proof: Proof, results: readonly Tried[], excluded: ReadonlyMap<string, number>): void {
  const share = (some: readonly Tried[]) =>
    `${some.filter(({ finding }) => finding.found).length} of ${some.length}`;
  for (const [area, some] of Map.groupBy(results, ({ job }) => job.mutant.area))
    proof.tell(`found: ${area}`, share(some));
  for (const [rule, some] of Map.groupBy(results, ({ job }) => job.mutant.rule))
    proof.tell(`found: ${rule}`, share(some));
  for (const [how, some] of Map.groupBy(
    results,
    ({ finding }) => finding.found ?? (finding.how || 'not found'),
  ))
    proof.tell(`how: ${how}`, some.length);
  for (const [why, count] of excluded) proof.tell(`left out: ${why}`, count);
  const found = results.filter(({ finding }) => finding.found).length;
  proof.atLeast(`found of ${results.length} mutants`, (100 * found) / results.length, foundShareLeast, '%');
}
