import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import type { Http2Step } from './case.ts';
import type { Expecting, Saw } from './client.ts';
import type { Message } from './message.ts';

/**
 * A client of HTTP/2 that says frames as it is told, also ones that no library would send. It reads of an answer its
 * status, the size of its body and how it ended.
 */
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const frameTypes = {
  data: 0,
  headers: 1,
  rst: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
const flag = { endStream: 1, endHeaders: 4, ack: 1 } as const;
const quietMs = 25;
const bodyKeptMax = 65_536;
/** The peer may not use a table, so every answer's status is readable by itself. */
const noTable = Buffer.from([0, 1, 0, 0, 0, 0]);

export function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** HPACK without table and without Huffman: each field as it is given. */
export function fieldBlock(fields: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), ...[name, value].map(literal)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const size = [127];
  for (let left = bytes.length - 127; ; left >>= 7) {
    size.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([Buffer.from(size), bytes]);
}

interface Stream {
  status: number;
  readonly informational: number[];
  bodyBytes: number;
  body: string;
  ended: boolean;
  reset: number | null;
}

/** Says what a case says on one connection of its own, and listens until all streams have ended. */
export async function talkHttp2(
  at: { readonly host: string; readonly port: number },
  steps: readonly Http2Step[],
  expecting: Expecting,
): Promise<Saw> {
  const socket = connect({ ...at, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  const heard = new Heard(socket);
  await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]).catch(() => {});
  socket.write(Buffer.concat([Buffer.from(preface), frame(frameTypes.settings, 0, 0, noTable)]));
  const deadline = performance.now() + expecting.patienceMs;
  let stuck: string | null = null;
  const waitFor = async (what: string, holds: () => boolean) => {
    while (!holds() && heard.ended === 'open' && stuck === null) {
      if (performance.now() > deadline) stuck = `never came: ${what}`;
      await sleep(2);
    }
  };
  const opened = new Set<number>();
  for (const step of steps) {
    if (stuck !== null || heard.ended !== 'open') break;
    if (step.kind === 'headers') opened.add(step.stream);
    if (step.kind === 'rst') opened.delete(step.stream);
    if (step.kind === 'await')
      await waitFor(
        `the end of stream ${step.stream}`,
        () => heard.over(step.stream) || heard.goneAway !== null,
      );
    else socket.write(bytesOf(step));
  }
  const isOver = (id: number) => heard.over(id) || (heard.goneAway ?? 0) > 0;
  await waitFor('the end of all streams', () => !expecting.end && [...opened].every(isOver));
  if (heard.ended === 'open') await sleep(quietMs);
  socket.destroy();
  const all = [...opened].sort((a, b) => a - b).map((id) => ({ id, ...heard.stream(id) }));
  return {
    answers: all.filter(({ status }) => status > 0).map(asMessage),
    informational: all.flatMap(({ informational }) => informational),
    resets: all.filter(({ reset, status }) => reset !== null && status === 0).map(({ id }) => id),
    goneAway: heard.goneAway,
    ended: heard.ended,
    stuck,
    tunnel: '',
    fault: null,
  };
}

/** Reads frames, and answers those that must be answered. */
class Heard {
  ended: Saw['ended'] = 'open';
  goneAway: number | null = null;
  readonly #socket: TLSSocket;
  readonly #streams = new Map<number, Stream>();
  #pending: Buffer = Buffer.alloc(0);

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('end', () => {
      if (this.ended === 'open') this.ended = 'fin';
    });
    socket.on('error', () => {
      this.ended = 'reset';
    });
  }

  over(id: number): boolean {
    const stream = this.#streams.get(id);
    return stream !== undefined && (stream.ended || stream.reset !== null);
  }

  stream(id: number): Stream {
    const known = this.#streams.get(id) ?? {
      ...{ status: 0, informational: [], bodyBytes: 0, body: '', ended: false, reset: null },
    };
    this.#streams.set(id, known);
    return known;
  }

  #read(bytes: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    for (;;) {
      const { length } = this.#pending;
      const payloadLength = length >= 9 ? this.#pending.readUIntBE(0, 3) : 0;
      if (length < 9 + payloadLength) return;
      const [, , , type = 0, flags = 0] = this.#pending;
      const id = this.#pending.readUInt32BE(5) & 0x7fffffff;
      const payload = this.#pending.subarray(9, 9 + payloadLength);
      this.#pending = this.#pending.subarray(9 + payloadLength);
      this.#frame(type, flags, id, payload);
    }
  }

  #frame(type: number, flags: number, id: number, payload: Buffer): void {
    const isAck = (flags & flag.ack) !== 0;
    if (type === frameTypes.settings && !isAck)
      this.#write(frameTypes.settings, flag.ack, 0, Buffer.alloc(0));
    if (type === frameTypes.ping && !isAck) this.#write(frameTypes.ping, flag.ack, 0, payload);
    if (type === frameTypes.goAway) this.goneAway = payload.readUInt32BE(4);
    if (type === frameTypes.rst) this.stream(id).reset = payload.readUInt32BE(0);
    if (type !== frameTypes.headers && type !== frameTypes.data) return;
    if (type === frameTypes.headers) this.#headers(id, payload);
    else this.#data(id, payload);
    if ((flags & flag.endStream) !== 0) this.stream(id).ended = true;
  }

  #headers(id: number, payload: Buffer): void {
    const status = statusIn(payload);
    if (status === null) return;
    if (status < 200) this.stream(id).informational.push(status);
    else this.stream(id).status = status;
  }

  #data(id: number, payload: Buffer): void {
    const stream = this.stream(id);
    stream.bodyBytes += payload.length;
    if (stream.body.length < bodyKeptMax) stream.body += payload.toString('latin1');
    if (payload.length === 0) return;
    const increment = Buffer.alloc(4);
    increment.writeUInt32BE(payload.length);
    for (const on of [0, id]) this.#write(frameTypes.windowUpdate, 0, on, increment);
  }

  #write(type: number, flags: number, stream: number, payload: Buffer): void {
    if (this.#socket.writable) this.#socket.write(frame(type, flags, stream, payload));
  }
}

function asMessage({ status, bodyBytes, body, ended, reset }: Stream): Message {
  const complete = ended && (reset === null || reset === 0);
  return {
    start: `HTTP/1.1 ${status}`,
    headers: [],
    framing: 'length',
    body,
    bodyBytes,
    trailers: [],
    complete,
  };
}

function bytesOf(step: Exclude<Http2Step, { kind: 'await' }>): Buffer {
  switch (step.kind) {
    case 'headers':
      return headerFrames(step.stream, fieldBlock(step.fields), step.end);
    case 'data':
      return frame(
        frameTypes.data,
        step.end ? flag.endStream : 0,
        step.stream,
        Buffer.from(step.bytes, 'latin1'),
      );
    case 'rst':
      return frame(frameTypes.rst, 0, step.stream, Buffer.from([0, 0, 0, 8]));
    case 'frame':
      return frame(step.type, step.flags, step.stream, Buffer.from(step.payload, 'latin1'));
  }
}

/** Larger blocks go on in CONTINUATION frames. */
function headerFrames(stream: number, block: Buffer, end: boolean): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at === 0 || at < block.length; at += 16_384) {
    const last = at + 16_384 >= block.length ? flag.endHeaders : 0;
    const flags = last | (at === 0 && end ? flag.endStream : 0);
    pieces.push(
      frame(
        at === 0 ? frameTypes.headers : frameTypes.continuation,
        flags,
        stream,
        block.subarray(at, at + 16_384),
      ),
    );
  }
  return Buffer.concat(pieces);
}

const indexed: Readonly<Record<number, number>> = {
  8: 200,
  9: 204,
  10: 206,
  11: 304,
  12: 400,
  13: 404,
  14: 500,
};
const statusIndexes = [8, 9, 10, 11, 12, 13, 14];

/** The status stands first, behind changes of the table's size. Null: trailers, or a form that is not read here. */
function statusIn(block: Buffer): number | null {
  let at = 0;
  while (at < block.length && ((block[at] ?? 0) & 0xe0) === 0x20)
    at += ((block[at] ?? 0) & 0x1f) === 0x1f ? 2 : 1;
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) return indexed[first & 0x7f] ?? null;
  const index = (first & 0x40) !== 0 ? first & 0x3f : first & 0x0f;
  if (index === 0) return statusByName(block, at + 1);
  return statusIndexes.includes(index) ? digits(block, at + 1) : null;
}

/** A name that is spelled out: `:status`, plain or in Huffman's code (`b8848d36a3`). */
function statusByName(block: Buffer, at: number): number | null {
  const length = (block[at] ?? 0) & 0x7f;
  const name = block.subarray(at + 1, at + 1 + length);
  const isStatus = name.toString('latin1') === ':status' || name.toString('hex') === 'b8848d36a3';
  return isStatus ? digits(block, at + 1 + length) : null;
}

/** HPACK's code for digits: 0, 1, 2 in five bits, the others in six. */
function digits(block: Buffer, at: number): number {
  const head = block[at] ?? 0;
  const bytes = block.subarray(at + 1, at + 1 + (head & 0x7f));
  if ((head & 0x80) === 0) return Number(bytes.toString('latin1'));
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let text = '';
  while (text.length < 3 && bits.length >= 5) {
    const five = Number.parseInt(bits.slice(0, 5), 2);
    const isShort = five < 3;
    text += isShort ? five : Number.parseInt(bits.slice(0, 6), 2) - 0x19 + 3;
    bits = bits.slice(isShort ? 5 : 6);
  }
  return Number(text);
}
