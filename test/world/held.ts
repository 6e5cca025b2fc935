/** A holder's process with real generations and no agent: what tests of the holder stand on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#base';
import { type Engine, type EngineBinary, haproxyEngine, identityOf } from '#engines';
import type { Site } from '#model';
import { prepareFolder } from '../../src/agent/folders.ts';
import { linkNeighbour } from '../../src/agent/holder/neighbour.ts';
import {
  type GenerationSpec,
  type HolderClient,
  type HolderStatus,
  holderClient,
  type Role,
} from '../../src/agent/holder/protocol.ts';
import { untilReady } from '../../src/agent/launch.ts';
import { type Answer, ask } from './ask.ts';
import { listenerOf, poolOf, siteOf } from './sites.ts';
import { freePort, until } from './stack.ts';

export interface HeldWorld {
  readonly holder: HolderClient;
  readonly port: number;
  readonly folder: string;
  /** Starts the holder's process (again) and waits until it answers. `dies`: it kills itself at that step of the next start. */
  startHolder(dies?: DeathStep): Promise<ChildProcess>;
  /** What the holder is told to start, with its sockets open. */
  prepare(generation: number, role: Role, server: number): Promise<GenerationSpec>;
  /** A parked generation whose one server is at that port; resolves when its engine answers. */
  start(generation: number, role: Role, server: number): Promise<void>;
  link(generation: number, neighbour: number): void;
  status(): Promise<HolderStatus>;
  pidOf(generation: number): Promise<number>;
  /** One request on a new public connection. */
  ask(): Promise<Answer>;
  /** Every process that works in the folder of any generation. */
  processes(): number[];
  close(): Promise<void>;
}

/** Of a generation's start, as its holder sees it. */
export const deathSteps = ['spawned', 'written', 'begun'] as const;
export type DeathStep = (typeof deathSteps)[number];

const holderProgram = join(import.meta.dirname, 'agent-process.ts');
const dyingProgram = join(import.meta.dirname, 'dying-holder.ts');

export async function heldWorld(engine: Engine = haproxyEngine, dies?: DeathStep): Promise<HeldWorld> {
  const binary = await engine.find();
  if (!binary) throw new Error(`${engine.name} is not installed: ${engine.install}`);
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const holder = holderClient(join(folder, 'holder.sock'));
  const children: ChildProcess[] = [];
  const folderOf = (generation: number) => join(folder, `g${generation}`);
  const status = () => holder.call('status', {}, 500);

  const world: HeldWorld = {
    holder,
    port,
    folder,
    status,
    async startHolder(dies) {
      const words = dies
        ? [dyingProgram, folder, dies]
        : [holderProgram, 'holder', JSON.stringify({ folder })];
      const child = spawn(process.execPath, words, { stdio: 'ignore' });
      children.push(child);
      await until('the holder', status);
      return child;
    },
    async prepare(generation, role, server) {
      const spec = specOf(engine, binary, { port, server, folder: folderOf(generation), generation, role });
      await holder.call('open', { listeners: spec.listeners });
      return spec;
    },
    async start(generation, role, server) {
      const spec = await world.prepare(generation, role, server);
      const { pid } = await holder.call('start', spec);
      const control = engine.control({ pid, control: spec.control });
      await untilReady({ pid, control, folder: spec.folder, clock: systemClock });
      control.close();
    },
    link: (generation, neighbour) => linkNeighbour(folderOf(generation), folderOf(neighbour)),
    async pidOf(generation) {
      const found = (await status()).generations.find((g) => g.generation === generation);
      if (!found) throw new Error(`no generation ${generation}`);
      return found.pid;
    },
    ask: () => ask(port),
    processes: () => processesIn(folder),
    async close() {
      for (const child of children) if (child.exitCode === null) child.kill('SIGCONT');
      await holder.call('shutdown', { withinMs: 500 }, 5_000).catch(() => {});
      holder.close();
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
      for (const pid of processesIn(folder)) end(pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await world.startHolder(dies);
  return world;
}

const place = { file: 'site.yaml', line: 1, column: 1 };

/** Writes its folder. */
function specOf(
  engine: Engine,
  binary: EngineBinary,
  of: { port: number; server: number; folder: string; generation: number; role: Role },
): GenerationSpec {
  const { folder, generation, role } = of;
  const identity = identityOf(engine, { own: null });
  const prepared = prepareFolder({
    site: siteWith(of.port, of.server),
    balancer: { name: 'lb-1', engine: engine.name, address: '127.0.0.1', place },
    engine,
    identity,
    folder,
    generation,
    threads: 2,
    ticketKeys: null,
    purpose: 'serve',
    servers: null,
  });
  return {
    generation,
    role,
    engine: engine.name,
    command: engine.command(binary, { textFile: prepared.textFile, parked: true }),
    identity,
    folder: prepared.folder,
    control: prepared.placement.control,
    listeners: prepared.listeners,
    siteHash: `hash-${generation}`,
    change: role === 'candidate' ? `change-${generation}` : null,
  };
}

function siteWith(port: number, server: number): Site {
  return siteOf({ listeners: [listenerOf('http', port)], pools: [poolOf('web', [server])] });
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workFolderOf(name).startsWith(`${folder}/`))
    .map(Number);
}

function workFolderOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}
