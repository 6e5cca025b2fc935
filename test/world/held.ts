/** A holder's process with real HAProxy generations and no agent: what tests of the holder stand on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, systemClock } from '#base';
import { haproxyEngine, identityOf } from '#engines';
import type { Site } from '#model';
import { prepareFolder } from '../../src/agent/folders.ts';
import { linkNeighbour } from '../../src/agent/holder/neighbour.ts';
import {
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
  /** Starts the holder's process (again) and waits until it answers. */
  startHolder(): Promise<ChildProcess>;
  /** A parked generation whose one server is at that port; resolves when its engine answers. */
  start(generation: number, role: Role, server: number): Promise<void>;
  link(generation: number, neighbour: number): void;
  status(): Promise<HolderStatus>;
  pidOf(generation: number): Promise<number>;
  /** One request on a new public connection. */
  ask(): Promise<Answer>;
  close(): Promise<void>;
}

const holderProgram = join(import.meta.dirname, 'agent-process.ts');

export async function heldWorld(): Promise<HeldWorld> {
  const binary = await haproxyEngine.find();
  if (!binary) throw new Error(`HAProxy is not installed: ${haproxyEngine.install}`);
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
    async startHolder() {
      const options = JSON.stringify({ folder });
      const child = spawn(process.execPath, [holderProgram, 'holder', options], { stdio: 'ignore' });
      children.push(child);
      await until('the holder', status);
      return child;
    },
    async start(generation, role, server) {
      const site = siteWith(port, server);
      const identity = identityOf(haproxyEngine, { own: null });
      const prepared = prepareFolder({
        site,
        balancer: { name: 'lb-1', engine: 'haproxy', address: '127.0.0.1', place },
        engine: haproxyEngine,
        identity,
        folder: folderOf(generation),
        generation,
        threads: 2,
        ticketKeys: null,
        purpose: 'serve',
        servers: null,
      });
      await holder.call('open', { listeners: prepared.listeners });
      const { pid } = await holder.call('start', {
        generation,
        role,
        engine: 'haproxy',
        command: haproxyEngine.command(binary, { textFile: prepared.textFile, parked: true }),
        identity,
        folder: prepared.folder,
        control: prepared.placement.control,
        listeners: prepared.listeners,
        siteHash: `hash-${generation}`,
        change: role === 'candidate' ? `change-${generation}` : null,
      });
      const control = haproxyEngine.control({ pid, control: prepared.placement.control });
      await untilReady({ pid, control, folder: prepared.folder, clock: systemClock });
      control.close();
    },
    link: (generation, neighbour) => linkNeighbour(folderOf(generation), folderOf(neighbour)),
    async pidOf(generation) {
      const found = (await status()).generations.find((g) => g.generation === generation);
      if (!found) throw new Error(`no generation ${generation}`);
      return found.pid;
    },
    ask: () => ask(port),
    async close() {
      for (const child of children) if (child.exitCode === null) child.kill('SIGCONT');
      await holder.call('shutdown', { withinMs: 500 }, 5_000).catch(() => {});
      holder.close();
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
      for (const pid of leftovers(folder)) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await world.startHolder();
  return world;
}

const place = { file: 'site.yaml', line: 1, column: 1 };

function siteWith(port: number, server: number): Site {
  return siteOf({ listeners: [listenerOf('http', port)], pools: [poolOf('web', [server])] });
}

/** Engines that a holder which could not be told to end left running. */
function leftovers(folder: string): number[] {
  try {
    const { generations } = JSON.parse(readFileSync(join(folder, 'holder.json'), 'utf8')) as {
      generations: { pid: number; startTicks: string }[];
    };
    return generations.filter((g) => identify(g.pid)?.startTicks === g.startTicks).map((g) => g.pid);
  } catch {
    return [];
  }
}
