import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { codeCache } from '#base';
import { builtinDialect } from '#dialects';
import type { Engine, EngineBinary, EngineVerdict, Identity } from '../engine.ts';
import { builtinControl } from './control.ts';

const main = fileURLToPath(new URL('./process/main.ts', import.meta.url));
const packageFile = new URL('../../../package.json', import.meta.url);
/** The start of every line that the process says: its absence means that it did not even start. */
const banner = 'holdfast built-in engine: ';
const checkMsMax = 30_000;
const outputCharactersMax = 64_000;

/** Node's HTTP server and our own client: the try-out and the last resort. */
export const builtinEngine: Engine = {
  name: 'builtin',
  dialect: builtinDialect,
  install: '',
  knownFaults: [],
  async find() {
    return { path: process.execPath, version: packageVersion() };
  },
  async check(binary, textFile, folder, identity) {
    const began = performance.now();
    const args = [...argsOf(textFile), '--check'];
    const verdict = (result: Ended): EngineVerdict => ({
      accepted: result.status === 0,
      output: result.output.trim(),
      tookMs: Math.round(performance.now() - began),
    });
    const first = await ended(binary, args, { folder, identity });
    if (identity === null || first.output.includes(banner)) return verdict(first);
    // That user cannot read the program. It is our own code and reads only what it is given, so we may run it.
    return verdict(await ended(binary, args, { folder, identity: null }));
  },
  command(binary, { textFile, parked }) {
    const args = [...argsOf(textFile), ...(parked ? ['--parked'] : [])];
    // It may have to take another engine's place: from the cache it starts in half the time.
    return { file: binary.path, args, env: codeCache() };
  },
  control: builtinControl,
};

function argsOf(textFile: string): string[] {
  return [main, '--config', textFile];
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
  return version;
}

interface Ended {
  readonly status: number | null;
  readonly output: string;
}

function ended(
  binary: EngineBinary,
  args: readonly string[],
  { folder, identity }: { readonly folder: string; readonly identity: Identity },
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(binary.path, [...args], {
      cwd: folder,
      env: { HOME: folder, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: checkMsMax,
      killSignal: 'SIGKILL',
      ...(identity ?? {}),
    });
    let output = '';
    const add = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(0, outputCharactersMax);
    };
    child.stdout.on('data', add);
    child.stderr.on('data', add);
    child.on('error', (error) => resolve({ status: null, output: error.message }));
    child.on('close', (status) => resolve({ status, output }));
  });
}
