import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server as TlsServer } from 'node:tls';

interface Key {
  readonly name: Buffer;
  readonly aes: Buffer;
  readonly hmac: Buffer;
}

/** 0: unknown. 1: to encrypt with. 2: taken up, and a fresh ticket is given. */
type Answer = readonly [found: 0 | 1 | 2, hmac: Buffer, aes: Buffer, name?: Buffer, iv?: Buffer];

/** Node's own, which it does not document: `setTicketKeys`, which it does, knows a single key. */
interface NativeContext {
  enableTicketKeyCallback?(): void;
  onticketkeycallback?: (name: Buffer, iv: Buffer, encrypts: boolean) => Answer;
}

const keyBytes = 48;
const partBytes = 16;

/** The keys of TLS tickets, for all TLS listeners of this process, changed while it runs. */
export class Tickets {
  #keys: readonly Key[];
  readonly #servers: TlsServer[] = [];

  /** @param lines base64 as HAProxy has it: name, encryption, authentication; the last but one encrypts. Throws when they are none. */
  constructor(lines: readonly string[]) {
    this.#keys = keysOf(lines);
  }

  static read(file: string): Tickets {
    return new Tickets(readFileSync(file, 'utf8').trim().split('\n'));
  }

  set(lines: readonly string[]): void {
    this.#keys = keysOf(lines);
    for (const server of this.#servers) this.#setOne(server);
  }

  serve(server: TlsServer): void {
    const { context } =
      (server as unknown as { _sharedCreds?: { context?: NativeContext } })._sharedCreds ?? {};
    if (!context?.enableTicketKeyCallback) {
      this.#servers.push(server);
      this.#setOne(server);
      return;
    }
    context.enableTicketKeyCallback();
    context.onticketkeycallback = (name, _iv, encrypts) => (encrypts ? this.#sealing() : this.#opening(name));
  }

  #setOne(server: TlsServer): void {
    const { name, aes, hmac } = this.#current;
    server.setTicketKeys(Buffer.concat([name, hmac, aes]));
  }

  get #current(): Key {
    const key = this.#keys.at(-2) ?? this.#keys.at(-1);
    if (!key) throw new Error('there is no key for TLS tickets');
    return key;
  }

  #sealing(): Answer {
    const { name, aes, hmac } = this.#current;
    return [1, hmac, aes, name, randomBytes(partBytes)];
  }

  #opening(name: Buffer): Answer {
    const known = this.#keys.find((key) => key.name.equals(name));
    const { hmac, aes } = known ?? this.#current;
    return [known ? 2 : 0, hmac, aes];
  }
}

function keysOf(lines: readonly string[]): Key[] {
  if (lines.length === 0) throw new Error('there is no key for TLS tickets');
  return lines.map((line) => {
    const key = Buffer.from(line, 'base64');
    if (key.length !== keyBytes) throw new Error('a key for TLS tickets has 48 bytes, in base64');
    const part = (index: number) => key.subarray(index * partBytes, (index + 1) * partBytes);
    return { name: part(0), aes: part(1), hmac: part(2) };
  });
}
