import { connect } from 'node:net';
import { type Clock, Failure } from '#base';
import type { ListenerAddress } from '../holder/protocol.ts';
import { connectionsAt, socketsOf } from './listening.ts';

const acceptMsMax = 20_000;
/** Longer than a busy machine takes to accept, so that one try is enough where nobody else accepts. */
const looksMax = 20;
const lookMs = 25;

/**
 * Connects to every address until one of these processes is who accepted; others may accept there too, so it may take
 * some tries. Nothing is sent. @throws Failure HF505
 */
export async function mustAccept(
  addresses: readonly ListenerAddress[],
  pids: () => readonly number[],
  clock: Clock,
): Promise<void> {
  for (const address of addresses) {
    const deadline = clock.monotonicMs() + acceptMsMax;
    let accepted = false;
    while (!accepted && clock.monotonicMs() < deadline) accepted = await acceptedBy(address, pids(), clock);
    if (!accepted)
      throw new Failure(
        'HF505',
        `process ${pids().join(', ') || '(none)'} does not accept on ${address.host}:${address.port}`,
        'What served before still serves.',
      );
  }
}

async function acceptedBy(
  { host, port }: ListenerAddress,
  pids: readonly number[],
  clock: Clock,
): Promise<boolean> {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const socket = connect({ host: reachable, port });
  try {
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true));
      socket.on('error', () => resolve(false));
    });
    const own = socket.localPort;
    // A table with many connections takes long to read, so it is the looks that are counted.
    for (let looks = 0; isOpen && looks < looksMax; looks += 1) {
      const end = connectionsAt(new Set([port])).find(({ peerPort }) => peerPort === own);
      if (end && pids.some((pid) => socketsOf(pid)?.has(end.inode))) return true;
      await clock.sleep(lookMs);
    }
    return false;
  } finally {
    socket.destroy();
  }
}
