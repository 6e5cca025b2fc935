import type { Outcome } from './plan.ts';

/** How a request ended, as a client tells it. */
export interface Ending {
  readonly outcome: Outcome;
  readonly status: number | null;
  readonly reused: boolean;
  /** When its connection was begun, as `preciseNow`. */
  readonly openedAt: number;
  readonly marker: string;
  readonly detail: string;
}

/** A way to send: HTTP/1.1 or HTTP/2. It never sends a request twice. */
export interface Client {
  /** Opens the connections of the plan; rejects when the first cannot be opened. */
  open(): Promise<void>;
  /** Calls `ended` once. The function it gives back ends the request as `timed out`. */
  send(ended: (ending: Ending) => void): () => void;
  close(): void;
}

export function endingOf(status: number, body: string, expectBody: string | null): Outcome {
  if (status >= 400) return 'bad status';
  return expectBody === null || body.includes(expectBody) ? 'ok' : 'wrong answer';
}

export function outcomeOf(code: string): Outcome {
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset';
  return code === 'ECONNREFUSED' ? 'refused' : 'failed';
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
