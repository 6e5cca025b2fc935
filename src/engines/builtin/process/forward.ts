import { assert } from '#base';
import type { BuiltinText } from '#dialects';
import type { PoolTimeouts } from '#model';
import { decide, type FixedAnswer, hostName, locationOf, type Request, withPage } from '#routing';
import { type Exchange, isHttp2 } from './exchange.ts';
import { drawnPool, filtered } from './filters.ts';
import { tellerOf } from './forwarded.ts';
import type { Generation } from './generation.ts';
import { type Head, readHead, restored, routedHeaders } from './head.ts';
import { endToEnd, joinCookies } from './headers.ts';
import { mirrored } from './mirror.ts';
import { isError, type PoolState, type ServerState, serverFailed } from './pool.ts';
import { proxyHeader } from './proxy-protocol.ts';
import { type Outcome, repeatable, type SendOptions, send } from './send.ts';
import { preferenceOf, withCookie, withoutCookie } from './stickiness.ts';
import { Connections } from './upstream.ts';

const neighbourConnectMs = 1_000;

/** Serves one request from its head to the end of its answer, and counts it. Never rejects. */
export async function serve(generation: Generation, exchange: Exchange): Promise<void> {
  if (generation.draining) exchange.closeAfter();
  const over = takeRoom(generation, exchange);
  try {
    if (generation.underWay > generation.text.limits.requestsMax)
      fail(generation, exchange, 503, 'too-many-requests-under-way');
    else await answer(generation, exchange);
  } catch (error) {
    // Ours, not the client's nor the server's. One request must not end the others.
    fail(generation, exchange, 500, `error-${error instanceof Error ? error.message : 'unknown'}`);
  }
  over();
  exchange.over();
  count(generation, exchange);
  if (exchange.facts.side === 'public') generation.accessLog.add(exchange);
}

/** Until its answer is made; over HTTP/2 until its stream has ended, since a client may leave a hundred of them unread. */
function takeRoom(generation: Generation, { response }: Exchange): () => void {
  generation.underWay += 1;
  const over = () => {
    generation.underWay -= 1;
  };
  if (!isHttp2(response)) return over;
  response.stream.on('close', over);
  return () => {};
}

async function answer(generation: Generation, exchange: Exchange): Promise<void> {
  const read = readHead({
    method: exchange.request.method ?? '',
    url: exchange.request.url ?? '',
    raw: exchange.request.rawHeaders,
    version: exchange.version,
    hasBody: hasBody(exchange),
  });
  if ('why' in read) {
    exchange.closeAfter();
    return fail(generation, exchange, read.status, read.why);
  }
  const head = exchange.facts.side === 'entrance' ? restored(read) : read;
  exchange.head = head;
  if (generation.takeBack && exchange.facts.side === 'public') {
    const took = await toNeighbour(generation, exchange, head);
    if (took) return;
  }
  await route(generation, exchange, head);
}

function hasBody({ request, response }: Exchange): boolean {
  if (isHttp2(response)) return !response.stream.endAfterHeaders;
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0);
}

async function route(generation: Generation, exchange: Exchange, head: Head): Promise<void> {
  const { listener } = exchange.facts;
  if (!listener) return fail(generation, exchange, 404, 'no-listener-has-that-port');
  let headers: Readonly<Record<string, string>> | null = null;
  const request: Request = {
    method: head.method,
    scheme: listener.scheme,
    host: head.host,
    port: listener.port,
    path: head.path,
    query: head.query,
    // Most sites never look at them.
    get headers() {
      headers ??= routedHeaders(head);
      return headers;
    },
  };
  const { rule, action } = decide(listener, request);
  exchange.filters = rule?.filters ?? null;
  const withinMs = rule?.filters?.timeouts?.requestMs;
  if (withinMs) exchange.endWithin(withinMs);
  for (const access of [listener.access, rule?.filters?.access])
    if (access) {
      const refused = await generation.access.refusal(access, exchange, performance.now());
      if (exchange.gone) return;
      if (refused) return fixed(exchange, withPage(refused, generation.text.errorPages ?? []));
    }
  switch (action.kind) {
    case 'pool':
    case 'split': {
      const name = action.kind === 'pool' ? action.pool : drawnPool(action.shares, Math.random());
      const pool = generation.pools.get(name);
      assert(pool, `no pool is called ${name}`);
      return toPool(generation, exchange, head, pool);
    }
    case 'redirect': {
      const location = locationOf(action.to, request);
      if (location === null) return fail(generation, exchange, 400, 'no-host-to-redirect-to');
      return exchange.fixed(action.status, ['location', location], '');
    }
    case 'answer': {
      exchange.meant = true;
      return fixed(exchange, action);
    }
    case 'reject':
      return exchange.abort();
  }
}

function fixed(exchange: Exchange, { status, body, headers }: FixedAnswer): void {
  const type = body === null ? [] : ['content-type', body.contentType];
  const said = headers.flatMap(({ name, value }) => [name, value]);
  exchange.fixed(status, [...type, ...said], body?.text ?? '');
}

async function toPool(
  generation: Generation,
  exchange: Exchange,
  head: Head,
  pool: PoolState,
): Promise<void> {
  pool.counts.requests += 1;
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

/** False: the neighbour could not be reached, and nothing was sent. */
async function toNeighbour(generation: Generation, exchange: Exchange, head: Head): Promise<boolean> {
  const { neighbour } = generation.text;
  if (neighbour === null) return false;
  const { client, local } = exchange.facts;
  const to = new Connections({
    to: { path: neighbour },
    timeoutMs: neighbourConnectMs,
    first: proxyHeader(client, local),
    tls: null,
  });
  exchange.server = 'holdfast:neighbour';
  exchange.dress = null;
  const options = sendOptions(generation, exchange, head, longest(generation.text));
  const outcome = await send(to, exchange, head, { ...options, connection: 'once' });
  if (outcome.kind === 'connectFailed' || outcome.kind === 'stale') return false;
  settle(generation, exchange, outcome);
  return true;
}

const longestOf = new WeakMap<BuiltinText, ReturnType<typeof longest>>();

/** Longer than a neighbour waits itself, whatever the route: it knows why, we do not. */
function longest(text: BuiltinText): Pick<PoolTimeouts, 'serverMs' | 'tunnelMs'> {
  const known = longestOf.get(text);
  if (known) return known;
  const routes = text.listeners.flatMap(({ rules }) => rules.flatMap((rule) => rule.filters?.timeouts ?? []));
  const routeMs = Math.max(0, ...routes.map(({ serverMs }) => serverMs ?? 0));
  const pools = text.pools.map(({ timeouts: t }) => {
    return t.connectMs * 4 + t.queueMs + Math.max(t.serverMs, t.firstByteMs ?? 0, routeMs);
  });
  const tunnels = [...text.pools.map(({ timeouts }) => timeouts), ...routes].map((t) => t.tunnelMs ?? 1);
  const found = { serverMs: Math.max(0, ...pools) + 1_000, tunnelMs: Math.max(1, ...tunnels) };
  longestOf.set(text, found);
  return found;
}

const setByEntrance = new Set(['host']);

function sendOptions(
  generation: Generation,
  exchange: Exchange,
  head: Head,
  { serverMs, tunnelMs, firstByteMs }: Pick<PoolTimeouts, 'serverMs' | 'tunnelMs' | 'firstByteMs'>,
): SendOptions {
  const { side, listener } = exchange.facts;
  const teller = side === 'public' && listener ? tellerOf(listener) : null;
  const headers = head.host === '' ? [] : ['host', head.host];
  const came = endToEnd(head.raw, teller?.without ?? setByEntrance);
  headers.push(...(exchange.version === '2' ? joinCookies(came) : came));
  if (teller) headers.push(...teller.tell(exchange, head));
  const { clientMs, bodyMs } = generation.text.limits;
  // After a kept connection that had ended, another kept one may have ended too.
  const connection = exchange.retries > 0 ? 'new' : 'any';
  return {
    headers,
    serverMs,
    firstByteMs,
    clientMs,
    bodyMs,
    tunnelMs,
    connection,
    unwanted: () => false,
  };
}

function settle(generation: Generation, exchange: Exchange, outcome: Outcome): void {
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

function fail(generation: Generation, exchange: Exchange, status: number, why: string): void {
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

function count({ counts, pools }: Generation, exchange: Exchange): void {
  const failed = exchange.status >= 500 && !exchange.meant;
  const pool = pools.get(exchange.pool);
  if (pool && failed) pool.counts.errors += 1;
  if (exchange.facts.side === 'entrance') {
    counts.entranceRequests += 1;
    return;
  }
  counts.requests += 1;
  if (failed) counts.errors += 1;
  else if (exchange.status >= 400) counts.clientErrors += 1;
}
