import { type Clock, Failure, identify, isAlive } from '#base';
import { foreignEngines } from '#engines';
import { type Watched, watchedSockets } from '../holder/away.ts';
import type { HolderClient, ListenerAddress, SourcedListener } from '../holder/protocol.ts';
import { mustAccept } from './accepts.ts';
import type { RunningEngine } from './find.ts';
import { connectionsAt, sameHost, socketsOf } from './listening.ts';
import { withDescendants } from './processes.ts';

/** How new connections come to us while the other engine still has its own. */
export type Way = 'taken' | 'beside';

export interface TakeOverParts {
  readonly engine: RunningEngine;
  readonly holder: HolderClient;
  readonly addresses: readonly ListenerAddress[];
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** Takes sockets out of what these processes watch, and puts them in again: see `keepFromAccepting`. */
  readonly away: (watched: readonly Watched[]) => Promise<void>;
  readonly back: (watched: readonly Watched[]) => Promise<void>;
  /** Tells the engine to end gently, by its service manager where it has one. */
  readonly tellToEnd: (engine: RunningEngine) => Promise<void>;
}

const lookMs = 200;
/** A handshake that was under way when new connections were moved is over by then; a queue is empty sooner. */
const handshakesMs = 300;
const endMsMax = 5_000;
const openMsMax = 20_000;

/**
 * The engine's sockets, one for each address. @throws Failure HF504 that says which right is missing where neither a
 * copy can be had nor a socket of our own can stand beside it.
 */
export async function openBeside(parts: TakeOverParts): Promise<Way> {
  const { engine, addresses, holder, say } = parts;
  const until = identify(process.pid) ?? undefined;
  const open = (listeners: readonly SourcedListener[]) =>
    holder.call('open', { listeners, ...(until ? { until } : {}) }, openMsMax);
  const beside = addresses.map(
    (address): SourcedListener => ({
      ...address,
      from: { kind: 'beside', others: socketsAt(engine, address) },
    }),
  );
  // With several sockets on one address a copy of one would get only its part.
  if (addresses.some((address) => socketsAt(engine, address) > 1)) {
    await open(beside);
    return 'beside';
  }
  const taken = addresses.flatMap((address): SourcedListener[] =>
    sharesOf(engine, address)
      .slice(0, 1)
      .map(({ pid, fd, inode }) => ({ ...address, from: { kind: 'process', pid, fd, inode } })),
  );
  try {
    await open(taken);
    return 'taken';
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'HF504') throw error;
    say(`  ${error.message}; trying sockets of our own beside it`);
    await open(beside).catch(() => {
      throw error;
    });
    return 'beside';
  }
}

function sharesOf(engine: RunningEngine, { host, port }: ListenerAddress): RunningEngine['sockets'] {
  return engine.sockets.filter((socket) => socket.port === port && socket.host === sameHost(host));
}

/** How many sockets it has on one address: more than one where its threads or workers have one each. */
function socketsAt(engine: RunningEngine, address: ListenerAddress): number {
  return new Set(sharesOf(engine, address).map(({ inode }) => inode)).size;
}

/** What the engine watches, and no longer does once new connections come to ours. */
export function watchedBy(engine: RunningEngine): readonly Watched[] {
  const inodes = [...new Set(engine.sockets.map(({ inode }) => inode))];
  return watchedSockets(pidsOf(engine), inodes);
}

/**
 * New connections come to ours and no longer to the engine. Undone when ours does not answer on every address, or when
 * only a part of it could be done. @throws Failure HF504, HF505
 */
export async function moveNewConnections(
  parts: TakeOverParts,
  how: { readonly way: Way; readonly watched: readonly Watched[] },
  ours: number,
): Promise<void> {
  const { engine, addresses, holder, clock } = parts;
  if (how.way === 'taken') {
    try {
      await parts.away(how.watched);
      await mustAccept(addresses, () => withDescendants(ours), clock);
    } catch (error) {
      await parts.back(how.watched);
      throw error;
    }
    return;
  }
  const all = addresses.map((address) => ({ listeners: [address], others: socketsAt(engine, address) }));
  for (const { listeners, others } of all) await holder.call('steer', { listeners, first: others, count: 1 });
  try {
    await mustAccept(addresses, () => withDescendants(ours), clock);
  } catch (error) {
    for (const { listeners, others } of all)
      await holder.call('steer', { listeners, first: 0, count: others });
    throw error;
  }
}

/** Processes that may accept: a reload in between may have made new ones. */
function pidsOf(engine: RunningEngine): number[] {
  const inodes = new Set(engine.sockets.map(({ inode }) => inode));
  // Ours has the same sockets, and may be the same binary: only theirs.
  return withDescendants(engine.main.pid).filter((pid) =>
    [...(socketsOf(pid)?.keys() ?? [])].some((inode) => inodes.has(inode)),
  );
}

/** Open client connections on these addresses of processes and of what they started. */
export function connectionsOf(mains: readonly number[], addresses: readonly ListenerAddress[]): number {
  const own = new Set(mains.flatMap(withDescendants).flatMap((pid) => [...(socketsOf(pid)?.keys() ?? [])]));
  const ports = new Set(addresses.map(({ port }) => port));
  return connectionsAt(ports).filter(({ inode }) => own.has(inode)).length;
}

/**
 * Waits until the engine's open connections have ended by themselves, at most `waitMs`; then tells it to end gently.
 * Resolves with how many were still open when it was told: these it ends itself.
 */
export async function letItEnd(parts: TakeOverParts, waitMs: number): Promise<number> {
  const { engine, addresses, clock, say } = parts;
  const began = clock.monotonicMs();
  const waited = () => clock.monotonicMs() - began;
  const first = connectionsOf([engine.main.pid], addresses);
  if (first > 0)
    say(`  its ${first} open connections have up to ${Math.round(waitMs / 1_000)} s to end by themselves`);
  while (waited() < handshakesMs || (connectionsOf([engine.main.pid], addresses) > 0 && waited() < waitMs)) {
    if (!isAlive(engine.main)) break;
    await clock.sleep(lookMs);
  }
  const left = connectionsOf([engine.main.pid], addresses);
  if (isAlive(engine.main)) await parts.tellToEnd(engine);
  const deadline = clock.monotonicMs() + endMsMax;
  while (isListening(engine) && clock.monotonicMs() < deadline) await clock.sleep(lookMs / 10);
  if (isListening(engine))
    say(
      `  process ${engine.main.pid} was told to end and still has the sockets. New connections come to us all the same. End it: kill -${foreignEngines[engine.dialect].gentleSignal.slice(3)} ${engine.main.pid}`,
    );
  return left;
}

function isListening(engine: RunningEngine): boolean {
  if (!identify(engine.main.pid)) return false;
  const inodes = new Set(engine.sockets.map(({ inode }) => inode));
  return withDescendants(engine.main.pid).some((pid) =>
    [...(socketsOf(pid)?.keys() ?? [])].some((inode) => inodes.has(inode)),
  );
}
