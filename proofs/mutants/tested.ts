/** Mutants of what a plan tells people: no engine says what is right there, so its tests do. */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './child.ts';
import type { Mutant } from './mutants.ts';

export type Planting = Pick<Mutant, 'url' | 'at' | 'was' | 'is'>;

export const plantingVariable = 'HOLDFAST_PLANTED';

/** Only what tests judge. */
export const isTested = ({ area }: Mutant): boolean => area === 'plan';

const root = join(import.meta.dirname, '../..');
/** But those of what two lifts have in common, which take as long as all others. */
const tests = readdirSync(join(root, 'test/plan'))
  .filter((name) => name.endsWith('.test.ts') && name !== 'shared.test.ts')
  .map((name) => join(root, 'test/plan', name));

/** Tests that hang end by themselves; this is for what hangs before them. */
const secondsMax = 300;
const testMsMax = 60_000;

/** Whether one of the tests fails. */
export async function tested(mutant: Planting): Promise<Finding> {
  const { url, at, was, is } = mutant;
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--import',
    join(import.meta.dirname, 'planted.ts'),
    '--test',
    '--test-isolation=none',
    '--test-reporter=tap',
    `--test-timeout=${testMsMax}`,
    ...tests,
  ];
  const env = { ...process.env, [plantingVariable]: JSON.stringify({ url, at, was, is } satisfies Planting) };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), secondsMax * 1_000);
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const status = await new Promise<number | null>((done) => child.on('close', done));
  clearTimeout(timer);
  if (status === 0) return { found: null, how: '' };
  const [, failed = 'no test began'] = /^ *not ok \d+ - (.*)$/m.exec(said) ?? [];
  return { found: 'a test fails', how: failed };
}

export async function testedAll(
  all: readonly Mutant[],
  together: number,
  told: (mutant: Mutant, finding: Finding) => void,
): Promise<void> {
  const left = all.values();
  const worker = async () => {
    for (const mutant of left) told(mutant, await tested(mutant));
  };
  await Promise.all(Array.from({ length: together }, worker));
}
