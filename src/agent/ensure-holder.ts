import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, Failure } from '#base';
import type { Command } from '#engines';
import type { HolderClient } from './holder/protocol.ts';

/** Of one that has ended: another one may have been there first. */
const endedMsMax = 10_000;
/** Of one that runs: a machine may give it little of its time. */
const startMsMax = 60_000;

/** Starts the holder when none answers: true. @throws Failure HF304 when it does not come. */
export async function ensureHolder(options: {
  readonly holder: HolderClient;
  readonly run: string;
  readonly command: Command;
  readonly clock: Clock;
}): Promise<boolean> {
  const { holder, run, command, clock } = options;
  const answers = () =>
    holder.call('status', {}, 300).then(
      () => true,
      () => false,
    );
  if (await answers()) return false;
  const started = start(run, command);
  const beganAt = clock.monotonicMs();
  while (clock.monotonicMs() - beganAt < (started.ended() ? endedMsMax : startMsMax)) {
    if (await answers()) return true;
    await clock.sleep(20);
  }
  throw new Failure('HF304', 'the holder does not answer', `See ${run}/holder.log`);
}

/** In a session of its own: it outlives whoever starts it. */
function start(run: string, { file, args, env }: Command): { readonly ended: () => boolean } {
  const output = openSync(join(run, 'holder.log'), 'a', 0o600);
  const child = spawn(file, [...args], {
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
  });
  closeSync(output);
  // That it could not be started shows by its silence.
  child.on('error', () => {});
  child.unref();
  return { ended: () => child.pid === undefined || child.exitCode !== null || child.signalCode !== null };
}
