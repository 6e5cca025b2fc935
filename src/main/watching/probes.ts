import type { BalancerPort } from '#change';
import type { SiteText } from '#contract';
import type { ServerRef } from '#events';
import { type Balancer, boundHost, type Listener, routeOf, type Site } from '#model';
import type { DirectProbe, Probed, ThroughProbe } from '#monitor';
import { askAsClient, describeRequest } from '#probe';
import { type Action, type Request, witnesses } from '#routing';

/** Nobody waits longer for a verdict: who has not answered by then has not answered. */
const withinMs = 1_000;
/** A site of thousands of servers is asked in parts: those that are suspect first. */
const serversMax = 500;
const requestsMax = 50;

export interface Asked {
  readonly site: Site;
  readonly text: SiteText;
  readonly balancers: readonly BalancerPort[];
  /** Pools that are asked first. */
  readonly pools: readonly string[];
}

/** Every server directly, from every balancer, and every balancer as a client, at the same moment. Never rejects. */
export async function probeAll(asked: Asked): Promise<Probed> {
  const [direct, through] = await Promise.all([askServers(asked), askBalancers(asked)]);
  return { direct, through };
}

export async function askServers({ site, text, balancers, pools }: Asked): Promise<readonly DirectProbe[]> {
  const inOrder = site.pools.toSorted(
    (a, b) => Number(pools.includes(b.name)) - Number(pools.includes(a.name)),
  );
  const servers: ServerRef[] = inOrder
    .flatMap((pool) =>
      pool.servers.flatMap((s) => (s.maintenance ? [] : [{ pool: pool.name, server: s.name }])),
    )
    .slice(0, serversMax);
  if (servers.length === 0) return [];
  const answers = await Promise.all(
    balancers.map((balancer) =>
      balancer.call('probe', { site: text, servers, withinMs }, 2 * withinMs).then(
        (results) =>
          results.map(({ pool, server, ok, answered, tookMs }) => ({
            balancer: balancer.name,
            pool,
            server,
            ok,
            answered,
            tookMs,
          })),
        // An agent that does not answer knows nothing of servers: that is told as silence, not as dead servers.
        () => [],
      ),
    ),
  );
  return answers.flat();
}

export async function askBalancers({ site, pools }: Asked): Promise<readonly ThroughProbe[]> {
  const ways = waysOf(site)
    .toSorted((a, b) => Number(pools.includes(b.pool)) - Number(pools.includes(a.pool)))
    .slice(0, requestsMax);
  return Promise.all(
    site.balancers.flatMap((balancer) =>
      ways.map(async ({ listener, pool, request }) => {
        const { ok, answered, tookMs } = await askAsClient(
          { host: addressOf(listener, balancer), port: listener.port },
          request,
          withinMs,
        );
        const name = describeRequest(request);
        return {
          balancer: balancer.name,
          listener: listener.name,
          pool,
          request: name,
          ok,
          answered,
          tookMs,
        };
      }),
    ),
  );
}

function addressOf(listener: Listener, balancer: Balancer): string {
  const host = boundHost(listener, balancer);
  if (host === '*' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

interface Way {
  readonly listener: Listener;
  readonly pool: string;
  readonly request: Request;
}

/** One request that any client may send for each listener and pool. Of a text of the team's own nobody knows one. */
function waysOf(site: Site): Way[] {
  if (site.own) return [];
  const found = new Map<string, Way>();
  for (const { listener: routed, rule, request } of witnesses(routeOf(site))) {
    const listener = site.listeners.find(({ name }) => name === routed.name);
    const pool = poolOf(rule.action);
    if (!listener || pool === null || !isAskable(listener, request)) continue;
    const key = `${listener.name} ${pool}`;
    if (!found.has(key)) found.set(key, { listener, pool, request });
  }
  return [...found.values()];
}

function poolOf(action: Action): string | null {
  if (action.kind === 'pool') return action.pool;
  return action.kind === 'split' && action.shares.length === 1 ? (action.shares[0]?.pool ?? null) : null;
}

/** A probe changes nothing, and needs nothing that only some clients have. */
function isAskable({ tls, proxyFrom }: Listener, { method, sourceAddress }: Request): boolean {
  const isPlain = tls?.clients?.required !== true && proxyFrom.length === 0;
  return isPlain && sourceAddress === undefined && (method === 'GET' || method === 'HEAD');
}
