import { assert } from '#base';
import type { Mirror } from '#routing';
import type { Exchange } from './exchange.ts';
import type { Generation } from './generation.ts';
import type { Head } from './head.ts';
import { valuesOf } from './headers.ts';
import type { Lease, PoolState } from './pool.ts';
import { requestText, type SendOptions } from './send.ts';
import { type Asker, Connections, type ServerConnection } from './upstream.ts';

/** Copies under way at once, in this process; more requests have none. With the longest body: 25 MB. */
const copiesMax = 256;
/** What is longer, or does not tell its length, or is upgraded, has no copy: it is passed on while it comes. */
const bodyBytesMax = 99_999;

let copies = 0;

/** What stands in for a client that waits: a copy has none. */
const nobody = { gone: false, whenGone() {} };

/**
 * Sends a copy of a request to a server of the mirror's pool, once its body is whole. The client and its own answer wait
 * for nothing of it; what becomes of it is nowhere counted. `options`: the request as a server sees it.
 */
export function mirrored(
  generation: Generation,
  exchange: Exchange,
  { pool: name, share }: Mirror,
  [head, options]: readonly [Head, SendOptions],
): void {
  if (Math.random() >= share || exchange.upgrade || copies >= copiesMax) return;
  const pool = generation.pools.get(name);
  assert(pool, `no pool is called ${name}`);
  const [said] = valuesOf(options.headers, 'content-length');
  const length = head.hasBody ? Number(said ?? Number.NaN) : 0;
  if (!(length <= bodyBytesMax)) return;
  const connection = pool.config.proxyProtocol === null ? 'any' : 'once';
  const text = requestText(head, { ...options, connection }, null);
  if (text === null) return;
  copies += 1;
  const over = onlyOnce(() => {
    copies -= 1;
  });
  const go = (body: Buffer) => void ask(generation, exchange, pool, { head, text, body }).finally(over);
  if (length === 0) go(Buffer.alloc(0));
  else collect(exchange, length, go, over);
}

interface Copy {
  readonly head: Head;
  readonly text: string;
  readonly body: Buffer;
}

/** The body as it goes to the server; a client that does not finish it has no copy. */
function collect(exchange: Exchange, length: number, whole: (body: Buffer) => void, never: () => void): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  let isWhole = false;
  exchange.copy = (part) => {
    parts.push(Buffer.from(part));
    bytes += part.length;
    if (bytes < length) return;
    exchange.copy = null;
    isWhole = true;
    whole(Buffer.concat(parts));
  };
  exchange.response.once('close', () => {
    exchange.copy = null;
    if (!isWhole) never();
  });
}

async function ask(generation: Generation, exchange: Exchange, pool: PoolState, copy: Copy): Promise<void> {
  const preference = { hashKey: null, sticky: null, source: exchange.facts.client.address };
  const lease: Lease = await pool.acquire(preference, new Set(), nobody);
  if (lease.kind !== 'server') return;
  const { server, release } = lease;
  const own = pool.config.proxyProtocol !== null;
  const reach = generation.reaches.get(pool);
  const to = own
    ? reach && new Connections(reach.way(server.config, exchange.facts))
    : generation.connections.get(server);
  assert(to, `no connections for ${server.key}`);
  await new Promise<void>((resolve) => {
    to.take(
      own,
      (connection) => new Discarded(connection, resolve).ask(copy, pool.config.timeouts.serverMs),
      () => resolve(),
    );
  }).finally(release);
}

/** Reads an answer that nobody wants, for as long as a server may be silent in all. */
class Discarded implements Asker {
  readonly #connection: ServerConnection;
  readonly #over: () => void;
  #late: NodeJS.Timeout | undefined;

  constructor(connection: ServerConnection, over: () => void) {
    this.#connection = connection;
    this.#over = over;
  }

  ask({ head, text, body }: Copy, msMax: number): void {
    this.#late = setTimeout(() => this.#drop(), msMax).unref();
    this.#connection.ask(this, text, { bodyless: head.method === 'HEAD', silenceMs: msMax });
    if (body.length > 0) this.#connection.socket.write(body);
  }

  onInformational(): void {}
  onHead(): void {}
  onData(): void {}

  onEnd(): void {
    this.#end();
  }

  onSwitch(): void {
    this.#drop();
  }

  onSilence(): void {
    this.#drop();
  }

  onBroken(): void {
    this.#end();
  }

  #drop(): void {
    this.#connection.drop();
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#late);
    this.#over();
  }
}

function onlyOnce(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
