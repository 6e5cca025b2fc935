/** What the generator sends. Plain data: it crosses to the generator's own process. */
export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly hostname: string;
  /**
   * `new`: a connection for each request, HTTP/1.1. `kept`: HTTP/1.1, each request on any free connection, else on one more.
   * `h2`: streams over `connections` connections, by turns; over TLS.
   */
  readonly kind: 'new' | 'kept' | 'h2';
  /** Always on for `h2`. Certificates are not verified: the site under test signs its own. */
  readonly tls: boolean;
  /** Opened before the first request; of no meaning for `new`. */
  readonly connections: number;
  /** Arrivals. They never wait for answers. */
  readonly ratePerSecond: number;
  readonly timeoutMs: number;
  /** What a good answer's body contains; null: any body. */
  readonly expectBody: string | null;
  /** The header whose value is kept with each answer, in lower case: which generation answered. */
  readonly markerHeader: string;
}

export const usualLoad: LoadPlan = {
  host: '127.0.0.1',
  port: 80,
  path: '/',
  hostname: 'localhost',
  kind: 'new',
  tls: false,
  connections: 32,
  ratePerSecond: 1_000,
  timeoutMs: 5_000,
  expectBody: null,
  markerHeader: 'x-gen',
};

export const outcomes = [
  'ok',
  /** 400 and above. */
  'bad status',
  /** A good status, and a body without `expectBody`. */
  'wrong answer',
  /** ECONNRESET, or EPIPE while sending. */
  'reset',
  /** The connection ended in good order before the whole answer. */
  'closed',
  /** ECONNREFUSED. */
  'refused',
  /** HTTP/2 REFUSED_STREAM: not processed, safe to send again. */
  'refused stream',
  'timed out',
  /** `inFlightMax` was reached. */
  'not sent',
  /** Anything else; `detail` has the code. */
  'failed',
] as const;
export type Outcome = (typeof outcomes)[number];

/** One request, never sent again. Times in milliseconds since 1970 with fractions, comparable between processes. */
export interface RequestRecord {
  /** When it should have left: latency counts from here, so a stall of the generator hides nothing. */
  readonly dueAt: number;
  readonly sentAt: number;
  readonly endedAt: number;
  readonly outcome: Outcome;
  /** Null where no status line came. */
  readonly status: number | null;
  /** The connection had carried a request before. */
  readonly reused: boolean;
  /** When its connection was begun: before whom it met was taken up. */
  readonly openedAt: number;
  /** `markerHeader`'s value, else the start of the body. */
  readonly marker: string;
  /** The code of an error, else empty. */
  readonly detail: string;
}

/** How late the generator's own timer was: what it cannot see below. */
export interface Stall {
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The latest ones above `longStallMs`, oldest first. */
  readonly long: readonly { readonly at: number; readonly lateMs: number }[];
}

export interface LoadResult {
  readonly records: readonly RequestRecord[];
  readonly counts: LoadCounts;
  readonly stall: Stall;
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface LoadCounts {
  readonly sent: number;
  readonly ended: number;
  readonly ok: number;
  readonly byOutcome: Readonly<Record<Outcome, number>>;
  readonly byStatus: Readonly<Record<number, number>>;
  /** `reset` and `closed`, by whether the connection had carried a request before. */
  readonly brokenFresh: number;
  readonly brokenReused: number;
}

export interface Load {
  counts(): Promise<LoadCounts>;
  /** No more arrivals; resolves when every request has ended (each has its time-out). */
  stop(): Promise<LoadResult>;
}

/** Milliseconds since 1970 with fractions, from the steady clock. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now();
}
