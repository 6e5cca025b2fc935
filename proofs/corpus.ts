/**
 * `npm run prove:corpus -- DIR`: any folder of real files and of edits of them (docs/proofs.md says how it may be laid out):
 * each is understood or not and at which line, accepted by the real engine or not, the same when it is written otherwise, and
 * what an edit changes is confirmed by the real engine, old and new.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bounded, runAll } from './bounded.ts';
import type { Job, Report } from './corpus/child.ts';
import { type Case, findCases } from './corpus/find.ts';
import { type Judged, lineOf, tellAll } from './corpus/tell.ts';
import { type Proof, prove } from './proof.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    /** Of all cases: past it the rest is not looked at, which is told. */
    minutes: { type: 'string', default: '15' },
    /** Outcomes are kept there, and what is in it is not done again. */
    keep: { type: 'string' },
    /** A part of a case's name. */
    only: { type: 'string' },
    json: { type: 'boolean' },
  },
});

const child = resolve(import.meta.dirname, 'corpus/child.ts');
const ours = resolve(import.meta.dirname, '../test/golden');
const caseMsMax = 120_000;
const limits = { msMax: caseMsMax, heapMegabytesMax: 1_024, atOnce: Math.min(4, availableParallelism()) };
const progressMs = 15_000;

await prove('corpus', async (proof) => {
  const [given] = positionals;
  if (given === undefined)
    proof.say('No folder is named, so our own texts are taken: npm run prove:corpus -- DIR');
  const folder = resolve(given ?? ours);
  const found = findCases(folder);
  const cases = found.cases.filter(({ name }) => values.only === undefined || name.includes(values.only));
  proof.say(
    `${folder}: ${cases.length} cases, ${found.parts} files are parts of others, ${found.aside} are no configurations by their names`,
  );
  const done = kept();
  await lookAtAll(proof, { folder, files: found.files }, cases, done);
  tellAll(proof, cases, done, limits);
});

/** What an earlier run found, by name. A line that was cut off is one that was not written. */
function kept(): Map<string, Judged> {
  if (values.keep === undefined || !existsSync(values.keep)) return new Map();
  const lines = readFileSync(values.keep, 'utf8').split('\n').slice(0, -1);
  return new Map(lines.map((line) => JSON.parse(line) as [string, Judged]));
}

async function lookAtAll(
  proof: Proof,
  { folder, files }: { readonly folder: string; readonly files: readonly string[] },
  cases: readonly Case[],
  done: Map<string, Judged>,
): Promise<void> {
  const left = cases.filter(({ name }) => !done.has(name));
  const began = performance.now();
  const overAt = began + Number(values.minutes) * 60_000;
  let told = began;
  const jobs = left.map((one): Job => ({ folder, files, one, seed: Number(values.seed) }));
  await runAll<Job, Report>(
    child,
    jobs,
    { ...limits, until: () => performance.now() < overAt },
    ({ one }, outcome) => {
      const judged = judgedOf(outcome);
      done.set(one.name, judged);
      if (values.keep !== undefined) appendFileSync(values.keep, `${JSON.stringify([one.name, judged])}\n`);
      for (const line of lineOf(one, judged)) proof.say(line);
      if (performance.now() - told < progressMs) return;
      told = performance.now();
      process.stderr.write(`${done.size} of ${cases.length} cases, ${Math.round((told - began) / 1000)} s\n`);
    },
  );
}

function judgedOf(outcome: Bounded<Report>): Judged {
  if (outcome.kind === 'late') return { kind: 'late', ms: outcome.ms };
  if (outcome.kind === 'died') return { kind: 'crashed', said: outcome.said, ms: outcome.ms };
  const { result, ms } = outcome;
  if ('crashed' in result) return { kind: 'crashed', said: String(result.crashed), ms };
  return { kind: 'done', report: result, ms };
}
