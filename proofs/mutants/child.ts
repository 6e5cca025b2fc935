/**
 * One mutant: this process loads the model with one place changed, and judges what the engines did by it. Its arguments are the
 * tape, the file that is changed (or `-`, and it says what code the tape reaches), the place, and the length and text of the change.
 */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Recorded } from './tape.ts';

export type Finding =
  | { readonly found: 'disagreement' | 'crash' | 'less is said'; readonly how: string }
  | { readonly found: null };

const [tapeFile = '', file = '', at = '0', length = '0', by = ''] = process.argv.slice(2);

registerHooks({
  load(url, context, next) {
    if (url !== file) return next(url, context);
    const text = readFileSync(fileURLToPath(url), 'utf8');
    const from = Number(at);
    return {
      format: 'module-typescript',
      shortCircuit: true,
      source: text.slice(0, from) + by + text.slice(from + Number(length)),
    };
  },
});

const session = new Session();
if (file === '-') {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
}
const finding = await found();
if (file === '-') {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const ours = result.filter(({ url }) => url.includes('/src/'));
  process.stdout.write(
    JSON.stringify(
      ours.map(({ url, functions }) => ({ url, ranges: functions.flatMap(({ ranges }) => ranges) })),
    ),
  );
} else process.stdout.write(JSON.stringify(finding));

async function found(): Promise<Finding> {
  const tape: readonly Recorded[] = JSON.parse(readFileSync(tapeFile, 'utf8'));
  try {
    const { judged } = await import('./tape.ts');
    for (const one of tape) {
      const { wrong, open } = judged(one);
      if (wrong !== null) return { found: 'disagreement', how: wrong };
      if (open > one.open) return { found: 'less is said', how: `${open} of its decisions, not ${one.open}` };
    }
  } catch (error) {
    return { found: 'crash', how: String(error).split('\n')[0] ?? '' };
  }
  return { found: null };
}
