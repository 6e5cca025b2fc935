import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { systemClock } from '#base';
import { haproxyDialect } from '#dialects';
import type { Command, Engine, EngineBinary, EngineVerdict, Identity, StartPlan } from '../engine.ts';
import { environment, run } from '../run.ts';
import { openControl } from './control.ts';
import { haproxyFaults } from './known-faults.ts';

const versionTimeoutMs = 5_000;
/** 10,000 servers take 65 ms; names that do not resolve take longest. */
const checkTimeoutMs = 30_000;

export const haproxyEngine: Engine = {
  name: 'haproxy',
  dialect: haproxyDialect,
  install: 'sudo apt-get install -y haproxy',
  knownFaults: haproxyFaults,
  find,
  check,
  command,
  control: (handle) => openControl(handle),
};

/** `HOLDFAST_HAPROXY` names another binary; else the first `haproxy` on the path, where Debian's sbin belongs to. */
async function find(): Promise<EngineBinary | null> {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const named = process.env.HOLDFAST_HAPROXY;
  const candidates = named ? [named] : folders.filter(Boolean).map((folder) => join(folder, 'haproxy'));
  for (const path of candidates) {
    if (!(await isExecutable(path))) continue;
    const { output, exitStatus } = await run(path, ['-v'], { timeoutMs: versionTimeoutMs });
    const version = /HAProxy version (\S+)/i.exec(output)?.[1];
    if (exitStatus === 0 && version !== undefined) return { path, version };
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function check(
  binary: EngineBinary,
  textFile: string,
  folder: string,
  identity: Identity,
): Promise<EngineVerdict> {
  const began = systemClock.monotonicMs();
  const { output, exitStatus } = await run(binary.path, ['-c', '-f', textFile], {
    timeoutMs: checkTimeoutMs,
    folder,
    identity,
  });
  return { accepted: exitStatus === 0, output, tookMs: systemClock.monotonicMs() - began };
}

/**
 * In the foreground, quiet once it has started (it would write two lines for every park and resume). Parked: the
 * blocked signal is waiting when HAProxy installs its handlers, so there is no moment at which it could stop the process.
 */
function command(binary: EngineBinary, { textFile, parked }: StartPlan): Command {
  const args = ['-q', '-db', '-f', textFile];
  if (!parked) return { file: binary.path, args, env: environment };
  const script = 'kill -TTOU $$; exec "$@"';
  return {
    file: '/usr/bin/env',
    args: ['--block-signal=TTOU', '/bin/sh', '-c', script, 'haproxy', binary.path, ...args],
    env: environment,
  };
}
