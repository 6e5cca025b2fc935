import { once } from '#base';
import { addressesOf, listenersOf } from './listeners.ts';
import { type Location, levelOf } from './locations.ts';
import { Keys, type Meaning, type NotUnderstood, type Setting } from './meaning.ts';
import { type Pools, poolsOf } from './pools.ts';
import { type Scope, scopeOf } from './scope.ts';
import { globalSettings, refuseOthers, settingsOf, shownBlock } from './settings.ts';
import type { SharedServers } from './shared.ts';
import { sourcesOf } from './sources.ts';
import type { Lifting, Server } from './state.ts';
import { streamOf } from './stream.ts';
import { type Node, readTree, type TextFiles } from './tree.ts';
import { inUpstream } from './vocabulary.ts';

export interface NginxText {
  readonly file: string;
  /** Absolute; relative includes start from it. */
  readonly folder: string;
  readonly text: string;
}

/** How many fates a server may come to, and for each directive of the text: past it, the rest is too complex. */
const fatesMin = 6_000;
const fatesPerDirective = 12;

/**
 * What an `nginx.conf` does to every request. A part of one (`server` blocks, or the inside of one) is lifted as if the
 * rest stood around it. Never throws; what is not understood is said, at its line.
 */
export function liftNginx(
  { file, folder, text }: NginxText,
  files: TextFiles,
  shared: SharedServers | null = null,
): Meaning {
  const tree = readTree(file, folder, text, files);
  const refused: NotUnderstood[] = [...tree.notUnderstood];
  const { main, http, stream, mail } = contexts(tree.nodes);
  const pools = poolsOf(http.nodes.filter(isUpstream), 'http');
  const lifting = liftingOf(http, pools, refused, shared);
  refuseOthers(
    main.nodes.filter(
      ({ name }) =>
        !['stream', 'mail', 'http'].includes(name) && !http.nodes.some((node) => node.name === name),
    ),
    lifting,
  );
  refuseOthers(http.nodes, lifting);
  refuseInPools(http.nodes, lifting);
  const servers = http.nodes
    .filter((node) => node.name === 'server' && node.block)
    .map((node) => serverOf(node, http));
  const addresses = addressesOf(servers, lifting, 80);
  const listeners = listenersOf(addresses, lifting);
  const streamed = stream.map((scope) => {
    const own = poolsOf(scope.nodes.filter(isUpstream), 'tcp');
    return { ...streamOf(scope, liftingOf(scope, own, refused, null), own), pools: own };
  });
  const settings: Setting[] = [
    ...globalSettings(main.nodes),
    ...main.nodes.flatMap(({ name, block }) => (name === 'events' && block ? globalSettings(block) : [])),
    ...(http === main ? [] : globalSettings(http.nodes)),
    ...mail.flatMap(mailSettings),
    ...addresses.flatMap((address) => address.settings),
    ...settingsOf(addresses, servers, lifting),
    ...streamed.flatMap((one) => one.settings),
  ];
  return {
    listeners: [...listeners, ...streamed.flatMap((one) => one.listeners)],
    pools: [...pools.all, ...streamed.flatMap((one) => one.pools.all)],
    settings,
    notUnderstood: inOrder(refused),
  };
}

const isUpstream = (node: Node): boolean =>
  node.name === 'upstream' && (node.plainBlock !== null || node.block !== null);

interface Contexts {
  readonly main: Scope;
  readonly http: Scope;
  readonly stream: readonly Scope[];
  readonly mail: readonly Node[];
}

/** Blocks of which a text that has one is a whole `nginx.conf`, not a part of one. */
export const wholes: ReadonlySet<string> = new Set(['http', 'stream', 'mail', 'events']);
/** Directives by which a part of a text belongs into `http`. */
export const inHttp: ReadonlySet<string> = new Set([
  'server',
  'upstream',
  'map',
  'geo',
  'split_clients',
  'log_format',
  'limit_req_zone',
  'limit_conn_zone',
  'proxy_cache_path',
  'match',
  'keyval_zone',
]);

/** A part of a text is put where its words belong. */
function contexts(nodes: readonly Node[]): Contexts {
  const blocks = (name: string) => nodes.filter((node) => node.name === name && node.block);
  const main = scopeOf('main', null, nodes, null);
  const mail = blocks('mail');
  if (nodes.some((node) => wholes.has(node.name) && node.block)) {
    const inside = blocks('http').flatMap(({ block }) => block ?? []);
    const http = scopeOf('http', blocks('http')[0] ?? null, inside, null);
    return {
      main,
      http,
      stream: blocks('stream').map((node) => scopeOf('main', node, node.block ?? [], null)),
      mail,
    };
  }
  const isHttp =
    nodes.some((node) => inHttp.has(node.name) && (node.name !== 'server' || node.block)) ||
    nodes.length === 0;
  if (isHttp)
    return {
      main: scopeOf('main', null, [], null),
      http: scopeOf('http', null, nodes, null),
      stream: [],
      mail,
    };
  const [first] = nodes;
  const place = first?.place ?? { file: '', line: 1, column: 1 };
  const server: Node = { name: 'server', words: [], place, text: 'server', block: nodes, plainBlock: null };
  return {
    main: scopeOf('main', null, [], null),
    http: scopeOf('http', null, [server], null),
    stream: [],
    mail,
  };
}

function liftingOf(
  http: Scope,
  pools: Pools,
  refused: NotUnderstood[],
  shared: SharedServers | null,
): Lifting {
  const sources = sourcesOf(http.nodes);
  const seen = new Set<string>();
  const most = Math.max(fatesMin, countOf(http.nodes) * fatesPerDirective);
  let left = most;
  return {
    pools,
    sources,
    keys: new Keys(),
    all: refused,
    shared,
    around: once(() => `${sources.said}\n${aroundServers(http.nodes)}`),
    refuse({ place, text }, why) {
      const key = `${place.file}:${place.line}:${place.column} ${why}`;
      if (seen.has(key)) return;
      seen.add(key);
      refused.push({ place, text, why });
    },
    spend() {
      left -= 1;
      return left > 0;
    },
    renew() {
      left = most;
    },
  };
}

/** Of pools their names: what a request comes to has nothing to do with what is in them. */
function aroundServers(nodes: readonly Node[]): string {
  const others = nodes.filter((node) => node.name !== 'server' || !node.block);
  return others.map((node) => (isUpstream(node) ? node.text : shownBlock([node]))).join('; ');
}

function countOf(nodes: readonly Node[]): number {
  let count = nodes.length;
  for (const node of nodes) {
    if (node.plainBlock !== null) count += serversIn(node.plainBlock);
    else if (node.block) count += countOf(node.block);
  }
  return count;
}

function serversIn(plainBlock: string): number {
  let count = 0;
  for (let at = plainBlock.indexOf(';'); at >= 0; at = plainBlock.indexOf(';', at + 1)) count += 1;
  return count;
}

function serverOf(node: Node, http: Scope): Server {
  const scope = scopeOf('server', node, node.block ?? [], http);
  const said = scope.nodes.filter(({ name }) => name === 'server_name').flatMap(({ words }) => words);
  const names = said.map((name) => (name.startsWith('~') ? name : name.toLowerCase()));
  const named = new Map<string, Location>();
  const level = levelOf(scope.nodes, scope, named);
  return { scope, place: node.place, names: names.length === 0 ? [''] : names, level, named };
}

function refuseInPools(nodes: readonly Node[], lifting: Lifting): void {
  for (const upstream of nodes)
    if (upstream.name === 'upstream' && upstream.plainBlock === null)
      for (const node of upstream.block ?? [])
        if (!inUpstream.has(node.name)) lifting.refuse(node, 'a directive that is not known');
}

/** What `mail {}` says changes no web request: told as it is. */
function mailSettings({ block }: Node): readonly Setting[] {
  return (block ?? []).map((node) => ({
    scope: { kind: 'global' },
    name: `mail ${node.name}`,
    value: node.block ? shownBlock(node.block) : node.words.join(' '),
    place: node.place,
  }));
}

function inOrder(refused: readonly NotUnderstood[]): readonly NotUnderstood[] {
  return refused.toSorted((a, b) => (a.place.file === b.place.file ? a.place.line - b.place.line : 0));
}
