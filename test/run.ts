/**
 * `npm test`: brings what the tests need from Debian where it may, then types, lint and tests.
 * `npm test -- test/area/some.test.ts` runs that file alone; an argument that begins with `-` goes to Node's runner.
 * A few files that fail are run once more, alone, and named at the end: real processes on a crowded machine.
 * Node's summary comes last, and its exit status is ours.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, relative, resolve } from 'node:path';
import { adminFolders, bringTools } from './run/tools.ts';

const root = resolve(import.meta.dirname, '..');
/** Load balancers live in folders that are not on everybody's path. */
const path = [process.env.PATH, ...adminFolders].join(delimiter);
const filesAtOnce = 2;
/** More than these failing files are no accident. */
const againMax = 3;
const testTimeoutMs = 180_000;
const runTimeoutMs = 60 * 60_000;

/** Resolves with the exit status; a signal counts as a failure. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: 'inherit',
      env: { ...env, ...process.env, PATH: path },
    });
    const stop = () => child.kill('SIGTERM');
    const deadline = setTimeout(() => {
      process.stderr.write(`${command} ran for more than ${runTimeoutMs / 60_000} minutes and was ended.\n`);
      stop();
    }, runTimeoutMs);
    process.once('SIGINT', stop).once('SIGTERM', stop);
    child.on('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`);
      clearTimeout(deadline);
      done(1);
    });
    child.on('close', (code) => {
      clearTimeout(deadline);
      process.off('SIGINT', stop).off('SIGTERM', stop);
      done(code ?? 1);
    });
  });
}

async function checks(): Promise<number> {
  for (const [name, args] of [
    ['tsc', []],
    ['biome', ['check', '.']],
  ] as const) {
    const status = await run(join(root, 'node_modules/.bin', name), args);
    if (status !== 0) {
      const remedy = name === 'biome' ? 'Run: npm run format' : 'Mend the types that are named above';
      process.stderr.write(`${name} found mistakes, so no test was run. ${remedy}\n`);
      return status;
    }
  }
  return 0;
}

interface Ran {
  readonly status: number;
  readonly passed: ReadonlySet<string>;
  /** Every test in it was left out. */
  readonly idle: readonly string[];
}

async function runFiles(
  files: readonly string[],
  options: readonly string[],
  filesAtOnce: number,
): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  const tally = join(folder, 'tally');
  try {
    const nodeArgs = [
      '--test',
      '--disable-warning=ExperimentalWarning',
      `--import=${join(import.meta.dirname, 'run/deadline.ts')}`,
      `--test-concurrency=${filesAtOnce}`,
      `--test-timeout=${testTimeoutMs}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${join(import.meta.dirname, 'run/tally.ts')}`,
      `--test-reporter-destination=${tally}`,
      ...options,
      ...files,
    ];
    // A thousand processes run the same source: each but the first starts in half the time.
    const status = await run(process.execPath, nodeArgs, { NODE_COMPILE_CACHE: join(folder, 'code') });
    const lines = (await readFile(tally, 'utf8').catch(() => '')).split('\n').map((line) => line.split('\t'));
    const ended = (as: string) => lines.filter(([word]) => word === as).map(([, file = '']) => file);
    const passed = new Set(ended('passed'));
    const failed = new Set(ended('failed'));
    return { status, passed, idle: files.filter((file) => !passed.has(file) && !failed.has(file)) };
  } finally {
    // Who is just ending may still write its code.
    await rm(folder, { recursive: true, force: true, maxRetries: 20 }).catch(() => {});
  }
}

async function tests(files: readonly string[], options: readonly string[]): Promise<number> {
  const first = await runFiles(files, options, filesAtOnce);
  if (first.status === 0 && first.idle.length === 0) return 0;
  if (first.status === 0) {
    const named = first.idle.map((file) => `  ${file}\n`).join('');
    process.stderr.write(`No test ran in:\n${named}Write one, or remove it.\n`);
    return 1;
  }
  const failed = files.filter((file) => !first.passed.has(file));
  if (files.length === 1 || failed.length > againMax || failed.length === 0) return first.status;
  const named = failed.map((file) => `  ${relative(root, file)}\n`).join('');
  process.stdout.write(`\nRun once more, alone:\n${named}`);
  const again = await runFiles(failed, options, 1);
  if (again.status === 0)
    process.stdout.write(
      `\nFAILED ONCE, and passed alone. Each is a defect, of the test or of Holdfast: find it.\n${named}`,
    );
  return again.status;
}

async function main(args: readonly string[]): Promise<number> {
  const options = args.filter((a) => a.startsWith('-'));
  const wanted = args.filter((a) => !a.startsWith('-'));
  const patterns = wanted.length > 0 ? wanted : ['test/**/*.test.ts'];
  const files = patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .map((file) => resolve(root, file))
    .sort();
  if (files.length === 0) {
    process.stderr.write(`No test file matches ${patterns.join(' ')}.\n`);
    return 1;
  }
  if (!bringTools((line) => process.stdout.write(`${line}\n`))) return 1;
  const checked = wanted.length > 0 ? 0 : await checks();
  return checked === 0 ? tests(files, options) : checked;
}

process.exitCode = await main(process.argv.slice(2));
