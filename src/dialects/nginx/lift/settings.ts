import { handlerOf } from './handlers.ts';
import type { Address } from './listeners.ts';
import type { Level, Location } from './locations.ts';
import type { Setting } from './meaning.ts';
import { addressOf } from './pools.ts';
import { type Scope, said, scopeOf } from './scope.ts';
import type { Lifting, Server } from './state.ts';
import { hasVariables } from './template.ts';
import type { Node } from './tree.ts';
import { inOneForm } from './units.ts';
import { interpreted, perLocation, perServer, perText } from './vocabulary.ts';

/** What is in force when nothing is said; a text that says it says nothing new. */
const defaults: Readonly<Record<string, string>> = {
  client_body_timeout: '60000 ms',
  client_header_timeout: '60000 ms',
  client_max_body_size: '1048576 bytes',
  gzip: 'off',
  keepalive_timeout: '75000 ms',
  proxy_buffering: 'on',
  proxy_cache: 'off',
  proxy_connect_timeout: '60000 ms',
  proxy_http_version: '1.0',
  proxy_intercept_errors: 'off',
  proxy_next_upstream: 'error timeout',
  proxy_read_timeout: '60000 ms',
  proxy_redirect: 'default',
  proxy_request_buffering: 'on',
  proxy_send_timeout: '60000 ms',
  send_timeout: '60000 ms',
  sendfile: 'off',
  tcp_nodelay: 'on',
  tcp_nopush: 'off',
  autoindex: 'off',
};

/** Read for where requests go, and worth telling beside it. */
const toldToo = new Set([
  'error_page',
  'root',
  'alias',
  'index',
  'limit_req',
  'limit_conn',
  'limit_req_status',
  'limit_conn_status',
  'auth_basic',
]);

const scopeKey = (scope: Setting['scope']): string =>
  'name' in scope ? `${scope.kind} ${scope.name}` : JSON.stringify(scope);

interface InForce {
  readonly setting: Setting;
  /** Server and location. */
  readonly where: string;
}

/** Where settings of a pool or listener may be in force: servers, and servers with their locations. */
interface Places {
  readonly servers: Set<string>;
  readonly all: Set<string>;
}

/** Every directive that moves nothing, for the pool or the listener that it is in force for. */
export function settingsOf(
  addresses: readonly Address[],
  servers: readonly Server[],
  lifting: Lifting,
): readonly Setting[] {
  const found: InForce[] = [];
  const places = new Map<string, Places>();
  const placesOf = (scope: Setting['scope']): Places => {
    const key = scopeKey(scope);
    const known = places.get(key) ?? { servers: new Set(), all: new Set() };
    places.set(key, known);
    return known;
  };
  const listeners = new Map(
    addresses.toReversed().flatMap(({ servers: all, name }) => all.map((server) => [server, name] as const)),
  );
  for (const server of servers) {
    const listener = listeners.get(server);
    const scope: Setting['scope'] =
      listener === undefined ? { kind: 'global' } : { kind: 'listener', name: listener };
    const label = server.names[0] ?? '';
    placesOf(scope).servers.add(label);
    placesOf(scope).all.add(label);
    found.push(...inForce(server.scope, perServer, scope, label));
    found.push(...inForce(server.scope, perLocation, scope, label));
    for (const location of locationsOf(server.level, server.named)) {
      const target = poolOf(handlerOf(location.scope), lifting);
      const own = target === null ? scope : ({ kind: 'pool', name: target } as const);
      const name = `${label} ${location.text.replace('location ', '')}`;
      placesOf(own).all.add(name);
      found.push(...inForce(location.scope, perLocation, own, name));
      for (const node of location.scope.nodes)
        if (node.name === 'if' && node.block)
          found.push(...ownOf(scopeOf('if', node, node.block, null), own, `${name} ${node.text}`));
    }
  }
  return withParts(compressed(found, placesOf), servers);
}

/** Named locations that a setting speaks of. */
function withParts(found: readonly Setting[], servers: readonly Server[]): readonly Setting[] {
  const held = new Map<string, string>();
  for (const { named } of servers)
    for (const [name, { scope }] of named)
      held.set(name, `${held.get(name) ?? ''}{ ${shownBlock(scope.nodes)} }`);
  if (held.size === 0) return found;
  return found.map((setting) => {
    const names = `${setting.name} ${setting.value}`.match(/@[^\s()]+/g) ?? [];
    const parts = names.flatMap((name) => {
      const holds = held.get(name);
      return holds === undefined ? [] : [[name, holds] as const];
    });
    return parts.length === 0 ? setting : { ...setting, parts: new Map(parts) };
  });
}

function locationsOf(level: Level, named: ReadonlyMap<string, Location>): readonly Location[] {
  const inside = (one: Level): Location[] =>
    [...one.exact, ...one.prefixes, ...one.regexes].flatMap((location) => [
      location,
      ...inside(location.inner),
    ]);
  return [...inside(level), ...named.values()];
}

const ports: Readonly<Record<string, number>> = { https: 443, grpcs: 443, memcached: 11_211 };

function poolOf(handler: Node | null, { pools }: Lifting): string | null {
  const target = handler?.words[0];
  if (!handler?.name.endsWith('_pass') || target === undefined || hasVariables(target)) return null;
  const [, scheme = '', authority = ''] = /^(?:([a-z]+):\/\/)?(unix:[^:]*|[^/?]*)/i.exec(target) ?? [];
  if (pools.has(authority)) return pools.of(authority, 80, handler.place);
  return addressOf(authority, ports[scheme.toLowerCase()] ?? 80);
}

function inForce(scope: Scope, names: ReadonlySet<string>, of: Setting['scope'], where: string): InForce[] {
  const present = new Set<string>();
  for (let at: Scope | null = scope; at; at = at.parent)
    for (const name of at.named.keys()) present.add(name);
  return [...present]
    .filter((name) => names.has(name) || (names === perLocation && toldToo.has(name)))
    .flatMap((name) => one(name, said(scope, name), of, where));
}

function ownOf(scope: Scope, of: Setting['scope'], where: string): InForce[] {
  return [...scope.named]
    .filter(([name]) => perLocation.has(name))
    .flatMap(([name, nodes]) => one(name, nodes, of, where));
}

function one(name: string, nodes: readonly Node[], scope: Setting['scope'], where: string): InForce[] {
  const [first] = nodes;
  const value = nodes.map(({ words }) => inOneForm(name, words)).join('; ');
  if (!first || defaults[name] === value) return [];
  return [{ setting: { scope, name, value, place: first.place }, where }];
}

/** One word where it is the same in all places of a pool or listener; each with its place where it is not. */
function compressed(
  found: readonly InForce[],
  placesOf: (scope: Setting['scope']) => Places,
): readonly Setting[] {
  const groups = Map.groupBy(found, ({ setting }) => `${setting.name} ${scopeKey(setting.scope)}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { servers, all } = placesOf(first.setting.scope);
    const wheres = new Set(group.map(({ where }) => where));
    // A place that says nothing has the default: it is not like the others.
    const everywhere = [...(perServer.has(first.setting.name) ? servers : all)].every((one) =>
      wheres.has(one),
    );
    if (everywhere && group.every(({ setting }) => setting.value === first.setting.value))
      return [first.setting];
    const seen = new Set<string>();
    return group.flatMap(({ setting, where }) => {
      const name = `${setting.name} (${where.trim()})`;
      if (seen.has(`${name} ${setting.value}`)) return [];
      seen.add(`${name} ${setting.value}`);
      return [{ ...setting, name }];
    });
  });
}

/** Settings of the process and of `http` as a whole; blocks in one line. */
export function globalSettings(nodes: readonly Node[], prefix = ''): readonly Setting[] {
  return nodes
    .filter(({ name }) => perText.has(name))
    .map((node) => ({
      scope: { kind: 'global' } as const,
      name: `${prefix}${node.name}${keyed.has(node.name) ? ` ${node.words[0] ?? ''}` : ''}`,
      value: node.block
        ? [...node.words, `{ ${shownBlock(node.block)} }`].join(' ')
        : inOneForm(node.name, keyed.has(node.name) ? node.words.slice(1) : node.words),
      place: node.place,
    }));
}

const keyed = new Set([
  'log_format',
  'env',
  'match',
  'proxy_cache_path',
  'limit_req_zone',
  'limit_conn_zone',
  'thread_pool',
]);

export function shownBlock(nodes: readonly Node[]): string {
  return nodes.map(({ text, block }) => (block ? `${text} { ${shownBlock(block)} }` : text)).join('; ');
}

/** Directives that neither decide nor are known as settings: said at their line. */
export function refuseOthers(nodes: readonly Node[], lifting: Lifting): void {
  for (const node of nodes) {
    const { name } = node;
    if (!interpreted.has(name) && !perLocation.has(name) && !perServer.has(name) && !perText.has(name))
      lifting.refuse(node, 'a directive that is not known');
    const inner = ['http', 'server', 'location', 'if', 'limit_except', 'events'].includes(name);
    if (inner && node.block) refuseOthers(node.block, lifting);
  }
}
