import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, identify, signalGroup } from '#base';
import { type EngineControl, type Identity, type Installed, identityOf } from '#engines';
import type { Site } from '#model';
import type { Fleet } from './fleet.ts';
import { type GenerationFolder, prepareFolder } from './folders.ts';
import { spawnGated } from './gated.ts';
import { untilReady } from './launch.ts';
import { residentBytes } from './memory.ts';

/** An engine that runs beside everything else, on private sockets, in a folder of its own. */
export interface Sandbox {
  readonly pid: number;
  readonly control: EngineControl;
  readonly prepared: GenerationFolder;
  readonly entrance: string;
  /** The master and its workers. */
  memoryBytes(): number;
}

export interface Where {
  readonly folder: string;
  /** See `Placement`. */
  readonly servers: Readonly<Record<string, string>> | null;
  readonly replays?: true;
}

export function sandboxed(
  fleet: Fleet,
  { engine }: Installed,
  site: Site,
  { folder, servers, replays }: Where,
): GenerationFolder {
  const { balancer } = fleet.options;
  return prepareFolder({
    // Nothing of a check or a rehearsal is a visit.
    site: { ...site, accessLog: null },
    balancer,
    engine,
    identity: identityOf(engine, site),
    folder,
    generation: 0,
    threads: 1,
    ticketKeys: null,
    purpose: 'rehearse',
    servers,
    ...(replays ? { replays } : {}),
  });
}

/** Starts it, waits until it answers, lets it be used, and kills it, whatever happens. @throws Failure HF303 */
export async function inSandbox<T>(
  fleet: Fleet,
  by: Installed,
  site: Site,
  where: Where,
  use: (sandbox: Sandbox, startMs: number) => Promise<T>,
): Promise<T> {
  const { clock } = fleet.options;
  const { folder } = where;
  let pid: number | null = null;
  let control: EngineControl | null = null;
  try {
    const prepared = sandboxed(fleet, by, site, where);
    pid = startInSandbox(by, prepared, identityOf(by.engine, site));
    control = by.engine.control({ pid, control: prepared.placement.control });
    const startMs = await untilReady({ pid, control, folder, clock });
    const started = pid;
    const entrance = join(folder, 'entrance.sock');
    const sandbox = { pid, control, prepared, entrance, memoryBytes: () => residentBytes(started) };
    return await use(sandbox, startMs);
  } finally {
    control?.close();
    endSandbox(pid, folder);
  }
}

function startInSandbox(
  { engine, binary }: Installed,
  prepared: GenerationFolder,
  identity: Identity,
): number {
  const command = engine.command(binary, { textFile: prepared.textFile, parked: false });
  const output = openSync(join(prepared.folder, 'engine.log'), 'a', 0o600);
  const { child, begin } = spawnGated({ command, identity, folder: prepared.folder, output, sockets: [] });
  closeSync(output);
  if (child.pid === undefined) throw new Failure('HF303', `${command.file} could not be started`);
  writeFileSync(join(prepared.folder, 'sandbox.pid'), JSON.stringify(identify(child.pid)));
  begin();
  return child.pid;
}

function endSandbox(pid: number | null, folder: string): void {
  const process = pid === null ? null : identify(pid);
  if (process) signalGroup(process, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

/** Ends what an agent that was killed in the middle of a rehearsal left behind. */
export function clearSandboxes(run: string): void {
  for (const name of readdirSync(run)) {
    if (!name.startsWith('scratch')) continue;
    try {
      const left = JSON.parse(readFileSync(join(run, name, 'sandbox.pid'), 'utf8')) as {
        pid: number;
        startTicks: string;
      };
      signalGroup(left, 'SIGKILL');
    } catch {
      // It had not come that far.
    }
    rmSync(join(run, name), { recursive: true, force: true });
  }
}
