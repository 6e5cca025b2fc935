/** Processes that judge mutants, several mutants each, with a limit on how long one question may take. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Expected, Finding, Judging, Passed, Passing, Reach, Work } from './child.ts';
import type { Question } from './judged.ts';
import type { Mutant } from './mutants.ts';

/** A model that works so long on one question, or on being loaded, hangs: processor time, so that a busy machine changes nothing. */
const cpuSecondsMax = 15;
/** Without a change it may take longer, and more is written down. */
const passSecondsMax = 300;
const lookedAtMs = 500;
const memoryMb = 2_000;
const workPerProcess = 24;

export interface Reached {
  /** By the numbers of the questions. */
  readonly passed: readonly Passed[];
  /** For each mutant, the questions that come by its place: the quickest first. */
  readonly by: readonly (readonly number[])[];
}

/** Asks all questions of the model as it stands. */
export async function reachOf(
  folder: string,
  file: string,
  count: number,
  all: readonly Mutant[],
  together: number,
): Promise<Reached> {
  const places = all.map(({ url, at }) => ({ url, at }));
  const loaded = new Set<number>();
  const passed: Passed[] = [];
  await Promise.all(
    Array.from({ length: together }, async (_, worker) => {
      const questions = Array.from({ length: count }, (__, at) => at).filter(
        (at) => at % together === worker,
      );
      const workFile = join(folder, `pass${worker}.json`);
      writeFileSync(workFile, JSON.stringify({ places, questions } satisfies Passing));
      await run([file, workFile], passSecondsMax, (line) => {
        const one = line as Reach;
        if ('question' in one) passed[one.question] = one;
        else for (const number of one.reached) loaded.add(number);
      });
    }),
  );
  const broken = Array.from({ length: count }, (_, at) => at).filter((at) => passed[at] === undefined);
  if (broken.length > 0) throw new Error(`the model itself broke off at question ${broken[0]} of ${count}`);
  const by = all.map((): number[] => []);
  for (const { question, reached } of passed.toSorted((a, b) => a.cpuMs - b.cpuMs))
    for (const number of new Set([...reached, ...loaded])) by[number]?.push(question);
  return { passed, by };
}

export interface Job {
  readonly mutant: Mutant;
  readonly questions: readonly number[];
}

/** In the order of the jobs. */
export async function triedAll(
  folder: string,
  file: string,
  expected: readonly Expected[],
  jobs: readonly Job[],
  together: number,
  told: (job: Job, finding: Finding) => void,
): Promise<void> {
  const batches = Array.from({ length: Math.ceil(jobs.length / workPerProcess) }, (_, index) =>
    jobs.slice(index * workPerProcess, (index + 1) * workPerProcess),
  ).values();
  const worker = async (number: number) => {
    const workFile = join(folder, `work${number}.json`);
    for (const batch of batches)
      for (let left = batch; left.length > 0; ) {
        const batch = left;
        const done = await batchOf(file, workFile, expected, batch, (finding, index) => {
          const job = batch[index];
          if (job) told(job, finding);
        });
        left = batch.slice(done);
      }
  };
  await Promise.all(Array.from({ length: together }, (_, number) => worker(number)));
}

/** How many were told, one at least: a process that does not come to its end was ended by the one behind those. */
async function batchOf(
  file: string,
  workFile: string,
  expected: readonly Expected[],
  jobs: readonly Job[],
  told: (finding: Finding, index: number) => void,
): Promise<number> {
  const work = jobs.map(
    ({ mutant: { url, at, was, is }, questions }): Work => ({ url, at, was, is, questions }),
  );
  writeFileSync(workFile, JSON.stringify({ expected, work } satisfies Judging));
  let done = 0;
  const late = await run([file, workFile], cpuSecondsMax, (line) => {
    if (typeof line !== 'object') return;
    told(line as Finding, done);
    done += 1;
  });
  if (done === jobs.length) return done;
  const how = late ? `no end within ${cpuSecondsMax} s` : 'the process ended';
  // What has gathered in a process is not the fault of the one that it ended at.
  if (!late && done > 0) return done;
  told({ found: 'crash', how }, done);
  return done + 1;
}

/** True: it worked for too long without a word, and was killed. */
function run(args: readonly string[], secondsMax: number, heard: (line: unknown) => void): Promise<boolean> {
  const script = join(import.meta.dirname, 'child.ts');
  const options = [`--max-old-space-size=${memoryMb}`, '--disable-warning=ExperimentalWarning', script];
  const child = spawn(process.execPath, [...options, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  let late = false;
  let [before, hasSpoken] = [0, false];
  const timer = setInterval(() => {
    const now = worked(child.pid);
    if (hasSpoken) before = now;
    hasSpoken = false;
    if (now - before < secondsMax) return;
    late = true;
    child.kill('SIGKILL');
  }, lookedAtMs);
  createInterface({ input: child.stdout }).on('line', (line) => {
    hasSpoken = true;
    heard(JSON.parse(line));
  });
  return new Promise((done) => {
    child.on('close', () => {
      clearInterval(timer);
      done(late);
    });
  });
}

const ticksPerSecond = 100;

/** Seconds of processor time so far; 0 where the process is gone. */
function worked(pid: number | undefined): number {
  try {
    const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const fields = rest.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return 0;
  }
}

export const questionsFile = (folder: string, questions: readonly Question[]): string => {
  const file = join(folder, 'questions.json');
  writeFileSync(file, JSON.stringify(questions));
  return file;
};
