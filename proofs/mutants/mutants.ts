/** Mutants of the model: which there are, which are drawn, and which of them the differential run finds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EngineName } from '../plan/case.ts';
import { chanceOf } from '../plan/chance.ts';
import type { Finding } from './child.ts';
import { excluded } from './excluded.ts';
import { type Mutation, mutationsOf } from './rules.ts';

export interface Mutant extends Mutation {
  /** From the root of the repository. */
  readonly file: string;
  readonly line: number;
  /** The line as it stands. */
  readonly text: string;
  /** Whose decisions it may change; null: both. */
  readonly engine: EngineName | null;
}

const root = join(import.meta.dirname, '../..');

const places: readonly (readonly [string, EngineName | null])[] = [
  ['src/dialects/haproxy/lift', 'haproxy'],
  ['src/dialects/nginx/lift', 'nginx'],
  ['src/routing/meaning', null],
];

/** All there are, in an order that a seed decides. */
export function mutants(seed: number): readonly Mutant[] {
  const all = places.flatMap(([folder, engine]) =>
    filesIn(join(root, folder))
      .map((path) => relative(root, path))
      .filter((file) => !excluded.some(({ path }) => file.startsWith(path)))
      .flatMap((file) => {
        const text = readFileSync(join(root, file), 'utf8');
        return mutationsOf(text).map((one) => ({ ...one, file, engine, ...lineAt(text, one.at) }));
      }),
  );
  const chance = chanceOf(seed);
  return all
    .map((one) => ({ one, order: chance.below(2 ** 31) }))
    .sort((a, b) => a.order - b.order)
    .map(({ one }) => one);
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name));
}

function lineAt(text: string, at: number): { readonly line: number; readonly text: string } {
  const from = text.lastIndexOf('\n', at) + 1;
  const end = text.indexOf('\n', at);
  return {
    line: text.slice(0, at).split('\n').length,
    text: text.slice(from, end < 0 ? undefined : end).trim(),
  };
}

const childMsMax = 60_000;

/** What the run says of a mutant. One that takes too long is found: so would a person. */
export async function tried({ file, at, was, is }: Mutant, tape: string): Promise<Finding> {
  const url = pathToFileURL(join(root, file)).href;
  const { text, late } = await child([tape, url, String(at), String(was.length), is]);
  if (late) return { found: 'crash', how: `no end within ${childMsMax / 1000} s` };
  return text === '' ? { found: 'crash', how: 'it ended without a word' } : JSON.parse(text);
}

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** Whether the decisions on a tape come by the place of a mutant at all. */
export async function reachOf(tape: string): Promise<(mutant: Mutant) => boolean> {
  const { text } = await child([tape, '-']);
  const seen: readonly { readonly url: string; readonly ranges: readonly Range[] }[] = JSON.parse(text);
  const byUrl = new Map(seen.map(({ url, ranges }) => [url, ranges]));
  return ({ file, at }) => {
    const around = (byUrl.get(pathToFileURL(join(root, file)).href) ?? []).filter(
      ({ startOffset, endOffset }) => startOffset <= at && at < endOffset,
    );
    const [inner] = around.toSorted((a, b) => a.endOffset - a.startOffset - (b.endOffset - b.startOffset));
    return inner !== undefined && inner.count > 0;
  };
}

function child(args: readonly string[]): Promise<{ readonly text: string; readonly late: boolean }> {
  const script = join(import.meta.dirname, 'child.ts');
  const running: ChildProcess = spawn(process.execPath, ['--max-old-space-size=1500', script, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new Promise((done) => {
    let text = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      running.kill('SIGKILL');
    }, childMsMax);
    running.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    running.on('close', () => {
      clearTimeout(timer);
      done({ text, late });
    });
  });
}
