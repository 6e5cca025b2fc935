import { execFile } from 'node:child_process';
import { loadAway, type Watched } from '#agent';
import { Failure, messageOf } from '#base';
import { ownCommand } from './children.ts';

interface Asked {
  readonly kind: 'away' | 'back';
  readonly watched: readonly Watched[];
}

type Said =
  | { readonly done: true }
  | { readonly code: string; readonly message: string; readonly remedy: string };

const awayMsMax = 20_000;

/** `away`: a process of its own, see `keepFromAccepting`. Says that it is done, or why not. */
export async function keepAway(from: string): Promise<void> {
  const said = await answer(JSON.parse(from) as Asked).catch((error: unknown): Said => {
    const { code = '', remedy = '' } = error instanceof Failure ? error : {};
    return { code, message: messageOf(error), remedy };
  });
  process.stdout.write(JSON.stringify(said), () => process.exit(0));
}

async function answer(asked: Asked): Promise<Said> {
  const { keepFromAccepting, letAccept } = await loadAway();
  (asked.kind === 'away' ? keepFromAccepting : letAccept)(asked.watched);
  return { done: true };
}

/** Runs it. @throws Failure HF504 */
export async function inOwnProcess(asked: Asked): Promise<void> {
  const { file, args, env } = ownCommand(['away', '--from', JSON.stringify(asked)]);
  const output = await new Promise<string>((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: awayMsMax };
    execFile(file, [...args], options, (error, stdout, stderr) =>
      error ? reject(new Error(`${messageOf(error)}\n${stderr}`)) : resolve(stdout),
    );
  });
  const said = JSON.parse(output) as Said;
  if ('done' in said) return;
  throw said.code === '' ? new Error(said.message) : new Failure(said.code, said.message, said.remedy);
}
