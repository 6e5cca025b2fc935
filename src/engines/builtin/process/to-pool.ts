import { assert } from '#base';
import type { Exchange } from './exchange.ts';
import { filtered } from './filters.ts';
import type { Generation } from './generation.ts';
import type { Head } from './head.ts';
import { mirrored } from './mirror.ts';
import { toNeighbour } from './neighbour.ts';
import { fail, settle } from './outcome.ts';
import { isError, type PoolState, type ServerState, serverFailed } from './pool.ts';
import { type Outcome, repeatable, type SendOptions, send } from './send.ts';
import { sendOptions } from './send-options.ts';
import { preferenceOf, withCookie, withoutCookie } from './stickiness.ts';
import { Connections } from './upstream.ts';

/** Tries the pool's servers, one after the other as the site says, and the net when none is left. */
export async function toPool(
  generation: Generation,
  exchange: Exchange,
  head: Head,
  pool: PoolState,
): Promise<void> {
  pool.counts.requests += 1;
  generation.counts.inHand += 1;
  exchange.pool = pool.config.name;
  const mirror = exchange.filters?.mirror;
  if (mirror) {
    const options = sendOptions(generation, exchange, head, pool.config.timeouts);
    mirrored(generation, exchange, mirror, filtered(exchange.filters, head, options));
  }
  const { breaker } = pool;
  if (breaker === null) return toServers(generation, exchange, head, pool);
  const pass = breaker.pass(performance.now());
  if (pass === null) return fail(generation, exchange, 503, 'circuit-open');
  try {
    await toServers(generation, exchange, head, pool);
  } finally {
    const failed = exchange.status === 0 ? null : isError(exchange.status);
    breaker.heard(pass, failed, performance.now());
  }
}

async function toServers(
  generation: Generation,
  exchange: Exchange,
  head: Head,
  pool: PoolState,
): Promise<void> {
  const preference = preferenceOf(
    pool.config,
    asSent(generation, exchange, head, pool),
    exchange.facts.client.address,
  );
  const tried = new Set<ServerState>();
  for (let attempts = 0; ; attempts += 1) {
    const leased = pool.acquire(preference, tried, exchange);
    const lease = leased instanceof Promise ? await leased : leased;
    if (exchange.gone || exchange.expired) {
      if (lease.kind === 'server') lease.release();
      if (!exchange.gone) fail(generation, exchange, 504, 'took-too-long');
      return;
    }
    if (lease.kind === 'refused') return fail(generation, exchange, 503, lease.why);
    if (lease.kind === 'none') break;
    if (attempts > 0) countRetry(generation, exchange, pool);
    tried.add(lease.server);
    const mayAgain = exchange.retries < pool.config.retries.max && pool.hasOther(tried);
    const to = { pool, server: lease.server, sticky: preference.sticky, mayAgain };
    const outcome = await toServer(generation, exchange, head, to).finally(lease.release);
    if (outcome.kind === 'stale') tried.delete(lease.server);
    const stale = outcome.kind === 'stale' && exchange.retries === 0;
    const again = outcome.kind === 'connectFailed' || stale || (mayAgain && isRepeated(pool, head, outcome));
    if (!again) return settle(generation, exchange, outcome);
    if (!stale && exchange.retries >= pool.config.retries.max) break;
  }
  await noServer(generation, exchange, head, tried.size);
}

/** A failure behind the connection, for which the site asks another server. */
function isRepeated(pool: PoolState, head: Head, outcome: Outcome): boolean {
  if (outcome.kind === 'unwanted') return true;
  if (outcome.kind !== 'failed' || !isRepeatable(head)) return false;
  const { on } = pool.config.retries;
  return (
    (outcome.why === 'server-broke-off' && on.includes('empty')) ||
    (outcome.why === 'server-silent' && on.includes('timeout'))
  );
}

function isRepeatable(head: Head): boolean {
  return !head.hasBody && repeatable.has(head.method);
}

const retriedStatuses = new Set([500, 502, 503, 504]);

function countRetry(generation: Generation, exchange: Exchange, pool: PoolState): void {
  exchange.retries += 1;
  generation.counts.retries += 1;
  pool.counts.retries += 1;
}

/** Hashes are of what the server gets: the route's filters come first. */
function asSent(generation: Generation, exchange: Exchange, head: Head, { config }: PoolState): Head {
  if (config.hashOn === null || exchange.filters === null) return head;
  const options = sendOptions(generation, exchange, head, config.timeouts);
  const [{ target }, { headers }] = filtered(exchange.filters, head, options);
  return { ...head, target, path: target.replace(/\?.*$/, ''), raw: headers };
}

interface Way {
  readonly pool: PoolState;
  readonly server: ServerState;
  /** The server that the client's cookie names. */
  readonly sticky: string | null;
  /** There is another server, and a retry left. */
  readonly mayAgain: boolean;
}

async function toServer(
  generation: Generation,
  exchange: Exchange,
  head: Head,
  { pool, server, sticky, mayAgain }: Way,
): Promise<Outcome> {
  const own = pool.config.proxyProtocol !== null;
  const reach = generation.reaches.get(pool);
  const to = own
    ? reach && new Connections(reach.way(server.config, exchange.facts))
    : generation.connections.get(server);
  assert(to, `no connections for ${server.key}`);
  exchange.server = server.config.name;
  server.requests += 1;
  const { stickyCookie: cookie, retries, timeouts, compression } = pool.config;
  const leads = cookie === null || sticky === server.config.name;
  exchange.dress = leads ? null : (headers) => withCookie(headers, cookie, server.config.name);
  const options = sendOptions(generation, exchange, head, timeouts);
  const asked: SendOptions = {
    ...options,
    compression,
    connection: own ? 'once' : options.connection,
    headers: cookie === null ? options.headers : withoutCookie(options.headers, cookie.name),
    unwanted: (status: number) =>
      mayAgain && retries.on.includes('5xx') && retriedStatuses.has(status) && isRepeatable(head),
  };
  const outcome = await send(to, exchange, ...filtered(exchange.filters, head, asked));
  if (outcome.kind === 'connectFailed') {
    generation.counts.connectionErrors += 1;
    pool.counts.connectionErrors += 1;
    server.errors += 1;
    if (!outcome.error.ours) serverFailed(pool, server, generation.text.limits.errorsInARow);
    return outcome;
  }
  const byServer = (outcome.kind === 'failed' || outcome.kind === 'broken') && outcome.byServer;
  if (byServer) {
    generation.counts.responseErrors += 1;
    pool.counts.responseErrors += 1;
  }
  const status = outcome.kind === 'unwanted' ? outcome.status : exchange.status;
  if (byServer || status >= 500) server.errors += 1;
  if (pool.config.ejection?.of === 'answers' && (byServer || isError(status)))
    serverFailed(pool, server, generation.text.limits.errorsInARow);
  else server.failedInARow = 0;
  return outcome;
}

async function noServer(
  generation: Generation,
  exchange: Exchange,
  head: Head,
  triedCount: number,
): Promise<void> {
  // Once only: what a neighbour sent is not sent on, so no loop can form, whatever is linked to whatever.
  const mayBeLed = generation.net && exchange.facts.side === 'public';
  if (mayBeLed && (await toNeighbour(generation, exchange, head))) {
    generation.counts.netUses += 1;
    return;
  }
  fail(generation, exchange, 503, triedCount === 0 ? 'no-live-server' : 'no-connection');
}
