import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Filters, RoutedListener } from '#routing';
import type { Endpoint } from './address.ts';
import type { Head, HttpVersion } from './head.ts';
import { pairs } from './headers.ts';

const dropBodyMsMax = 10_000;

/** What is known of a client's connection before its first request. */
export interface ConnectionFacts {
  readonly side: 'public' | 'entrance';
  /** Null: the entrance was asked for a port that no listener has. */
  readonly listener: RoutedListener | null;
  readonly client: Endpoint;
  readonly local: Endpoint;
  /** Of the certificate that the client has shown, as RFC 2253 writes it. Null: none. */
  readonly clientSubject: string | null;
}

export type ClientRequest = IncomingMessage | Http2ServerRequest;
export type ClientResponse = ServerResponse | Http2ServerResponse;

/** A connection that its client wants to use for another protocol. */
export interface Upgrade {
  readonly protocol: string;
  readonly stream: Duplex;
  /** What came behind the request's head. */
  readonly first: Buffer;
}

/** One request and its answer, whichever version of HTTP carries it. */
export class Exchange {
  readonly facts: ConnectionFacts;
  readonly request: ClientRequest;
  readonly response: ClientResponse;
  readonly upgrade: Upgrade | null;
  readonly version: HttpVersion;
  /** Set once it has been read. */
  head: Head | null = null;
  expectsContinue = false;
  status = 0;
  /** The site wants this answer, whatever its status: it is no error. */
  meant = false;
  /** What its rule does to it. */
  filters: Filters | null = null;
  /** For the error log. */
  pool = '';
  server = '';
  retries = 0;
  /** Why it failed, in one word. */
  why = '';
  /** As `performance.now` tells. */
  readonly beganAt = performance.now();
  readonly #writtenBefore: number;
  /** What a pool does to the answer's headers. Null: nothing. */
  dress: ((headers: readonly string[]) => readonly string[]) | null = null;
  /** Hears the body while it is passed on. */
  copy: ((bytes: Buffer) => void) | null = null;
  /** It took longer than it may. */
  expired = false;
  #deadline: NodeJS.Timeout | undefined;
  #gone = false;
  #whenGone: (() => void) | null = null;
  #closeAfter = false;

  constructor(
    facts: ConnectionFacts,
    request: ClientRequest,
    response: ClientResponse,
    upgrade: Upgrade | null = null,
  ) {
    this.facts = facts;
    this.request = request;
    this.response = response;
    this.upgrade = upgrade;
    this.#writtenBefore = request.socket?.bytesWritten ?? 0;
    this.version = isHttp2(response) ? '2' : versionOf(request.httpVersion);
    const left = () => {
      this.#gone = true;
      this.#whenGone?.();
    };
    response.on('close', left).on('error', left);
    upgrade?.stream.on('close', left);
  }

  /** The client has left, or all is over. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Whoever works on the exchange now: at most one, told at most once or twice. Null: nobody any more. */
  whenGone(tell: (() => void) | null): void {
    this.#whenGone = tell;
  }

  /** Since its head was there. */
  endWithin(ms: number): void {
    const left = Math.max(0, ms - (performance.now() - this.beganAt));
    this.#deadline = setTimeout(() => {
      this.expired = true;
      this.#whenGone?.();
    }, left);
  }

  /** Its answer is made, or another protocol has begun. */
  over(): void {
    clearTimeout(this.#deadline);
  }

  get started(): boolean {
    return this.response.headersSent;
  }

  /** The connection ends behind this answer. HTTP/2 has its own way (GOAWAY). */
  closeAfter(): void {
    this.#closeAfter = true;
  }

  /** What the client was sent. Null: HTTP/2, whose connection carries other answers too. */
  get bytes(): number | null {
    if (isHttp2(this.response)) return null;
    return Math.max(0, (this.request.socket?.bytesWritten ?? 0) - this.#writtenBefore);
  }

  /** `headers` are end to end only. */
  start(status: number, message: string, given: readonly string[]): void {
    this.status = status;
    const headers = this.#withHsts(given);
    const dressed = this.dress?.(headers) ?? headers;
    if (isHttp2(this.response)) {
      this.response.writeHead(status, grouped(dressed));
      return;
    }
    this.response.sendDate = false;
    this.response.writeHead(
      status,
      message,
      this.#closeAfter ? [...dressed, 'connection', 'close'] : [...dressed],
    );
  }

  #withHsts(headers: readonly string[]): readonly string[] {
    const { side, listener } = this.facts;
    if (side !== 'public' || !listener?.hsts) return headers;
    const name = 'strict-transport-security';
    const others = [...pairs(headers)].flatMap(([own, lower, value]) => (lower === name ? [] : [own, value]));
    return [...others, name, listener.hsts];
  }

  trail(trailers: readonly string[]): void {
    if (trailers.length > 0) this.response.addTrailers(grouped(trailers));
  }

  /** The end of an answer that has begun. A client whose answer cannot carry trailers gets none. */
  end(trailers: readonly string[]): void {
    const { response } = this;
    if (response.writableEnded) return;
    this.trail(trailers);
    if (isHttp2(response)) response.end();
    else response.end();
  }

  /** The whole answer is handed over. A client that does not take the rest of it in time loses its connection. */
  takenWithin(msMax: number): void {
    const { response } = this;
    const out = isHttp2(response) ? response.stream : response.socket;
    if (!out || out.writableLength === 0) return;
    const late = setTimeout(() => this.abort(), msMax);
    response.on('close', () => clearTimeout(late));
  }

  /** An answer of our own to what went wrong. */
  answer(status: number): void {
    const own = ['content-type', 'text/plain', 'cache-control', 'no-store'];
    this.fixed(status, own, `${status} ${STATUS_CODES[status] ?? ''}\n`);
  }

  /** An answer that no server gave. */
  fixed(status: number, headers: readonly string[], body: string): void {
    if (this.started) {
      this.abort();
      return;
    }
    this.dress = null;
    // Who waits for `100 Continue` may send the body or not: behind this answer nobody could tell.
    if (this.expectsContinue) this.closeAfter();
    else this.dropBody();
    const bodyless = status === 204 || status === 304;
    const length = bodyless ? [] : ['content-length', String(Buffer.byteLength(body))];
    this.start(status, STATUS_CODES[status] ?? '', ['date', new Date().toUTCString(), ...headers, ...length]);
    const said = bodyless || this.head?.method === 'HEAD' ? '' : body;
    if (isHttp2(this.response)) this.response.end(said);
    else this.response.end(said);
  }

  /**
   * What the client still sends of its body is nobody's: read away for a while, so that it can finish and then hear its
   * answer, which a connection that is closed over unread bytes would lose.
   */
  dropBody(): void {
    const { request } = this;
    if (request.readableEnded || request.destroyed) return;
    const late = setTimeout(() => request.destroy(), dropBodyMsMax);
    const over = () => clearTimeout(late);
    request.once('end', over).once('close', over).resume();
  }

  /** The answer cannot be finished: its reader must not take it for a whole one. */
  abort(): void {
    if (this.upgrade) this.upgrade.stream.destroy();
    else if (isHttp2(this.response)) this.response.stream.close(2);
    // What was said in this very step goes out with its end: the client is to see that it breaks off, and what.
    else if (this.started) setImmediate(() => this.response.destroy());
    else this.response.destroy();
  }
}

/** The parser lets others pass, HTTP/0.9 among them. */
function versionOf(said: string): HttpVersion {
  return said === '1.1' ? '1.1' : said === '1.0' ? 'old' : 'unknown';
}

export function isHttp2(response: ClientResponse): response is Http2ServerResponse {
  return 'stream' in response;
}

function grouped(headers: readonly string[]): Record<string, string | string[]> {
  const result: Record<string, string[]> = {};
  for (const [, lower, value] of pairs(headers)) {
    const known = result[lower];
    if (known) known.push(value);
    else result[lower] = [value];
  }
  return Object.fromEntries(Object.entries(result).map(([k, v]) => [k, v.length === 1 ? (v[0] ?? '') : v]));
}
