import type { Preface } from './preface.ts';

/**
 * The name in the first message of TLS (RFC 8446, 4.1.2; RFC 6066, 3), which may come in several records. Nothing is
 * trusted: every length is held against what is there, and a message that is not whole within the limit is wrong.
 */
export interface ClientHello {
  /** Lower case. Null: it asks for none. */
  readonly name: string | null;
}

/** Records and their heads. Hellos with keys for quantum computers have about 1,800 bytes. */
export const helloBytesMax = 16_384;

type NotYet = Exclude<Preface<never>, { kind: 'whole' }>;

const incomplete: NotYet = { kind: 'incomplete' };
const wrong: NotYet = { kind: 'wrong' };
const handshakeRecord = 22;
const clientHelloMessage = 1;
const recordBytesMax = 16_384;
const serverNameExtension = 0;
const hostName = 0;

/** `length` is 0: the server is to read it all. */
export function parseClientHello(bytes: Buffer): Preface<ClientHello> {
  const message = firstMessage(bytes);
  if (!Buffer.isBuffer(message))
    return message.kind === 'incomplete' && bytes.length < helloBytesMax ? incomplete : wrong;
  try {
    return { kind: 'whole', value: { name: nameIn(new Reader(message)) }, length: 0 };
  } catch (error) {
    if (error instanceof TooShort) return wrong;
    throw error;
  }
}

/** The whole of a handshake message, out of as many records as it takes. */
function firstMessage(bytes: Buffer): Buffer | NotYet {
  const parts: Buffer[] = [];
  let have = 0;
  for (let at = 0; ; ) {
    const known = bytes.subarray(at, at + 5);
    const isTls = (known[0] ?? handshakeRecord) === handshakeRecord && (known[1] ?? 3) === 3;
    if (!isTls) return wrong;
    if (known.length < 5) return incomplete;
    const length = known.readUInt16BE(3);
    if (length === 0 || length > recordBytesMax) return wrong;
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    have += part.length;
    const message = messageIn(parts, have);
    if (message !== incomplete) return message;
    at += 5 + length;
    if (at > helloBytesMax) return wrong;
    if (part.length < length) return incomplete;
  }
}

function messageIn(parts: readonly Buffer[], have: number): Buffer | NotYet {
  if ((parts[0]?.[0] ?? clientHelloMessage) !== clientHelloMessage) return wrong;
  if (have < 4) return incomplete;
  const all = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  const length = all.readUIntBE(1, 3);
  if (length + 4 > helloBytesMax) return wrong;
  return have < length + 4 ? incomplete : all.subarray(4, length + 4);
}

/** A length says more than is there. */
class TooShort extends Error {}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(size: 1 | 2): number {
    const bytes = this.take(size);
    return bytes.readUIntBE(0, size);
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new TooShort();
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** What stands behind its own length. */
  block(size: 1 | 2): Reader {
    return new Reader(this.take(this.number(size)));
  }

  get bytes(): Buffer {
    return this.#bytes;
  }
}

/** @throws TooShort also for what cannot be meant: two names, an empty one, bytes that no name has. */
function nameIn(hello: Reader): string | null {
  hello.take(2 + 32);
  hello.block(1);
  hello.block(2);
  hello.block(1);
  if (hello.done) return null;
  const extensions = hello.block(2);
  if (!hello.done) throw new TooShort();
  let found: Reader | null = null;
  while (!extensions.done) {
    const type = extensions.number(2);
    const content = extensions.block(2);
    if (type !== serverNameExtension) continue;
    if (found) throw new TooShort();
    found = content;
  }
  return found && hostNameIn(found);
}

function hostNameIn(content: Reader): string {
  const names = content.block(2);
  if (!content.done) throw new TooShort();
  const type = names.number(1);
  const name = names.block(2).bytes.toString('latin1');
  if (type !== hostName || !names.done || !/^[\x21-\x7e]{1,255}$/.test(name)) throw new TooShort();
  return name.toLowerCase();
}
