import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Clock, Failure, type Log, messageOf } from '#base';
import type { SiteText } from '#contract';
import type { Command, Engine, EngineBinary, EngineControl, ServerEvidence } from '#engines';
import type { Balancer, Site } from '#model';
import {
  addressesOf,
  ensureTicketKeys,
  type GenerationFolder,
  linkNeighbour,
  prepareFolder,
} from './folders.ts';
import { type HolderClient, type HolderStatus, holderClient, type Role } from './holder/protocol.ts';
import { identityOf } from './identity.ts';
import { untilReady, untilWarm } from './launch.ts';

export interface FleetOptions {
  readonly balancer: Balancer;
  readonly engine: Engine;
  readonly binary: EngineBinary;
  /** The balancer's own folders. */
  readonly run: string;
  readonly state: string;
  readonly holderCommand: Command;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Launched {
  readonly generation: number;
  readonly pid: number;
  readonly control: EngineControl;
  readonly startMs: number;
  readonly servers: readonly ServerEvidence[];
  readonly folder: GenerationFolder;
}

/** The generations of one balancer, by way of its holder. */
export interface Fleet {
  readonly holder: HolderClient;
  readonly options: FleetOptions;
  /** Starts the holder when none answers. */
  ensureHolder(): Promise<void>;
  status(): Promise<HolderStatus>;
  /** Starts a parked generation and waits until it answers and its health checks have spoken. */
  launch(text: SiteText, site: Site, role: Role, change: string | null): Promise<Launched>;
  /** The controls of a generation, kept open. */
  control(generation: number, pid: number): EngineControl;
  folder(generation: number): string;
  /** Where a generation leads the requests of a take-back and of the net; null: nowhere. */
  link(generation: number, neighbour: number | null): void;
  /** Lets go of what belonged to generations that have ended. */
  tidy(status: HolderStatus): void;
  /** A folder for a check or rehearsal, its own. */
  scratch(): string;
  close(): void;
}

const holderStartMsMax = 10_000;

export function createFleet(options: FleetOptions): Fleet {
  const { run, state, clock, log, engine } = options;
  mkdirSync(run, { recursive: true, mode: 0o755 });
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const holder = holderClient(join(run, 'holder.sock'));
  const controls = new Map<number, EngineControl>();
  const launching = new Set<number>();
  const identity = identityOf(engine);
  let lastGeneration = Math.max(0, ...numbersIn(run, /^g(\d+)$/));
  let scratchNumber = Math.max(0, ...numbersIn(run, /^scratch(\d+)$/));

  const folder = (generation: number) => join(run, `g${generation}`);

  async function ensureHolder(): Promise<void> {
    const answers = () =>
      holder.call('status', {}, 300).then(
        () => true,
        () => false,
      );
    if (await answers()) return;
    const output = openSync(join(run, 'holder.log'), 'a', 0o600);
    const { file, args, env } = options.holderCommand;
    const child = spawn(file, [...args], {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env },
    });
    closeSync(output);
    child.on('error', (error) => log.error('the holder could not be started', { error: messageOf(error) }));
    child.unref();
    const deadline = clock.monotonicMs() + holderStartMsMax;
    while (clock.monotonicMs() < deadline) {
      if (await answers()) return;
      await clock.sleep(20);
    }
    throw new Failure('HF304', 'the holder does not answer', `See ${run}/holder.log`);
  }

  function control(generation: number, pid: number): EngineControl {
    const known = controls.get(generation);
    if (known) return known;
    const opened = engine.control({ pid, control: join(folder(generation), 'control.sock') });
    controls.set(generation, opened);
    return opened;
  }

  async function launch(text: SiteText, site: Site, role: Role, change: string | null): Promise<Launched> {
    lastGeneration += 1;
    const generation = lastGeneration;
    launching.add(generation);
    try {
      const prepared = prepareFolder({
        site,
        balancer: options.balancer,
        engine,
        identity,
        folder: folder(generation),
        generation,
        threads: availableParallelism(),
        ticketKeys: ensureTicketKeys(join(state, 'ticket.keys')),
        purpose: 'serve',
        servers: null,
      });
      await holder.call('open', { listeners: addressesOf(site, options.balancer) });
      const { pid } = await holder.call('start', {
        generation,
        engine: engine.name,
        command: engine.command(options.binary, { textFile: prepared.textFile, parked: true }),
        identity,
        folder: prepared.folder,
        control: prepared.placement.control,
        listeners: prepared.listeners,
        role,
        siteHash: text.hash,
        change,
      });
      const opened = control(generation, pid);
      const startMs = await untilReady({ pid, control: opened, folder: prepared.folder, clock });
      const servers = await untilWarm(opened, clock);
      log.info('generation is ready', { generation, role, pid, startMs: Math.round(startMs) });
      return { generation, pid, control: opened, startMs, servers, folder: prepared };
    } catch (error) {
      await holder.call('retire', { generation, withinMs: 100 }).catch(() => {});
      throw error;
    } finally {
      launching.delete(generation);
    }
  }

  return {
    holder,
    options,
    ensureHolder,
    status: () => holder.call('status', {}, 500),
    launch,
    control,
    folder,
    link: (generation, neighbour) =>
      linkNeighbour(folder(generation), neighbour === null ? null : folder(neighbour)),
    tidy(status) {
      const living = new Set(status.generations.map((g) => g.generation));
      for (const [generation, opened] of controls) {
        if (living.has(generation) || launching.has(generation)) continue;
        opened.close();
        controls.delete(generation);
      }
      for (const number of numbersIn(run, /^g(\d+)$/)) {
        if (!living.has(number) && !launching.has(number))
          rmSync(folder(number), { recursive: true, force: true });
      }
    },
    scratch() {
      scratchNumber += 1;
      return join(run, `scratch${scratchNumber}`);
    },
    close() {
      holder.close();
      for (const opened of controls.values()) opened.close();
    },
  };
}

function numbersIn(folder: string, pattern: RegExp): number[] {
  return readdirSync(folder).flatMap((name) => {
    const found = pattern.exec(name);
    return found ? [Number(found[1])] : [];
  });
}
