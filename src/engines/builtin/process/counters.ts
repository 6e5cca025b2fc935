import type { Evidence } from '../../engine.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type ProcessCounts = Mutable<Required<Omit<Evidence, 'pools'>>>;

export interface PoolCounts {
  requests: number;
  errors: number;
  connectionErrors: number;
  retries: number;
  responseErrors: number;
  timedRequests: number;
  timeMs: number;
}

export function processCounts(): ProcessCounts {
  return {
    requests: 0,
    errors: 0,
    clientErrors: 0,
    connectionErrors: 0,
    retries: 0,
    responseErrors: 0,
    netUses: 0,
    entranceRequests: 0,
    connections: 0,
    inHand: 0,
  };
}

export function poolCounts(): PoolCounts {
  return {
    requests: 0,
    errors: 0,
    connectionErrors: 0,
    retries: 0,
    responseErrors: 0,
    timedRequests: 0,
    timeMs: 0,
  };
}

/** What a failed request leaves behind, in the fields and the order of HAProxy's log. No query: it may hold secrets. */
export interface ErrorEntry {
  readonly status: number;
  /** One word: `no-live-server`. */
  readonly why: string;
  readonly pool: string;
  readonly server: string;
  readonly retries: number;
  readonly method: string;
  readonly path: string;
  readonly host: string;
}

const fieldCharactersMax = 256;

/** The newest lines, at most `linesMax`. */
export class ErrorLog {
  readonly #lines: string[] = [];
  readonly #linesMax: number;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  add(entry: ErrorEntry): void {
    this.#lines.push(errorLine(entry));
    // Cut in blocks: shifting one at a time costs a copy of the list for each error of a storm.
    if (this.#lines.length > this.#linesMax * 2) this.#lines.splice(0, this.#lines.length - this.#linesMax);
  }

  newest(linesMax: number): readonly string[] {
    const count = Math.min(linesMax, this.#linesMax);
    return count <= 0 ? [] : this.#lines.slice(-count);
  }
}

function errorLine({ status, why, pool, server, retries, method, path, host }: ErrorEntry): string {
  return [status, why, pool, server, retries, method, path, host].map(field).join(' ');
}

/** Spaces separate fields, so none may hold one. */
function field(value: string | number): string {
  const word = String(value)
    .slice(0, fieldCharactersMax)
    .replace(/[^\x21-\x7e]+/g, '-');
  return word === '' ? '-' : word;
}
