import { assert } from '#base';
import { decide, type FixedAnswer, locationOf, type Request, withPage } from '#routing';
import { type Exchange, isHttp2 } from './exchange.ts';
import { drawnPool } from './filters.ts';
import type { Generation } from './generation.ts';
import { type Head, readHead, restored, routedHeaders } from './head.ts';
import { toNeighbour } from './neighbour.ts';
import { count, fail } from './outcome.ts';
import { toPool } from './to-pool.ts';

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
