import { hostName } from '#routing';
import type { Exchange } from './exchange.ts';
import type { Generation } from './generation.ts';
import type { Outcome } from './send.ts';

/** What the client hears of how it went, and what the error log does. */
export function settle(generation: Generation, exchange: Exchange, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'answered':
      if (exchange.status >= 500) logError(generation, exchange, exchange.status, 'answer-of-the-server');
      break;
    case 'clientLeft':
      exchange.abort();
      break;
    case 'failed':
      fail(generation, exchange, outcome.status, outcome.why);
      break;
    case 'broken':
      logError(generation, exchange, exchange.status, outcome.why);
      break;
    case 'unwanted':
      fail(generation, exchange, outcome.status, 'answer-of-the-server');
      break;
    case 'connectFailed':
    case 'stale':
      fail(generation, exchange, 502, 'server-broke-off');
  }
}

export function fail(generation: Generation, exchange: Exchange, status: number, why: string): void {
  logError(generation, exchange, status, why);
  // The rest of a request that did not come in time is no next request.
  if (status === 408) exchange.closeAfter();
  const page = generation.text.errorPages?.find((one) => one.status === status);
  if (page)
    exchange.fixed(status, ['content-type', page.contentType, 'cache-control', 'no-store'], page.text);
  else exchange.answer(status);
}

function logError(generation: Generation, exchange: Exchange, status: number, why: string): void {
  exchange.why = why;
  const { head, pool, server, retries, request } = exchange;
  const path = head?.path ?? (request.url ?? '').replace(/\?.*$/, '');
  const method = head?.method ?? request.method ?? '';
  const host = hostName(head?.host ?? '');
  generation.errors.add({ status, why, pool, server, retries, method, path, host });
}

/** Once for each exchange, at its end. */
export function count({ counts, pools }: Generation, exchange: Exchange): void {
  const failed = exchange.status >= 500 && !exchange.meant;
  const pool = pools.get(exchange.pool);
  if (pool && failed) pool.counts.errors += 1;
  if (pool) counts.inHand -= 1;
  // What a connection is upgraded to lasts as long as its ends want.
  if (pool && exchange.status !== 101) {
    pool.counts.timedRequests += 1;
    pool.counts.timeMs += performance.now() - exchange.beganAt;
  }
  if (exchange.facts.side === 'entrance') {
    counts.entranceRequests += 1;
    return;
  }
  counts.requests += 1;
  if (failed) counts.errors += 1;
  else if (exchange.status >= 400) counts.clientErrors += 1;
}
