import { isIPv6 } from 'node:net';
import type { Diagnostic } from '#base';
import { meaningOf } from './hash.ts';
import { pathText } from './mistakes.ts';
import { type Indexed, namesOf, type Parts, partsOf, sectionOf, textOf } from './parts.ts';
import type { Pool } from './pool.ts';
import { repeated } from './references.ts';
import { conditionsOf, hostPort } from './route.ts';
import { boundHost, isStream, type Listener, poolsOf, type Route } from './site.ts';
import { mistake, type Path, type SourceText } from './yaml.ts';

/**
 * Parts that cannot all be meant: routes for the same requests, listeners on the same address, servers named alike;
 * and pools that nothing reaches. Looks at every part whose own shape is right.
 */
export function collisions(source: SourceText): Diagnostic[] {
  const parts = partsOf(source);
  return [
    ...sameRequests(parts, source),
    ...sameAddress(parts, source),
    ...parts.pools.flatMap((pool) => sameServers(pool, source)),
    ...unreachedPools(parts, source),
  ];
}

const rulesMax = 20_000;

/** The same conditions on the same listener, and different pools: one of the two can never have its way. */
function sameRequests({ listeners, routes }: Parts, source: SourceText): Diagnostic[] {
  const first = new Map<string, Indexed<Route>>();
  const told = new Set<string>();
  const found: Diagnostic[] = [];
  let rules = 0;
  for (const route of routes) {
    for (const key of requestKeys(route.part, listeners)) {
      if (++rules > rulesMax) return [...found, tooManyRules(source)];
      const before = first.get(key);
      if (before === undefined) first.set(key, route);
      else if (
        actionMeaning(before.part) !== actionMeaning(route.part) &&
        !told.has(`${before.index} ${route.index}`)
      ) {
        told.add(`${before.index} ${route.index}`);
        found.push(sameRequestsMistake(before, route, key, source));
      }
    }
  }
  return found;
}

function* requestKeys(route: Route, listeners: readonly Indexed<Listener>[]): Generator<string> {
  const all = listeners.filter(({ part }) => !isStream(part)).map(({ part }) => part.name);
  const names = route.listeners.length > 0 ? route.listeners : all;
  const hostnames = route.hostnames.length > 0 ? route.hostnames : [null];
  const matches = route.matches.length > 0 ? route.matches : [null];
  for (const listener of names) {
    for (const hostname of hostnames) {
      for (const match of matches) {
        const conditions = conditionsOf(
          hostname,
          match ?? { path: null, method: null, headers: [], queryParams: [] },
        );
        yield `${listener}: ${conditions.map(conditionText).sort().join(' and ') || 'every request'}`;
      }
    }
  }
}

function conditionText(condition: ReturnType<typeof conditionsOf>[number]): string {
  const { kind, value } = condition;
  const name = 'name' in condition ? ` ${condition.name}` : '';
  const match = 'match' in condition && condition.match !== 'exact' ? ` ${condition.match}` : '';
  return `${kind}${name}${match} ${value}`;
}

function sameRequestsMistake(
  before: Indexed<Route>,
  route: Indexed<Route>,
  key: string,
  source: SourceText,
): Diagnostic {
  const path: Path = ['routes', route.index];
  const { line } = source.placeOf(['routes', before.index]);
  const message =
    `matches the same requests as routes[${before.index}] on line ${line} (${key}), ` +
    `which ${actionText(before.part)}, and this one ${actionText(route.part)}`;
  return mistake(
    'HF016',
    source.placeOf(path),
    pathText(path),
    message,
    'Remove one, or make one more specific',
  );
}

function actionMeaning({ action, filters }: Route): string {
  return meaningOf([action, filters]);
}

function actionText({ action }: Route): string {
  switch (action.kind) {
    case 'pools':
      return `sends them to ${action.pools.map(({ pool }) => `"${pool}"`).join(' and ')}`;
    case 'redirect':
      return `redirects them with ${action.status}`;
    case 'answer':
      return `answers them with ${action.status}`;
  }
}

function tooManyRules(source: SourceText): Diagnostic {
  const message = `expected at most ${rulesMax} combinations of listener, hostname and match, got more`;
  return mistake('HF013', source.keyPlaceOf(['routes']), 'routes', message, 'Use wildcards or fewer matches');
}

/** Balancers of one file run on one machine, so every listener of every balancer needs an address of its own. */
function sameAddress({ listeners, balancers }: Parts, source: SourceText): Diagnostic[] {
  const taken: { host: string; port: number; who: string }[] = [];
  const found: Diagnostic[] = [];
  for (const { part: balancer, index } of balancers) {
    for (const { part: listener, index: at } of listeners) {
      const host = boundHost(listener, balancer);
      const who = `listener "${listener.name}" of balancer "${balancer.name}"`;
      const other = taken.find((t) => t.port === listener.port && overlap(t.host, host));
      if (other === undefined) taken.push({ host, port: listener.port, who });
      else {
        // The address that a person would change: the balancer's own where the listener leaves it open.
        const path: Path =
          listener.host === '*' && balancers.length > 1 ? ['balancers', index] : ['listeners', at];
        const message =
          `${who} would use ${hostPort(host, listener.port)}, ` +
          `which ${other.who} has${other.host === host ? '' : ` (${hostPort(other.host, other.port)})`}`;
        found.push(
          mistake(
            'HF017',
            source.placeOf([...path, 'address']),
            pathText([...path, 'address']),
            message,
            'Give each its own address or port',
          ),
        );
      }
    }
  }
  return found;
}

/** Sockets of `::` are for IPv6 alone. */
function overlap(a: string, b: string): boolean {
  if (a === b) return true;
  const everywhere = (host: string) => host === '0.0.0.0' || host === '::';
  return isIPv6(a) === isIPv6(b) && (everywhere(a) || everywhere(b));
}

function sameServers({ part, index }: Indexed<Pool>, source: SourceText): Diagnostic[] {
  const above: Path = ['pools', index, 'servers'];
  if (isEachOfItsOwn(part)) return [];
  const names = repeated(
    part.servers.map((server) => server.name),
    above,
    source,
  );
  if (names.length > 0) return names;
  const first = new Map<string, number>();
  return part.servers.flatMap((server, i) => {
    const address = hostPort(server.host, server.port);
    const before = first.get(address);
    if (before === undefined) first.set(address, i);
    if (before === undefined) return [];
    const path = [...above, i, 'address'];
    const { line } = source.placeOf([...above, before]);
    const message = `the server on line ${line} has the address ${address} too, so it gets two shares`;
    const twice = mistake(
      'HF015',
      source.placeOf(path),
      pathText(path),
      message,
      'Give one server a weight instead',
    );
    return [{ ...twice, severity: 'warning' as const }];
  });
}

/** Nearly all pools: neither a name nor an address twice. */
function isEachOfItsOwn({ servers }: Pool): boolean {
  const [names, addresses] = [new Set<string>(), new Set<string>()];
  for (const { name, host, port } of servers) {
    names.add(name);
    addresses.add(hostPort(host, port));
  }
  return names.size === servers.length && addresses.size === servers.length;
}

function unreachedPools({ pools, routes }: Parts, source: SourceText): Diagnostic[] {
  // A route of the wrong shape, or with a misspelt name, may be the one that reaches the pool.
  const known = new Set(namesOf(source, 'pools'));
  const unsure = routes.some(({ part }) => poolsOf(part).some((pool) => !known.has(pool)) || isUnsure(part));
  if (unsure || routes.length < sectionOf(source, 'routes').length) return [];
  const named = sectionOf(source, 'routes').map((route) => textOf(route, 'pool'));
  const reached = new Set([
    ...named,
    ...routes.flatMap(({ part }) => [...poolsOf(part), part.filters.mirror?.pool]),
  ]);
  return pools
    .filter(({ part }) => !reached.has(part.name))
    .map(({ part, index }) => ({
      ...mistake(
        'HF020',
        part.place,
        `pools[${index}]`,
        `no route reaches the pool "${part.name}"`,
        'Remove it, or add a route to it',
      ),
      severity: 'warning' as const,
    }));
}

/** It says nothing of what gives the answer: a mistake that is told elsewhere. */
function isUnsure({ action }: Route): boolean {
  return action.kind === 'pools' && action.pools.length === 0;
}
