import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assert } from '#base';
import type { BuiltinText } from '#dialects';
import { openControls } from './controls.ts';
import { Crew } from './crew.ts';
import { leadOwnGroup, listenUnix } from './descriptor.ts';
import { type Entrance, entrancesOf } from './entrances.ts';
import { watchHealth } from './health.ts';
import type { Health } from './messages.ts';
import { PoolState, setState, takeForDown } from './pool.ts';
import { reachOf } from './reach.ts';
import type { RunOptions } from './run.ts';
import { shareOf } from './share.ts';
import { backlog } from './sides.ts';
import { obeySignals, surviveErrors } from './signals.ts';
import { removeSocketFile } from './socket-file.ts';
import { addServers } from './sums.ts';

const workerFile = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** Below what asks for evidence waits itself. */
const evidenceMsMax = 200;
/** Descriptors of a worker below this one are its standard streams. */
const firstFd = 3;
/**
 * Ends what is left of the group when this process is gone and has not said that it goes: workers that hang would stay
 * otherwise. The others end by themselves, and have as long to finish what they are answering.
 */
const lastWill = 'read said && exit; sleep 2; kill -9 0';

/**
 * Several workers on the same sockets. This process carries no request: it has the control socket and checks the
 * servers' health, once for all. Resolves when the first worker serves.
 */
export async function supervise(text: BuiltinText, { parked, say }: RunOptions): Promise<void> {
  surviveErrors(say);
  leadOwnGroup();
  const will = spawn('/bin/sh', ['-c', lastWill], { stdio: ['pipe', 'ignore', 'ignore'] });
  will.on('error', () => {});
  will.stdin.on('error', () => {});
  const wanted: Wanted = {
    accepting: !parked,
    takeBack: false,
    net: text.net,
    draining: false,
    ticketKeys: null,
  };
  const sockets = [...text.listeners, ...(text.streams ?? [])].map(({ at }) => {
    assert(at.kind === 'fd', 'workers share inherited sockets only');
    return at.fd;
  });
  const entrances = entrancesOf(text);
  const inherited = [...sockets, ...(await Promise.all(entrances.map(openEntrance)))];
  const health = watchAll(text, (changed) => crew.tell({ kind: 'health', health: [changed] }));
  const end = (status: number) => will.stdin.end('done\n', () => process.exit(status));
  const crew = new Crew({
    size: text.workers,
    say,
    spawn: () => spawnWorker(inherited),
    start: (slot) => ({
      kind: 'start',
      text: shareOf(
        text,
        slot,
        sockets.map((_, i) => firstFd + i),
      ),
      entrances: entrances.map(({ to }, i) => ({ to, at: { fd: firstFd + sockets.length + i } })),
      health: health.now(),
    }),
    wanted: () => [
      ...(wanted.ticketKeys === null ? [] : [['ticketKeys', wanted.ticketKeys] as const]),
      ['takeBack', wanted.takeBack],
      ['net', wanted.net],
      wanted.draining ? ['drain', null] : [wanted.accepting ? 'resume' : 'park', null],
    ],
    suspect: health.suspect,
    ejected: health.ejected,
    ended() {
      health.stop();
      controls?.close();
      end(0);
    },
  });
  let controls: Awaited<ReturnType<typeof openControls>> | null = null;
  const handlers = handlersOf({ crew, wanted, health, inherited, entrances });
  try {
    await crew.gather();
    controls = await openControls(text.control, handlers);
  } catch (error) {
    crew.kill();
    throw error;
  }
  const { park, resume, drain } = handlers;
  const quit = () => {
    crew.kill();
    end(0);
  };
  obeySignals({ park, resume, drain, quit }, say);
}

function spawnWorker(inherited: readonly number[]): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, workerFile], {
    stdio: ['ignore', 'inherit', 'inherit', ...inherited, 'ipc'],
  });
}

async function openEntrance({ path }: Entrance): Promise<number> {
  await removeSocketFile(path);
  return listenUnix(path, backlog);
}

interface AllHealth {
  now(): readonly Health[];
  suspect(server: string): void;
  ejected(server: string, why: string): void;
  /** How many of those that count as down elsewhere are known here. */
  know(down: unknown): number;
  servers(): ReturnType<PoolState['serverEvidence']>;
  stop(): void;
}

/** Checks as a generation of one process does; what the checks come to is told, by server. */
function watchAll(text: BuiltinText, tell: (changed: Health) => void): AllHealth {
  const pools = text.pools.map((pool) => new PoolState(pool, 0));
  for (const pool of pools) pool.changed = ({ key, state }) => tell({ server: key, state });
  const all = pools.flatMap((pool) => pool.servers.map((server) => ({ pool, server })));
  const servers = new Map(all.map((one) => [one.server.key, one]));
  const stops = pools.map((pool) => watchHealth(pool, reachOf(pool.config)));
  return {
    now: () =>
      all.flatMap(({ server: { key, state } }) => (state === 'unknown' ? [] : { server: key, state })),
    suspect: (key) => servers.get(key)?.server.suspect(),
    ejected(key, why) {
      const known = servers.get(key);
      if (!known || known.server.state === 'down') return;
      known.server.lastCheck = why;
      setState(known.pool, known.server, 'down');
    },
    know: (down) => pools.reduce((sum, pool) => sum + takeForDown(pool, down), 0),
    servers: () => pools.flatMap((pool) => pool.serverEvidence()),
    stop() {
      for (const stop of stops) stop();
    },
  };
}

interface Wanted {
  accepting: boolean;
  takeBack: boolean;
  net: boolean;
  draining: boolean;
  /** Null: those of the text. */
  ticketKeys: unknown;
}

interface Supervised {
  readonly crew: Crew;
  readonly wanted: Wanted;
  readonly health: AllHealth;
  /** Ours to give up when it drains. */
  readonly inherited: readonly number[];
  readonly entrances: readonly Entrance[];
}

/** The calls of `controls.ts`, each asked of every worker: an answer means that all of them are so. */
function handlersOf({ crew, wanted, health, inherited, entrances }: Supervised) {
  const agreed = async (call: string, input: unknown) => {
    const answers = await crew.ask(call, input);
    const [first] = answers;
    // What accepts nothing is parked; anything else takes somebody to do it.
    if (answers.length === 0 && call === 'park') return 'parked';
    if (answers.length === 0) throw new Error('no worker is there to do it');
    if (answers.some((answer) => answer !== first)) throw new Error(`workers differ: ${answers.join(', ')}`);
    return first;
  };
  // Set before it is asked: a worker that begins in this moment is told the same.
  const flag = async (call: 'takeBack' | 'net', on: unknown) => {
    const before = wanted[call];
    wanted[call] = on === true;
    try {
      return await agreed(call, on);
    } catch (error) {
      wanted[call] = before;
      throw error;
    }
  };
  return {
    state: async () => ((await crew.ask('state', null)).includes('accepting') ? 'accepting' : 'parked'),
    park() {
      wanted.accepting = false;
      return agreed('park', null);
    },
    resume() {
      if (wanted.draining) throw new Error('it is draining: it cannot accept again');
      wanted.accepting = true;
      return agreed('resume', null);
    },
    takeBack: (on: unknown) => flag('takeBack', on),
    net: (on: unknown) => flag('net', on),
    ticketKeys(keys: unknown) {
      wanted.ticketKeys = keys;
      return agreed('ticketKeys', keys);
    },
    // Workers hear it before anything that they are told later.
    know: (down: unknown) => health.know(down),
    evidence: () => crew.evidence(evidenceMsMax),
    servers: async () => addServers([...health.servers(), ...(await crew.servers(evidenceMsMax)).flat()]),
    errors: async (linesMax: unknown) => {
      const lines = (await crew.ask('errors', linesMax)).flatMap((some) => (Array.isArray(some) ? some : []));
      return typeof linesMax === 'number' ? lines.slice(-linesMax) : [];
    },
    drain() {
      if (wanted.draining) return true;
      wanted.draining = true;
      crew.ask('drain', null).catch(() => {});
      for (const fd of inherited) closeSync(fd);
      for (const { path } of entrances) rmSync(path, { force: true });
      crew.dismiss();
      return true;
    },
  };
}
