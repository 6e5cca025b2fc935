/** A failing input, made smaller as long as it still fails in the same way. */
import type { BoundedChild } from '../bounded.ts';
import type { Answer, Input } from './child.ts';

const triesMax = 60;
const shownMax = 1_500;
const msMax = 60_000;

/** Its text, as small as it was made; empty where it has none that can be shown. */
export async function smallest(
  worker: BoundedChild<Input, Answer>,
  input: Input,
  kind: 'done' | 'late' | 'died',
): Promise<string> {
  const [name, content] = Object.entries(input.files).findLast(([, one]) => one instanceof Uint8Array) ?? [];
  if (name === undefined || !(content instanceof Uint8Array)) return '';
  let lines = Buffer.from(content).toString('latin1').split('\n');
  // What hangs takes its whole time at each try.
  let tries = kind === 'late' ? 0 : triesMax;
  for (let size = lines.length >> 1; size >= 1 && tries > 0; size >>= 1)
    for (let at = 0; at < lines.length && tries > 0; ) {
      const fewer = lines.toSpliced(at, size);
      tries -= 1;
      const files = { ...input.files, [name]: Buffer.from(fewer.join('\n'), 'latin1') };
      const outcome = await worker.run({ ...input, files }, msMax);
      const fails = outcome.kind === kind && (outcome.kind !== 'done' || outcome.result.faults.length > 0);
      if (fails) lines = fewer;
      else at += size;
    }
  return `${name}:\n${lines.join('\n').slice(0, shownMax)}\n`;
}
