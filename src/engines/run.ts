import { execFile } from 'node:child_process';
import type { Identity } from './engine.ts';

const outputBytesMax = 1024 * 1024;

/**
 * Names of servers are resolved while an engine starts, one after another: a name server that does not answer costs one
 * second for each name, not ten.
 */
export const environment = { RES_OPTIONS: 'timeout:1 attempts:1' } as const;

interface RunOptions {
  readonly timeoutMs: number;
  readonly folder?: string;
  readonly identity?: Identity;
}

/** Runs an engine's program to its end. Never rejects: that it could not be run is an answer too. */
export function run(
  file: string,
  args: readonly string[],
  { timeoutMs, folder, identity }: RunOptions,
): Promise<{ readonly output: string; readonly exitStatus: number | null }> {
  return new Promise((resolve) => {
    const done = (error: Error | null, stdout: string, stderr: string) => {
      const failed = error as (Error & { code?: unknown; killed?: boolean }) | null;
      const exitStatus = failed === null ? 0 : typeof failed.code === 'number' ? failed.code : null;
      const said = `${stdout}${stderr}`.trim();
      const note = failed?.killed ? `no answer within ${timeoutMs} ms` : (failed?.message ?? '');
      resolve({ output: exitStatus === null ? [said, note].filter(Boolean).join('\n') : said, exitStatus });
    };
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: outputBytesMax,
      env: { ...process.env, ...environment },
      ...(folder === undefined ? {} : { cwd: folder }),
      ...(identity ? { uid: identity.uid, gid: identity.gid } : {}),
    } as const;
    try {
      execFile(file, [...args], options, done);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)), '', '');
    }
  });
}
