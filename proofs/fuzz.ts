/**
 * `npm run prove:fuzz -- [DIR] --seed N --inputs N`: texts that are known to be hard, and texts that were changed at random,
 * by `plan`, `explain` and `check` in a child with limits. Each gets an answer with its place in bounded time and memory.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz/run.ts';
import { prove } from './proof.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    inputs: { type: 'string', default: '1000' },
    /** A part of an input's name; only these. */
    only: { type: 'string', default: '' },
    json: { type: 'boolean' },
  },
});

await prove('fuzz', async (proof) => {
  const [folder] = positionals;
  const outcome = await fuzz({
    folder: folder === undefined ? null : resolve(folder),
    seed: Number(values.seed),
    inputs: Number(values.inputs),
    only: values.only,
    say: proof.say,
  });
  proof.tell('texts to start from', outcome.seeds);
  proof.atLeast('inputs', outcome.inputs, 1);
  proof.tell('commands', outcome.commands);
  proof.tell('the longest command', outcome.longestMs);
  proof.tell('that was', outcome.longest);
  proof.atMost('inputs that were answered wrongly, or made it crash', outcome.wrong, 0);
  proof.atMost('inputs that passed the limit of time', outcome.late, 0);
  proof.atMost('inputs that passed the limit of memory, or ended the process', outcome.died, 0);
  proof.atMost('memory of a process, at most', outcome.residentMegabytes, 4 * 1_024, 'MB');
});
