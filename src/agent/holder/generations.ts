import { closeSync, openSync, readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { type Clock, Failure, identify, isAlive, type ProcessIdentity, signalGroup } from '#base';
import { engines, type PublicSide } from '#engines';
import { type Gated, spawnGated } from '../gated.ts';
import type { Held } from './held.ts';
import type { GenerationSpec } from './protocol.ts';
import { sideDriver } from './side.ts';

/** An engine has started by then; while nobody serves, it goes before everything else on the machine. */
const urgentMs = 2_000;

/** Where nobody said otherwise. */
const drainMsMax = 60_000;

/**
 * Starts the engine's process in a session of its own, with the listening sockets as descriptors 3 and on; it waits for
 * `begin`, and from then on outlives the holder. `ended` is called once, with how; `tell` with what its control mended by
 * itself.
 */
export function startGeneration(
  spec: GenerationSpec,
  sockets: readonly number[],
  {
    clock,
    ended,
    tell,
  }: {
    readonly clock: Clock;
    readonly ended: (how: string) => void;
    readonly tell: (what: string) => void;
  },
): Held {
  const log = openSync(join(spec.folder, 'engine.log'), 'a', 0o600);
  let gated: Gated;
  try {
    gated = spawnGated({ ...spec, output: log, sockets });
  } finally {
    closeSync(log);
  }
  const { child, begin } = gated;
  const found = child.pid === undefined ? null : identify(child.pid);
  if (!found)
    throw new Failure('HF303', `${spec.command.file} could not be started`, `See ${spec.folder}/engine.log`);
  if (spec.urgent) setTimeout(() => normalPriority(found.pid), urgentMs).unref();
  else normalPriority(found.pid);
  child.on('exit', (code, name) => ended(name ?? `exit ${code}`));
  // Every generation is started parked: what it does with its public side is this holder's to say.
  return held(spec, found, { side: 'parked', clock, tell, begin });
}

/** Takes up a generation that another holder started; null when its process has ended. */
export function findGeneration(
  spec: GenerationSpec,
  process: ProcessIdentity,
  more: { readonly clock: Clock; readonly tell: (what: string) => void },
): Held | null {
  return isAlive(process) ? held(spec, process, { side: 'unknown', begin() {}, ...more }) : null;
}

function held(
  spec: GenerationSpec,
  process: ProcessIdentity,
  {
    side,
    clock,
    tell,
    begin,
  }: {
    readonly side: PublicSide | 'unknown';
    readonly clock: Clock;
    readonly tell: (what: string) => void;
    readonly begin: () => void;
  },
): Held {
  const { pid } = process;
  const control = engines[spec.engine].control({ pid, control: spec.control, keeps: side, tell });
  return {
    spec,
    process,
    control,
    side: sideDriver(control, side, clock),
    role: spec.role,
    drainMs: spec.drainMs ?? drainMsMax,
    begin,
    kill: () => void signalGroup(process, 'SIGKILL'),
  };
}

/** The holder runs at a higher priority than what it holds; a child and each of its threads would inherit it. */
function normalPriority(pid: number): void {
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) setPriority(Number(thread), 0);
  } catch {
    // It may have ended already, or we may not raise priorities: both are fine.
  }
}
