/**
 * Judges mutants, one after the other: for each, the modules that come by the place that is changed are loaded anew. Its arguments
 * are the file of the questions and the file of its work: mutants, or places, of which it says which questions come by them.
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
  readonly found: 'disagreement' | 'crash' | 'less is said' | 'costs more' | 'a test fails' | null;
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

/** What is asked of the model as it stands. */
export interface Passing {
  /** By file. */
  readonly places: readonly { readonly url: string; readonly at: number }[];
  /** By their numbers. */
  readonly questions: readonly number[];
}

/** What mutants are judged by. */
export interface Judging {
  /** Of each question, without any change. */
  readonly expected: readonly Expected[];
  readonly work: readonly Work[];
}

export type Expected = Pick<Judgement, 'open' | 'work'>;

/** What a question is without any change, and the places that it comes by, by their numbers. */
export interface Passed {
  readonly question: number;
  readonly judgement: Judgement;
  readonly cpuMs: number;
  readonly reached: readonly number[];
}

/** Lines of the work that is done without change: first what loading comes by, then each question. */
export type Reach = Pick<Passed, 'reached'> | Passed;

interface Door {
  judged(question: Question): Judgement;
}

const [questionsFile = '', workFile = ''] = process.argv.slice(2);
const root = `${pathToFileURL(join(import.meta.dirname, '../..')).href}/`;
const entry = `${root}proofs/mutants/judged.ts`;

/** To ask what was come by costs as much as a few questions: short ones are asked together. */
const togetherMs = 150;
/** Of one mutant, asked until it is found: then it is given up, and not found. */
const cpuSecondsPerMutantMax = 12;
/** A little more may be by the order of things. */
const workShareMax = 1.05;
const workMore = 200;

/** Who imports a module, by address without its number. */
const importers = new Map<string, Set<string>>();
const sources = new Map<string, string>();
let planted: Work | null = null;
/** The module with the change in it is one that was asked. */
let isLoaded = false;
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
    isLoaded = true;
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

const given = JSON.parse(readFileSync(workFile, 'utf8')) as Passing | Judging;
if ('places' in given) await passAll(given);
else {
  await import(entry);
  for (const one of given.work) say(await tried(one, given.expected));
}

async function passAll({ places, questions: asked }: Passing): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const byUrl = Map.groupBy(
    places.map(({ url, at }, number) => ({ url, at, number })),
    ({ url }) => url,
  );
  const reached = async (): Promise<readonly number[]> => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    return result.flatMap(({ url, functions }) => {
      const here = byUrl.get(bare(url)) ?? [];
      const ranges = here.length === 0 ? [] : functions.flatMap((one) => one.ranges);
      return here.flatMap(({ at, number }) => (isReached(ranges, at) ? [number] : []));
    });
  };
  const { judged }: Door = await import(entry);
  say({ reached: await reached() });
  let waiting: Omit<Passed, 'reached'>[] = [];
  const told = async () => {
    const places = await reached();
    for (const one of waiting) say({ ...one, reached: places } satisfies Passed);
    waiting = [];
  };
  for (const number of asked) {
    const question = questions[number];
    if (question === undefined) continue;
    const began = process.cpuUsage();
    const judgement = judged(question);
    const { user, system } = process.cpuUsage(began);
    waiting.push({ question: number, judgement, cpuMs: (user + system) / 1_000 });
    if (waiting.reduce((sum, { cpuMs }) => sum + cpuMs, 0) > togetherMs) await told();
  }
  await told();
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** As the innermost range says. */
function isReached(ranges: readonly Range[], at: number): boolean {
  let inner: Range | undefined;
  for (const range of ranges)
    if (
      range.startOffset <= at &&
      at < range.endOffset &&
      (!inner || range.endOffset - range.startOffset <= inner.endOffset - inner.startOffset)
    )
      inner = range;
  return inner !== undefined && inner.count > 0;
}

/** All that imports it, by however many steps. */
function aboveOf(url: string): Set<string> {
  const found = new Set([url]);
  for (const one of found) for (const by of importers.get(one) ?? []) if (isOurs(by)) found.add(by);
  return found;
}

async function tried(work: Work, expected: readonly Expected[]): Promise<Finding> {
  planted = work;
  isLoaded = false;
  anew = aboveOf(work.url);
  number += 1;
  const began = process.cpuUsage();
  try {
    const { judged }: Door = await import(`${entry}?mutant=${number}`);
    if (!isLoaded) return { found: null, how: 'it is not loaded anew, so nothing was asked of it' };
    for (const at of work.questions) {
      const question = questions[at];
      if (question === undefined) continue;
      say(at);
      const now = judged(question);
      if (now.wrong !== null) return { found: 'disagreement', how: `question ${at}: ${now.wrong}` };
      const { open, work: usual } = expected[at] ?? { open: 0, work: 0 };
      if (now.open > open) return { found: 'less is said', how: `question ${at}: ${now.open}, not ${open}` };
      if (now.work > workShareMax * usual + workMore)
        return { found: 'costs more', how: `question ${at}: ${now.work}, not ${usual}` };
      const { user, system } = process.cpuUsage(began);
      if (user + system > cpuSecondsPerMutantMax * 1e6)
        return { found: null, how: `not found in ${cpuSecondsPerMutantMax} s` };
    }
  } catch (error) {
    return { found: 'crash', how: String(error).split('\n')[0] ?? '' };
  }
  return { found: null, how: '' };
}
