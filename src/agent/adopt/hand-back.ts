import { closeSync } from 'node:fs';
import { type Clock, Failure } from '#base';
import type { ForeignEngine } from '#engines';
import { mustTakeDescriptor } from '../holder/descriptors.ts';
import type { HolderClient, ListenerAddress } from '../holder/protocol.ts';
import { mustAccept } from './accepts.ts';
import { listeningSockets, processIds, sameHost, socketsOf } from './listening.ts';
import { withDescendants } from './processes.ts';

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
 * Starts the other engine beside ours and leads new connections to it. Resolves with its processes when it accepts on
 * every address; from then on ours gets none. @throws Failure HF505: ours goes on as before.
 */
export async function handBack(parts: HandBackParts): Promise<readonly number[]> {
  const inherits = parts.foreign.inherits(parts.addresses.map((_, index) => firstInherited + index));
  return inherits === null ? await stoodBeside(parts) : await inherited(parts, inherits);
}

async function stoodBeside(parts: HandBackParts): Promise<readonly number[]> {
  const { holder, addresses, clock, start } = parts;
  const ours = new Set(addresses.flatMap(inodesAt));
  await holder.call('share', {});
  // A socket that stands alone cannot be steered, and need not.
  const toOurs = () => holder.call('steer', { listeners: addresses, first: 0, count: 1 }).catch(() => {});
  await toOurs();
  const theirs = (address: ListenerAddress) => inodesAt(address).filter((inode) => !ours.has(inode));
  const pids = () => whoHas(new Set(addresses.flatMap(theirs)));
  try {
    await start(null);
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
  const { holder, addresses, clock, start } = parts;
  const { pid, generations } = await holder.call('status', {});
  const open = socketsOf(pid);
  const fds = addresses.map((address) => {
    const number = inodesAt(address).flatMap((inode) => open?.get(inode) ?? [])[0];
    if (number === undefined)
      throw new Failure('HF505', `the holder has no socket for ${address.host}:${address.port}`);
    return mustTakeDescriptor(pid, number);
  });
  const known = new Set([pid, process.pid, ...generations.map((g) => g.pid)]);
  const inodes = new Set(addresses.flatMap(inodesAt));
  // Our NGINX has workers, which have the sockets too: whoever had them before is not the other engine.
  for (const before of whoHas(inodes)) known.add(before);
  const theirs = () => whoHas(inodes).filter((one) => !known.has(one));
  try {
    await start({ fds, environment });
    await untilAll(addresses, () => theirs().length > 0, clock);
    // Of two that wait on one socket the kernel wakes the same one again and again.
    await holder.call('side', { side: 'parked' });
    const found = theirs();
    await mustAccept(addresses, () => found.flatMap(withDescendants), clock);
    return found;
  } catch (error) {
    await holder.call('side', { side: 'accepting' });
    throw error;
  } finally {
    for (const fd of fds) closeSync(fd);
  }
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

function whoHas(inodes: ReadonlySet<string>): number[] {
  return processIds().filter((pid) => [...(socketsOf(pid)?.keys() ?? [])].some((inode) => inodes.has(inode)));
}
