/**
 * Judges mutants, one after the other: for each, the modules that come by the place that is changed are loaded anew. Its arguments
 * are the file of the questions and the file of its work; without work it says which questions come by which code.
 *
 * It writes one line, as JSON, for each question that it begins (a number) and for each mutant that it is done with (a `Finding`).
 */
import { readFileSync, writeSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Judgement, Question } from './judged.ts';

export interface Finding {
  readonly found: 'disagreement' | 'crash' | 'less is said' | null;
  readonly how: string;
}

/** One place changed, and the questions it is asked, by their numbers: in this order, until one shows it. */
export interface Work {
  readonly url: string;
  readonly at: number;
  readonly was: string;
  readonly is: string;
  readonly questions: readonly number[];
}

/** What a question is without any change, and the code it comes by: offsets from, to and count, by file. */
export interface Passed {
  readonly judgement: Judgement;
  readonly cpuMs: number;
  readonly ranges: Readonly<Record<string, readonly (readonly [number, number, number])[]>>;
}

/** Lines of the work that is done without change: first what loading comes by, then each question. */
export type Reach = Pick<Passed, 'ranges'> | Passed;

interface Door {
  judged(question: Question): Judgement;
}

const [questionsFile = '', workFile] = process.argv.slice(2);
const root = `${pathToFileURL(join(import.meta.dirname, '../..')).href}/`;
const entry = `${root}proofs/mutants/judged.ts`;

/** Who imports a module, by address without its number. */
const importers = new Map<string, Set<string>>();
const sources = new Map<string, string>();
let planted: Work | null = null;
let anew = new Set<string>();
let number = 0;

const bare = (url: string) => url.replace(/\?mutant=\d+$/, '');
const isOurs = (url: string) => url.startsWith(root) && !url.includes('/node_modules/');

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const url = bare(found.url);
    if (!isOurs(url)) return found;
    const known = importers.get(url) ?? new Set();
    importers.set(url, known);
    if (context.parentURL) known.add(bare(context.parentURL));
    return anew.has(url) ? { ...found, url: `${url}?mutant=${number}` } : { ...found, url };
  },
  load(address, context, next) {
    const url = bare(address);
    if (!isOurs(url) || !url.endsWith('.ts')) return next(address, context);
    return { format: 'module', shortCircuit: true, source: sourceOf(url) };
  },
});

function sourceOf(url: string): string {
  if (planted?.url === url) {
    const text = readFileSync(fileURLToPath(url), 'utf8');
    const { at, was, is } = planted;
    return stripTypeScriptTypes(text.slice(0, at) + is + text.slice(at + was.length));
  }
  const known = sources.get(url) ?? stripTypeScriptTypes(readFileSync(fileURLToPath(url), 'utf8'));
  sources.set(url, known);
  return known;
}

const questions = JSON.parse(readFileSync(questionsFile, 'utf8')) as readonly Question[];
const say = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`);

if (workFile === undefined) await passAll();
else {
  const expected = JSON.parse(readFileSync(workFile, 'utf8')) as {
    readonly open: readonly number[];
    readonly work: readonly Work[];
  };
  await import(entry);
  for (const one of expected.work) say(await tried(one, expected.open));
}

async function passAll(): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const ranges = async (): Promise<Passed['ranges']> => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    return Object.fromEntries(
      result
        .filter(({ url }) => url.includes('/src/'))
        .map(({ url, functions }) => [
          bare(url),
          functions.flatMap((one) =>
            one.ranges.map(({ startOffset, endOffset, count }) => [startOffset, endOffset, count] as const),
          ),
        ]),
    );
  };
  const { judged }: Door = await import(entry);
  say({ ranges: await ranges() });
  for (const question of questions) {
    const began = process.cpuUsage();
    const judgement = judged(question);
    const { user, system } = process.cpuUsage(began);
    say({ judgement, cpuMs: (user + system) / 1_000, ranges: await ranges() });
  }
}

/** All that imports it, by however many steps. */
function aboveOf(url: string): Set<string> {
  const found = new Set([url]);
  for (const one of found) for (const by of importers.get(one) ?? []) if (isOurs(by)) found.add(by);
  return found;
}

async function tried(work: Work, open: readonly number[]): Promise<Finding> {
  planted = work;
  anew = aboveOf(work.url);
  number += 1;
  try {
    const { judged }: Door = await import(`${entry}?mutant=${number}`);
    for (const at of work.questions) {
      const question = questions[at];
      if (question === undefined) continue;
      say(at);
      const { wrong, open: left } = judged(question);
      if (wrong !== null) return { found: 'disagreement', how: `question ${at}: ${wrong}` };
      if (left > (open[at] ?? 0))
        return { found: 'less is said', how: `question ${at}: ${left}, not ${open[at]}` };
    }
  } catch (error) {
    return { found: 'crash', how: String(error).split('\n')[0] ?? '' };
  }
  return { found: null, how: '' };
}
