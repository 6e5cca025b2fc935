import { execFile } from 'node:child_process';
import { keepFromAccepting } from '#agent';
import { Failure, messageOf } from '#base';
import { ownCommand } from './children.ts';

interface From {
  readonly pids: readonly number[];
  readonly inodes: readonly string[];
}

const awayMsMax = 10_000;

/** `away`: a process of its own, see `keepFromAccepting`. Says how many entries it took out, or why it did not. */
export async function keepAway(from: string): Promise<void> {
  const { pids, inodes } = JSON.parse(from) as From;
  const said = await keepFromAccepting(pids, inodes).then(
    (taken) => ({ taken }),
    (error) => ({
      code: error instanceof Failure ? error.code : '',
      message: messageOf(error),
      remedy: error instanceof Failure ? error.remedy : '',
    }),
  );
  process.stdout.write(JSON.stringify(said), () => process.exit(0));
}

/** Runs it. @throws Failure HF504 */
export async function sendAway(pids: readonly number[], inodes: readonly string[]): Promise<number> {
  const { file, args, env } = ownCommand(['away', '--from', JSON.stringify({ pids, inodes })]);
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      file,
      [...args],
      { env: { ...process.env, ...env }, timeout: awayMsMax },
      (error, stdout, stderr) =>
        error ? reject(new Error(`${messageOf(error)}\n${stderr}`)) : resolve(stdout),
    );
  });
  const said = JSON.parse(output) as
    | { readonly taken: number }
    | { readonly code: string; readonly message: string; readonly remedy: string };
  if ('taken' in said) return said.taken;
  throw said.code === '' ? new Error(said.message) : new Failure(said.code, said.message, said.remedy);
}
