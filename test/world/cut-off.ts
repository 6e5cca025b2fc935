/** Adoptions and handings back that are killed in the middle. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parentOf } from '../../src/agent/adopt/processes.ts';
import { type Adopted, beginAdopt, untilAdopted } from './adopted.ts';
import { ask } from './ask.ts';
import { startOrigin } from './origins.ts';
import { until } from './stack.ts';
import { type Manner, startTheirs, type Theirs } from './theirs.ts';
import { underLoad } from './under-load.ts';
import { makeFolders } from './up.ts';

export const stepMsMax = 120_000;
const wait = ['--wait', '2'] as const;

/** The team's engine under load, of which no request may fail, and an adoption that has begun. */
export async function begun(
  manner: Manner,
  use: (theirs: Theirs, first: Adopted) => Promise<void>,
): Promise<void> {
  const origin = await startOrigin({ name: 'web-1' });
  const theirs = await startTheirs({ manner, origins: [{ name: 'web-1', port: origin.port }] });
  const first = beginAdopt(theirs, makeFolders(), ...wait);
  try {
    await underLoad(theirs, () => use(theirs, first));
  } finally {
    await first.close();
    await theirs.close();
    await origin.close();
  }
}

/** Resolves when it has said this, or has ended. */
export async function saying(
  { adopt: { out, child } }: Pick<Adopted, 'adopt'>,
  words: string,
): Promise<void> {
  await until(words, async () => out().includes(words) || child.exitCode !== null, stepMsMax);
}

/** Our own processes by what they are: `holder`, `agent`, ... Two of a kind would be one too many. */
function kinds(adopted: Adopted): string[] {
  return adopted
    .ours()
    .map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0'))
    .flatMap((words) => words.find((word) => /^(?:holder|agent|controller|adopt|release)$/.test(word)) ?? [])
    .toSorted();
}

/** `holdfast adopt` once more: then ours serves, once, and the team's engine has ended. */
export async function finishedByAdopt(theirs: Theirs, { folders }: Adopted): Promise<Adopted> {
  const again = beginAdopt(theirs, folders, ...wait);
  await untilAdopted(again);
  assert.deepEqual(kinds(again), ['adopt', 'agent', 'controller', 'holder']);
  await until('the end of the team’s processes', async () => theirs.processes().length === 0);
  assert.equal((await ask(theirs.http)).body, 'web-1\n');
  return again;
}

/** The team's engine serves, once, and nothing of ours is left. */
export async function handedBack(theirs: Theirs, adopted: Adopted): Promise<void> {
  await until('nothing of ours', async () => adopted.ours().length === 0);
  const all = theirs.processes();
  const [main = 0, ...more] = all.filter((pid) => !all.includes(parentOf(pid)));
  assert.ok(main > 0);
  assert.deepEqual(more, [], 'the team’s engine runs once');
  theirs.knows(main);
  assert.equal((await ask(theirs.http)).body, 'web-1\n');
}
