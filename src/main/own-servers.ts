import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure, systemClock } from '#base';

/** The program of `up --with`: it runs the site's own servers, and says a line when they are ready. */
export interface OwnServers {
  stop(): void;
}

const readyMsMax = 5_000;

/** Resolves when it has said its first line, has ended, or let `readyMsMax` pass. @throws Failure HF003 when there is no such program. */
export async function startOwnServers(program: string, say: (line: string) => void): Promise<OwnServers> {
  await access(program).catch(() => {
    throw new Failure('HF003', `${program} cannot be read: there is no such file`, 'Check --with.');
  });
  const child = spawn(process.execPath, [resolve(program)], { stdio: ['pipe', 'pipe', 'inherit'] });
  let stopping = false;
  const ready = new Promise<void>((done) => {
    child.stdout.once('data', () => done()).resume();
    child.on('error', () => done());
    child.on('exit', (code, signal) => {
      if (!stopping) say(`${program} ended (${signal ?? `exit ${code}`}): the servers that it ran are gone`);
      done();
    });
  });
  await Promise.race([ready, systemClock.sleep(readyMsMax)]);
  return {
    stop() {
      stopping = true;
      child.stdin.on('error', () => {}).end();
      child.kill('SIGTERM');
    },
  };
}
