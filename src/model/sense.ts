import { isIPv6 } from 'node:net';
import type { Diagnostic } from '#base';
import { buildBalancer, buildListener, buildPool, buildRoute } from './build.ts';
import { expressionTrouble } from './expression.ts';
import { listed, meant, pathText, shown } from './mistakes.ts';
import { conditionsOf, hostPort } from './route.ts';
import { partSchemas } from './schema.ts';
import { type Balancer, boundHost, type Listener, type Pool, type Route } from './site.ts';
import { mistake, type Path, type SourceText } from './yaml.ts';

/**
 * What the shape cannot tell: names that meet nothing, routes that cannot both be meant, addresses that collide.
 * Looks at every part whose own shape is right, so one run tells these mistakes together with those of the shape.
 */
export function senseMistakes(source: SourceText): Diagnostic[] {
  const parts = partsOf(source);
  return [
    ...repeatedNames(source),
    ...unknownNames(parts, source),
    ...parts.routes.flatMap((route) => matchMistakes(route, source)),
    ...sameRequests(parts, source),
    ...sameAddress(parts, source),
    ...parts.pools.flatMap((pool) => sameServers(pool, source)),
    ...unreachedPools(parts, source),
  ];
}

type Section = keyof typeof partSchemas;

/** A part of the right shape, with its index in the file. */
interface Indexed<T> {
  readonly index: number;
  readonly part: T;
}

interface Parts {
  readonly listeners: readonly Indexed<Listener>[];
  readonly routes: readonly Indexed<Route>[];
  readonly pools: readonly Indexed<Pool>[];
  readonly balancers: readonly Indexed<Balancer>[];
}

function partsOf(source: SourceText): Parts {
  const { placeOf } = source;
  const good = <S extends Section, T>(section: S, build: (item: unknown, index: number) => T | null) =>
    sectionOf(source, section).flatMap((item, index) => {
      const part = build(item, index);
      return part === null ? [] : [{ index, part }];
    });
  const { listeners, routes, pools, balancers } = partSchemas;
  return {
    listeners: good('listeners', (item, i) => {
      const { data } = listeners.safeParse(item);
      return data ? buildListener(data, i, '/', placeOf) : null;
    }),
    routes: good('routes', (item, i) => {
      const { data } = routes.safeParse(item);
      return data ? buildRoute(data, i, placeOf) : null;
    }),
    pools: good('pools', (item, i) => {
      const { data } = pools.safeParse(item);
      return data ? buildPool(data, i, placeOf) : null;
    }),
    balancers: good('balancers', (item, i) => {
      const { data } = balancers.safeParse(item);
      return data ? buildBalancer(data, i, placeOf) : null;
    }),
  };
}

const sectionItemsMax = 10_000;

function sectionOf(source: SourceText, section: Section): readonly unknown[] {
  const value = (source.value as Readonly<Record<string, unknown>> | null)?.[section];
  return Array.isArray(value) ? value.slice(0, sectionItemsMax) : [];
}

/** Names as they stand in the file, also of parts whose shape is wrong: what refers to them is not a second mistake. */
function namesOf(source: SourceText, section: Section): readonly (string | null)[] {
  return sectionOf(source, section).map((item) => {
    const name = (item as Readonly<Record<string, unknown>> | null)?.name;
    return typeof name === 'string' ? name : null;
  });
}

function repeatedNames(source: SourceText): Diagnostic[] {
  const sections: readonly Section[] = ['listeners', 'routes', 'pools', 'balancers'];
  return sections.flatMap((section) => repeated(namesOf(source, section), [section], source));
}

function repeated(names: readonly (string | null)[], above: Path, source: SourceText): Diagnostic[] {
  const first = new Map<string, number>();
  return names.flatMap((name, index) => {
    if (name === null) return [];
    const before = first.get(name);
    if (before === undefined) {
      first.set(name, index);
      return [];
    }
    const path = [...above, index, 'name'];
    const { line } = source.placeOf([...above, before, 'name']);
    const message = `expected another name, ${shown(name)} is taken on line ${line}`;
    return [mistake('HF015', source.placeOf(path), pathText(path), message)];
  });
}

function unknownNames({ routes }: Parts, source: SourceText): Diagnostic[] {
  const pools = namesOf(source, 'pools').filter((name) => name !== null);
  const listeners = namesOf(source, 'listeners').filter((name) => name !== null);
  const look = (name: string, known: readonly string[], path: Path, what: string): Diagnostic[] => {
    if (known.includes(name)) return [];
    const expected = known.length > 0 ? `one of ${listed(known)}` : `a ${what} that exists`;
    const message = `expected ${expected}, got ${shown(name)}`;
    const remedy = meant(name, known) || `Add the ${what}, or use one that exists`;
    return [mistake('HF014', source.placeOf(path), pathText(path), message, remedy)];
  };
  return routes.flatMap(({ part, index }) => [
    ...look(part.pool, pools, ['routes', index, 'pool'], 'pool'),
    ...part.listeners.flatMap((name, i) =>
      look(name, listeners, ['routes', index, 'listeners', i], 'listener'),
    ),
  ]);
}

function matchMistakes({ part, index }: Indexed<Route>, source: SourceText): Diagnostic[] {
  return part.matches.flatMap((match, i) => {
    const above: Path = ['routes', index, 'matches', i];
    const { path } = match;
    const at: Path = [...above, 'path', 'value'];
    const own =
      path === null
        ? []
        : path.type === 'RegularExpression'
          ? expressionMistake(path.value, at, source)
          : plainPathMistake(path.value, at, source);
    const values = (['headers', 'queryParams'] as const).flatMap((kind) => {
      const lower = (name: string) => (kind === 'headers' ? name.toLowerCase() : name);
      return [
        ...repeated(
          match[kind].map(({ name }) => lower(name)),
          [...above, kind],
          source,
        ),
        ...match[kind].flatMap(({ type, value }, j) => {
          const where: Path = [...above, kind, j, 'value'];
          if (type === 'RegularExpression') return expressionMistake(value, where, source);
          return kind === 'queryParams' ? plainQueryMistake(value, where, source) : [];
        }),
      ];
    });
    return [...own, ...values];
  });
}

function expressionMistake(value: string, path: Path, source: SourceText): Diagnostic[] {
  const trouble = expressionTrouble(value);
  if (trouble === null) return [];
  return [mistake('HF019', source.placeOf(path), pathText(path), trouble.message, trouble.remedy)];
}

/** As the Gateway API has it: a path that a browser would rewrite before it asks can never be matched. */
function plainPathMistake(value: string, path: Path, source: SourceText): Diagnostic[] {
  const wrong = (message: string, remedy: string) => [
    mistake('HF013', source.placeOf(path), pathText(path), `${message}, got ${shown(value)}`, remedy),
  ];
  if (!value.startsWith('/')) return wrong('expected a path that begins with "/"', `Write "/${value}"`);
  if (/[?#]/.test(value))
    return wrong('expected a path without "?" and "#"', 'Match the query with queryParams');
  if (/\/\/|\/\.\.?(?:\/|$)/.test(value)) return wrong('expected a path without "//", "/./" and "/../"', '');
  if (!/^[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/.test(value)) {
    return wrong('expected a path as it stands in a URL', `Write "${encodeURI(value)}"`);
  }
  return [];
}

function plainQueryMistake(value: string, path: Path, source: SourceText): Diagnostic[] {
  if (/^[A-Za-z0-9._~!$'()*+,;=:@%/?-]+$/.test(value)) return [];
  const message = `expected a value as it stands in a URL, got ${shown(value)}`;
  const remedy = `Write "${encodeURIComponent(value)}"`;
  return [mistake('HF013', source.placeOf(path), pathText(path), message, remedy)];
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
      else if (before.part.pool !== route.part.pool && !told.has(`${before.index} ${route.index}`)) {
        told.add(`${before.index} ${route.index}`);
        found.push(sameRequestsMistake(before, route, key, source));
      }
    }
  }
  return found;
}

function* requestKeys(route: Route, listeners: readonly Indexed<Listener>[]): Generator<string> {
  const all = listeners.map(({ part }) => part.name);
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
    `which sends them to "${before.part.pool}" and not to "${route.part.pool}"`;
  return mistake(
    'HF016',
    source.placeOf(path),
    pathText(path),
    message,
    'Remove one, or make one more specific',
  );
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

function overlap(a: string, b: string): boolean {
  if (a === b) return true;
  const everywhere = (host: string) => host === '0.0.0.0' || host === '::';
  const oneFamily = isIPv6(a) === isIPv6(b);
  return a === '::' || b === '::' || (oneFamily && (everywhere(a) || everywhere(b)));
}

function sameServers({ part, index }: Indexed<Pool>, source: SourceText): Diagnostic[] {
  const above: Path = ['pools', index, 'servers'];
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

function unreachedPools({ pools, routes }: Parts, source: SourceText): Diagnostic[] {
  // A route of the wrong shape may be the one that reaches the pool.
  if (routes.length < sectionOf(source, 'routes').length) return [];
  const reached = new Set(routes.map(({ part }) => part.pool));
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
