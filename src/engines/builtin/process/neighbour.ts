import type { BuiltinText } from '#dialects';
import type { PoolTimeouts } from '#model';
import type { Exchange } from './exchange.ts';
import type { Generation } from './generation.ts';
import type { Head } from './head.ts';
import { settle } from './outcome.ts';
import { proxyHeader } from './proxy-protocol.ts';
import { send } from './send.ts';
import { sendOptions } from './send-options.ts';
import { Connections } from './upstream.ts';

const neighbourConnectMs = 1_000;

/** False: the neighbour could not be reached, and nothing was sent. */
export async function toNeighbour(generation: Generation, exchange: Exchange, head: Head): Promise<boolean> {
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
