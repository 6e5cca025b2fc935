import { closeSync } from 'node:fs';
import { type Clock, Failure, identify } from '#base';
import type { ForeignEngine } from '#engines';
import { mustTakeDescriptor } from '../holder/descriptors.ts';
import type { HolderClient, ListenerAddress } from '../holder/protocol.ts';
import { mustAccept } from './accepts.ts';
import { listeningSockets, processIds, sameHost, socketsOf } from './listening.ts';
import { mainOf, programOf, withDescendants } from './processes.ts';

export interface HandBackParts {
  readonly holder: HolderClient;
  readonly addresses: readonly ListenerAddress[];
  readonly foreign: ForeignEngine;
  readonly clock: Clock;
  /** Starts the other engine. With descriptors, it inherits them as 3 and on, with this environment beside its own. */
  readonly start: (inherited: Inherited | null) => Promise<void>;
}

export interface Inherited {
  readonly fds: readonly number[];
  readonly environment: Readonly<Record<string, string>>;
}

const listenMsMax = 15_000;
const lookMs = 50;
/** What had come to our sockets before new connections were steered away is accepted by then. */
const queueMs = 300;
const firstInherited = 3;

/**
 * Starts the other engine beside ours and leads new connections to it; one that an earlier handing back started is
 * taken as it is. Resolves with its processes when it accepts on every address; from then on ours gets none.
 * @throws Failure HF505: ours goes on as before.
 */
export async function handBack(parts: HandBackParts): Promise<readonly number[]> {
  const { generations } = await parts.holder.call('status', {});
  if (generations.length === 0) return await alone(parts);
  const inherits = parts.foreign.inherits(parts.addresses.map((_, index) => firstInherited + index));
  return inherits === null ? await stoodBeside(parts) : await inherited(parts, inherits);
}

/** Nothing of ours serves: it is started where it does not run yet. Our sockets, on which nobody accepts, are closed first. */
async function alone({
  holder,
  addresses,
  clock,
  start,
  foreign,
}: HandBackParts): Promise<readonly number[]> {
  const theirs = () => engineOn(addresses.flatMap(inodesAt), foreign);
  if (theirs().length === 0) {
    const { pid } = await holder.call('status', {});
    await holder.call('shutdown', { withinMs: 0 });
    while (identify(pid)) await clock.sleep(lookMs);
    await start(null);
    await untilAll(addresses, (address) => inodesAt(address).length > 0, clock);
  }
  await mustAccept(addresses, theirs, clock);
  return theirs();
}

async function stoodBeside(parts: HandBackParts): Promise<readonly number[]> {
  const { holder, addresses, clock, start, foreign } = parts;
  const { pid } = await holder.call('status', {});
  const ours = new Set(socketsOf(pid)?.keys());
  await holder.call('share', {});
  // A socket that stands alone cannot be steered, and need not.
  const toOurs = () => holder.call('steer', { listeners: addresses, first: 0, count: 1 }).catch(() => {});
  await toOurs();
  const theirs = (address: ListenerAddress) => inodesAt(address).filter((inode) => !ours.has(inode));
  const pids = () => engineOn(addresses.flatMap(theirs), foreign);
  try {
    if (!addresses.every((address) => theirs(address).length > 0)) await start(null);
    await untilAll(addresses, (address) => theirs(address).length > 0, clock);
    for (const address of addresses)
      await holder.call('steer', { listeners: [address], first: 1, count: theirs(address).length });
    await mustAccept(addresses, pids, clock);
  } catch (error) {
    await toOurs();
    throw error;
  }
  await clock.sleep(queueMs);
  return pids();
}

async function inherited(
  parts: HandBackParts,
  environment: Readonly<Record<string, string>>,
): Promise<readonly number[]> {
  const { holder, addresses, clock, start, foreign } = parts;
  const { pid, generations } = await holder.call('status', {});
  const open = socketsOf(pid);
  const fds = addresses.map((address) => {
    const number = inodesAt(address).flatMap((inode) => open?.get(inode) ?? [])[0];
    if (number === undefined)
      throw new Failure('HF505', `the holder has no socket for ${address.host}:${address.port}`);
    return mustTakeDescriptor(pid, number);
  });
  const inodes = addresses.flatMap(inodesAt);
  const theirs = () => {
    // Our NGINX has workers, which have the sockets too.
    const known = new Set([process.pid, ...[pid, ...generations.map((g) => g.pid)].flatMap(withDescendants)]);
    return engineOn(inodes, foreign).filter((one) => !known.has(one) && !known.has(mainOf(one)));
  };
  try {
    if (theirs().length === 0) await start({ fds, environment });
    await untilAll(addresses, () => theirs().length > 0, clock);
    // Of two that wait on one socket the kernel wakes the same one again and again.
    await holder.call('side', { side: 'parked' });
    const found = theirs();
    await mustAccept(addresses, () => found.flatMap(withDescendants), clock);
    return found;
  } catch (error) {
    await holder.call('side', { side: 'accepting' }).catch(() => {});
    throw error;
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/**
 * An adoption that was cut off: its engine `main` still runs and gets its new connections back. Resolves with its
 * processes. @throws Failure HF505: ours goes on as before.
 */
export async function giveBack(
  { holder, addresses, clock }: Pick<HandBackParts, 'holder' | 'addresses' | 'clock'>,
  main: number,
  back: (() => Promise<void>) | null,
): Promise<readonly number[]> {
  const { pid } = await holder.call('status', {});
  const ours = new Set(socketsOf(pid)?.keys());
  const theirs = (address: ListenerAddress) => inodesAt(address).filter((inode) => !ours.has(inode));
  try {
    await back?.();
    for (const address of back ? [] : addresses)
      await holder.call('steer', { listeners: [address], first: 0, count: theirs(address).length });
    if (back) await holder.call('side', { side: 'parked' });
    await mustAccept(addresses, () => withDescendants(main), clock);
  } catch (error) {
    await holder.call('side', { side: 'accepting' }).catch(() => {});
    throw error;
  }
  return withDescendants(main);
}

async function untilAll(
  addresses: readonly ListenerAddress[],
  holds: (address: ListenerAddress) => boolean,
  clock: Clock,
): Promise<void> {
  const deadline = clock.monotonicMs() + listenMsMax;
  for (const address of addresses)
    while (!holds(address)) {
      if (clock.monotonicMs() > deadline)
        throw new Failure(
          'HF505',
          `the engine that was started does not listen on ${address.host}:${address.port} after ${listenMsMax / 1_000} s`,
          'See its own log. Ours goes on.',
        );
      await clock.sleep(lookMs);
    }
}

function inodesAt({ host, port }: ListenerAddress): string[] {
  return listeningSockets()
    .filter((one) => one.port === port && one.host === sameHost(host))
    .map(({ inode }) => inode);
}

/** The engine's processes that have one of these sockets. */
function engineOn(inodes: readonly string[], { executable }: ForeignEngine): number[] {
  const wanted = new Set(inodes);
  return processIds().filter(
    (pid) =>
      programOf(pid) === executable && [...(socketsOf(pid)?.keys() ?? [])].some((inode) => wanted.has(inode)),
  );
}
