import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { ClientStep } from './case.ts';
import { type Message, MessageReader } from './message.ts';
import { fill } from './origin.ts';

/** What a client of a connection saw. */
export interface Saw {
  readonly answers: readonly Message[];
  readonly informational: readonly number[];
  /** Bytes behind a 101. */
  readonly tunnel: string;
  readonly ended: 'open' | 'fin' | 'reset';
  /** What came could not be read. */
  readonly fault: string | null;
  /** HTTP/2 only. */
  readonly resets: readonly number[];
  readonly goneAway: number | null;
  /** A step waited for something that never came. */
  readonly stuck: string | null;
}

export interface Expecting {
  readonly answers: number;
  /** How long each is waited for. */
  readonly patienceMs: number;
  /** Waits until the other side ends the connection. */
  readonly end: boolean;
  /** Waits until a tunnel has carried this many bytes. */
  readonly tunnelBytes: number;
}

/** How long nothing more may come until that counts as the end. */
const quietMs = 25;
/** How long the other side may take to end a connection behind its last answer. */
const endMsMax = 10_000;

/** Says what a case says on one connection, and listens until what is expected has come, or cannot come any more. */
export async function talk(
  at: {
    readonly host: string;
    readonly port: number;
    /** Absent or null: in plain text. `servername` empty: it names nobody. */
    readonly tls?: { readonly cert?: string; readonly key?: string; readonly servername: string } | null;
  },
  steps: readonly ClientStep[],
  expecting: Expecting,
): Promise<Saw> {
  const { host, port, tls } = at;
  const socket = tls
    ? connectTls({ host, port, ...tls, rejectUnauthorized: false })
    : connect({ host, port, allowHalfOpen: true, noDelay: true });
  let ended: Saw['ended'] = 'open';
  let came = '';
  const methods = steps.flatMap((step) => (typeof step === 'string' ? methodsIn(step) : []));
  const finals: Message[] = [];
  const reader = new MessageReader({
    kind: 'response',
    methodOf: (nth) => methods[nth] ?? 'GET',
    onMessage(message) {
      if (statusOf(message) >= 200 || statusOf(message) === 101) finals.push(message);
    },
  });
  socket.setEncoding('latin1').on('data', (bytes: string) => {
    if (came.length < 1_048_576) came += bytes;
    reader.push(bytes);
  });
  socket.on('end', () => {
    if (ended === 'open') ended = 'fin';
    reader.end();
  });
  socket.on('error', () => {
    ended = 'reset';
  });
  const open = tls ? 'secureConnect' : 'connect';
  await Promise.race([once(socket, open), once(socket, 'close')]).catch(() => {});
  const deadline = performance.now() + expecting.patienceMs;
  let stuck: string | null = null;
  const waitFor = async (what: string, holds: () => boolean) => {
    while (!holds()) {
      if (performance.now() > deadline) stuck ??= `never came: ${what}`;
      if (stuck !== null || ended !== 'open') return;
      await sleep(2);
    }
  };
  for (const step of steps) {
    if (stuck !== null || socket.destroyed) break;
    if (step instanceof RegExp) await waitFor(String(step), () => step.test(came));
    else await act(socket, step);
  }
  const complete = () =>
    reader.fault !== null ||
    (finals.length >= expecting.answers && reader.raw.length >= expecting.tunnelBytes);
  if (stuck === null) await waitFor('the answers', complete);
  const end = performance.now() + (expecting.end ? endMsMax : quietMs);
  while (ended === 'open' && performance.now() < end) await sleep(2);
  const saw = {
    answers: reader.messages.filter((message) => statusOf(message) >= 200 || statusOf(message) === 101),
    informational: reader.messages.map(statusOf).filter((status) => status < 200 && status !== 101),
    tunnel: reader.raw,
    ended,
    fault: reader.fault,
    resets: [],
    goneAway: null,
    stuck,
  };
  socket.destroy();
  return saw;
}

export function statusOf(message: Message): number {
  return Number(message.start.slice(9, 12));
}

/** Of requests that begin at the beginning of what is sent, or right behind an empty line. */
function methodsIn(bytes: string): string[] {
  return [...bytes.matchAll(/(?:^|\r\n\r\n)([A-Z]+) \S+ HTTP\/1/g)].map(([, method = '']) => method);
}

async function act(socket: Socket, step: Exclude<ClientStep, RegExp>): Promise<void> {
  if (typeof step === 'string') {
    if (!socket.write(step, 'latin1')) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
    return;
  }
  switch (step.kind) {
    case 'end':
      socket.end();
      return;
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'pause':
      return sleep(step.ms);
    case 'slowly':
      for (const byte of step.bytes) {
        if (socket.destroyed) return;
        socket.write(byte, 'latin1');
        await sleep(step.everyMs);
      }
      return;
    case 'fill':
      return fill(socket, step.bytes);
    case 'stopReading':
      socket.pause();
      await sleep(step.ms);
      socket.resume();
  }
}
