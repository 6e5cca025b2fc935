/**
 * `npm run prove:mutants -- --seed N --mutants N [--decisions N] [--only PATH]`: bugs are planted in the model, one at a time,
 * and have to be found: by what real engines did with many texts, which is recorded once, by lines that they refuse, and by asking
 * both sides of a comparison; those in what a plan tells people, by its tests. A mutant whose place no question comes by counts as
 * not found. Nothing may be found where nothing is planted, and a plain mistake has to be.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Finding } from './mutants/child.ts';
import { controls } from './mutants/controls.ts';
import { whyExcluded } from './mutants/excluded.ts';
import { isProgram, type Mutant, mutants } from './mutants/mutants.ts';
import { questionsOf } from './mutants/questions.ts';
import { type Job, questionsFile, reachOf, triedAll } from './mutants/runs.ts';
import { isTested, testedAll } from './mutants/tested.ts';
import { type Proof, prove } from './proof.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    mutants: { type: 'string', default: '200' },
    /** Of each engine, recorded. */
    decisions: { type: 'string', default: '12800' },
    /** Only mutants of files whose path begins so. */
    only: { type: 'string', default: '' },
    /** Processes at a time. */
    together: { type: 'string', default: '2' },
    json: { type: 'boolean' },
  },
});

const foundShareLeast = 95;
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
  const together = Number(values.together);
  const questions = await questionsOf(seed, Number(values.decisions), (name, count) =>
    proof.tell(name, count),
  );
  const file = questionsFile(folder, questions);
  const { chosen, excluded } = drawn(seed);
  const { nothing, wrong: mistakes } = controls(values.only);
  const all = [...nothing, ...mistakes, ...chosen];
  const asked = all.filter((mutant) => !isTested(mutant));
  const { passed, by } = await reachOf(folder, file, questions.length, asked, together);
  const wrong = passed.filter(({ judgement }) => judgement.wrong !== null);
  for (const { question, judgement } of wrong.slice(0, 5))
    proof.say(`    question ${question}, without a bug: ${judgement.wrong}`);
  proof.atMost('questions that are answered wrong without a bug', wrong.length, 0);
  const isAsked = passed.map(
    ({ judgement, cpuMs, question }) =>
      judgement.wrong === null && (cpuMs < comparisonMsMax || questions[question]?.kind === 'decided'),
  );
  const slow = passed.filter(({ judgement, question }) => judgement.wrong === null && !isAsked[question]);
  proof.tell('comparisons that take too long: left out', slow.length);
  const jobs = asked.map(
    (mutant, at): Job => ({ mutant, questions: (by[at] ?? []).filter((one) => isAsked[one]) }),
  );
  const results = new Map<Mutant, Finding>();
  const heard = (mutant: Mutant, finding: Finding) => {
    results.set(mutant, finding);
    if (finding.found === null && !nothing.includes(mutant))
      proof.say(`    ${shown(mutant)}${finding.how === '' ? '' : `: ${finding.how}`}`);
  };
  for (const { mutant, questions: some } of jobs)
    if (some.length === 0) heard(mutant, { found: null, how: 'no question comes by' });
  await triedAll(
    folder,
    file,
    passed.map(({ judgement: { open, work } }) => ({ open, work })),
    jobs.filter((job) => job.questions.length > 0),
    together,
    ({ mutant }, finding) => heard(mutant, finding),
  );
  await testedAll(all.filter(isTested), together, heard);
  const ofThese = (some: readonly Mutant[]) =>
    some.flatMap((mutant): Tried[] => [{ mutant, finding: results.get(mutant) ?? notTried }]);
  controlled(proof, ofThese(nothing), ofThese(mistakes));
  told(proof, ofThese(chosen), excluded);
}

const notTried: Finding = { found: null, how: 'not tried' };

function controlled(proof: Proof, nothing: readonly Tried[], mistakes: readonly Tried[]): void {
  for (const { mutant, finding } of nothing)
    if (finding.found !== null)
      proof.say(`    nothing is planted in ${mutant.file}, and found: ${finding.found}, ${finding.how}`);
  const isFound = ({ finding }: Tried) => finding.found !== null;
  proof.atMost(`found where nothing is planted, ${nothing.length} times`, nothing.filter(isFound).length, 0);
  proof.atLeast('plain mistakes that are found', mistakes.filter(isFound).length, mistakes.length);
}

interface Tried {
  readonly mutant: Mutant;
  readonly finding: Finding;
}

/** So many that are to be found, and those that were left out on the way. */
function drawn(seed: number): {
  readonly chosen: readonly Mutant[];
  readonly excluded: ReadonlyMap<string, number>;
} {
  const chosen: Mutant[] = [];
  const excluded = new Map<string, number>();
  for (const mutant of mutants(seed)) {
    if (chosen.length >= Number(values.mutants)) break;
    if (!mutant.file.startsWith(values.only) || !isProgram(mutant)) continue;
    const why = whyExcluded(mutant);
    if (why !== null) excluded.set(why, (excluded.get(why) ?? 0) + 1);
    else chosen.push(mutant);
  }
  return { chosen, excluded };
}

function shown({ file, line, rule, was, is, text }: Mutant): string {
  return `${file}:${line} ${rule}: ${JSON.stringify(was.slice(0, 60))} to ${JSON.stringify(is.slice(0, 60))}\n        ${text}`;
}

function told(proof: Proof, results: readonly Tried[], excluded: ReadonlyMap<string, number>): void {
  const share = (some: readonly Tried[]) =>
    `${some.filter(({ finding }) => finding.found).length} of ${some.length}`;
  for (const [area, some] of Map.groupBy(results, ({ mutant }) => mutant.area))
    proof.tell(`found: ${area}`, share(some));
  for (const [rule, some] of Map.groupBy(results, ({ mutant }) => mutant.rule))
    proof.tell(`found: ${rule}`, share(some));
  for (const [how, some] of Map.groupBy(
    results,
    ({ finding }) => finding.found ?? (finding.how || 'not found'),
  ))
    proof.tell(`how: ${how}`, some.length);
  for (const [why, count] of excluded) proof.tell(`left out: ${why}`, count);
  const found = results.filter(({ finding }) => finding.found).length;
  const [low, high] = intervalOf(found, results.length);
  proof.tell('of all mutants, with 95 % confidence', `${low.toFixed(1)} to ${high.toFixed(1)} %`);
  proof.atLeast(`found of ${results.length} mutants`, (100 * found) / results.length, foundShareLeast, '%');
}

/** Wilson's interval, in percent. */
function intervalOf(found: number, of: number): readonly [number, number] {
  const z = 1.96;
  const share = found / of;
  const middle = share + z ** 2 / (2 * of);
  const reach = z * Math.sqrt((share * (1 - share)) / of + z ** 2 / (4 * of ** 2));
  return [(100 * (middle - reach)) / (1 + z ** 2 / of), (100 * (middle + reach)) / (1 + z ** 2 / of)];
}
