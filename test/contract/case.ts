/**
 * The contract of an engine, as data: what goes over the wire on one side, how the server behaves, what the client must
 * see and what the server must have seen. One expectation for all engines; what remains different stands in
 * `differences.ts`. Bytes are strings with one character a byte.
 */
export interface ContractCase {
  /** Unique; also the name of its listener. */
  readonly id: string;
  /** What must hold, as a sentence that goes into the documents. */
  readonly holds: string;
  /** Where the case comes from, when it is not our own: a section of an RFC, a test of another project, a publication. */
  readonly source?: string;
  readonly client: readonly ClientStep[] | { readonly http2: readonly Http2Step[] };
  /** The nth request that reaches the server gets the nth answer, the last one for all behind it. Default: `ok`. */
  readonly origin?: readonly OriginAnswer[];
  /** What the second pool's server answers; its requests are counted of their own then. Default: as above. */
  readonly otherOrigin?: readonly OriginAnswer[];
  /** A second pool for paths or names that match; or for copies of all that the first one gets, which is then judged before it. */
  readonly other?:
    | { readonly type: 'Exact' | 'PathPrefix'; readonly value: string }
    | { readonly hostnames: readonly string[] }
    | 'copies';
  /** What servers say as soon as they are connected to; `ends`: and nothing behind it. */
  readonly greeting?: { readonly says: string; readonly ends?: true };
  /** The servers speak TLS, and the client asks for this name; null: for none. The listener passes it on (`protocol: TLS`). */
  readonly asks?: string | null;
  /** The listener speaks TLS and asks for certificates; this is what the client shows. HTTP/1.1. */
  readonly shows?: Shown;
  /** Words of the site file for its listener, its route (with `redirect` or `answer`, in the place of the pool) and its pool. */
  readonly site?: { readonly listener?: Words; readonly route?: Words; readonly pool?: Words };
  readonly listenHost?: '::1';
  readonly serverHost?: '::1';
  /** No server listens. */
  readonly noServer?: true;
  /** How long an answer is waited for: 4,000. */
  readonly patienceMs?: number;
  /** What the pool says instead of the defaults of these tests: 5 s for everything. */
  readonly serverTimeout?: string;
  readonly sees: Sees;
  /** Requests that reached the server, in order. Null: not judged. `unreadable`: what came is no HTTP, only as a difference. */
  readonly seen: readonly SeenRequest[] | 'unreadable' | null;
}

/** `staff` is listed by no list, `revoked` by that of the same authority, `stranger` comes of another authority. */
export type Shown = 'staff' | 'revoked' | 'stranger' | 'nothing';

export type Words = Readonly<Record<string, unknown>>;

/** A string is sent; of an expression is waited until what came matches it. */
export type ClientStep =
  | string
  | RegExp
  /** Says that nothing more will be sent, and goes on reading. */
  | { readonly kind: 'end' }
  /** Breaks off. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'pause'; readonly ms: number }
  /** Byte by byte. */
  | { readonly kind: 'slowly'; readonly bytes: string; readonly everyMs: number }
  /** Many bytes, as fast as they are taken. */
  | { readonly kind: 'fill'; readonly bytes: number }
  /** Many bytes while nobody takes them: goes on when no more is taken. */
  | { readonly kind: 'stopReading'; readonly ms: number };

export type Http2Step =
  | {
      readonly kind: 'headers';
      readonly stream: number;
      readonly fields: readonly (readonly [string, string])[];
      readonly end: boolean;
    }
  | { readonly kind: 'data'; readonly stream: number; readonly bytes: string; readonly end: boolean }
  | { readonly kind: 'rst'; readonly stream: number }
  /** Until that stream has ended, one way or the other. */
  | { readonly kind: 'await'; readonly stream: number }
  /** A frame as it is given. */
  | {
      readonly kind: 'frame';
      readonly type: number;
      readonly flags: number;
      readonly stream: number;
      readonly payload: string;
    };

export interface OriginAnswer {
  /** `body`: when the whole request is there. `head`: as soon as its head is. */
  readonly when: 'head' | 'body';
  readonly steps: readonly OriginStep[];
}

export type OriginStep =
  | string
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'fill'; readonly bytes: number }
  /** Reads nothing for a while. */
  | { readonly kind: 'stopReading'; readonly ms: number }
  /** Until this many bytes of the request's body have come, or the client of the connection has gone. */
  | { readonly kind: 'awaitBody'; readonly bytes: number }
  /** Says `100 Continue` to whoever asked for it. */
  | { readonly kind: 'continue' }
  /** 200, with the request's first line as its body. */
  | { readonly kind: 'line' }
  /** What is made of the request's first line: for what nobody can write down beforehand. */
  | { readonly kind: 'reply'; to(line: string): string }
  /** From here on every byte goes back as it came. */
  | { readonly kind: 'echo' }
  | { readonly kind: 'close' }
  | { readonly kind: 'reset' };

export type WantedStatus = number | 'refused' | 'refused?';

export interface Sees {
  /** Final answers in order. `refused`: 4xx, 501 or 505. `refused?`: or nothing, at the end. */
  readonly status: readonly WantedStatus[];
  readonly informational?: readonly number[];
  /** Of the last answer; null: must not be there. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** Of the last answer. */
  readonly body?: string | RegExp;
  readonly bodyBytes?: number;
  readonly trailers?: Readonly<Record<string, string>>;
  /** The engine ended the connection (true), or kept it (false). Not given: either. */
  readonly closed?: boolean;
  /** The last answer breaks off and cannot be taken for a whole one. */
  readonly broken?: true;
  /** HTTP/2: streams that were reset instead of answered. */
  readonly resets?: readonly number[];
  /** HTTP/2: the connection was ended for an error, or the stream was reset, or the request was answered 4xx. */
  readonly refusedHttp2?: true;
  /** What came is no HTTP: only as a difference. */
  readonly unreadable?: true;
  /** After 101: all bytes that came behind it. */
  readonly tunnel?: string;
}

export interface SeenRequest {
  readonly line: string;
  /** Each name's values, joined by `, `; null: must not be there. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  readonly body?: string;
  readonly bodyBytes?: number;
  readonly trailers?: Readonly<Record<string, string>>;
  /** Its body never came to its end, or need not have. */
  readonly cut?: true | 'maybe';
  /** It reached the second pool. */
  readonly other?: true;
}

/** A difference of one engine that remains, with what it does instead. Published in docs/differences.md. */
export interface Difference {
  readonly case: string;
  readonly engine: string;
  /** Of these versions alone; absent: of all. */
  readonly versions?: RegExp;
  readonly instead: { readonly sees?: Sees; readonly seen?: ContractCase['seen'] };
  readonly reason: string;
}

export const okBody = 'ok';
export const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A request's head: lines without their ends, and the body behind it. */
export function request(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export function get(path = '/', ...headers: readonly string[]): string {
  return request([`GET ${path} HTTP/1.1`, 'Host: a.example', ...headers]);
}

/** Request lines and headers of a POST, for `request`. */
export function post(...headers: readonly string[]): readonly string[] {
  return ['POST /a HTTP/1.1', 'Host: a.example', ...headers];
}

/** A request that must not be passed on, in whatever form. */
export function isRefused(id: string, holds: string, bytes: string, source?: string): ContractCase {
  return { id, holds, client: [bytes], sees: refused, seen: nothing, ...(source ? { source } : {}) };
}

/** A request whose head line arrives as `line`, and gets its answer. */
export function passes(
  id: string,
  holds: string,
  bytes: string,
  seen: SeenRequest,
  source?: string,
): ContractCase {
  return {
    id,
    holds,
    client: [bytes],
    sees: { status: [200], closed: false },
    seen: [seen],
    ...(source ? { source } : {}),
  };
}

export function answers(...steps: readonly OriginStep[]): OriginAnswer {
  return { when: 'body', steps };
}

export function answersAtOnce(...steps: readonly OriginStep[]): OriginAnswer {
  return { when: 'head', steps };
}

export const refused: Sees = { status: ['refused'], closed: true };
export const nothing: readonly SeenRequest[] = [];
