import { assert } from '#base';
import { hostPort, isStream, type Listener, routeOf, type Site } from '#model';
import type { ListenAt, Placement } from '../dialect.ts';
import { accessFiles, Limits } from './access.ts';
import { accessLogLines } from './access-log.ts';
import { type Edge, edgeOf, hstsLines } from './forwarded.ts';
import { goodLog, httpLines, logMaps, sideMaps } from './http.ts';
import { fixedLocations, Locations, pageMaps } from './locations.ts';
import { chooseUpstreams, streamFactLines, upstreamLines } from './pools.ts';
import { addressOf, routeMaps } from './routes.ts';
import { hasStreamNet, isOfStreams, netLinks, streamLines } from './streams.ts';
import { certificateMap, tlsLines, tlsWords } from './tls.ts';
import { defaults, file, firstSocketFd, ours, path } from './vocabulary.ts';

/** The site as a configuration for open-source NGINX 1.22. */
export function lower(written: Site, placed: Placement): string {
  const placement = placed.alone ? { ...placed, entrance: null } : placed;
  const site = placed.alone ? withoutCopies(written) : written;
  const routed = routeOf(site).listeners;
  const folder = folderOf(placement);
  const net = site.guard.net && placement.neighbour !== null;
  const edge = edgeOf(routed, (index) => addressOf(routed, index));
  const limits = new Limits(routed, site.errorPages, folder);
  const locations = new Locations(site.pools, limits, edge, { placement, folder });
  const routes = routeMaps(routed, locations);
  const streamed = isOfStreams(site);
  const http = [
    ...httpLines(site, folder),
    ...sideMaps(net),
    ...edge.maps,
    ...limits.maps,
    ...pageMaps(site.errorPages),
    ...logMaps(folder, placement.replays === true),
    ...accessLogLines(site, routed),
    ...certificateMap(site, placement),
    ...locations.maps,
    ...routes,
    ...site.pools.flatMap((pool, index) =>
      streamed(pool) ? streamFactLines(pool, placement) : upstreamLines(site, pool, index, placement),
    ),
    ...siteServers(site, { locations, edge }, placement, net),
    ...locations.servers,
    ...(placement.alone ? [] : controlServer(placement, folder)),
  ];
  const stream = streamLines(site, placement, {
    folder,
    listenWords: (listener) => listenWords(listener, placement),
  });
  const lines = [
    ...mainLines(site, placement, folder, net),
    'http {',
    ...indented(http),
    '}',
    ...(stream.length > 0 ? ['stream {', ...indented(stream), '}'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** They are handed over by a socket of ours. */
function withoutCopies(site: Site): Site {
  return {
    ...site,
    routes: site.routes.map((route) => ({ ...route, filters: { ...route.filters, mirror: null } })),
  };
}

/** Files beside the text that it names. */
export function files(site: Site): Readonly<Record<string, string>> {
  return accessFiles(routeOf(site).listeners);
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

/** Everything of a generation lies in one folder. */
function folderOf({ control }: Placement): string {
  return control.slice(0, control.lastIndexOf('/'));
}

function mainLines(site: Site, placement: Placement, folder: string, net: boolean): string[] {
  const sockets = site.listeners.filter((l) => placement.listeners[l.name]?.kind === 'fd').length;
  const facts = {
    sockets: { first: firstSocketFd, count: sockets },
    workers: placement.threads,
    neighbour: placement.neighbour !== null,
    net,
    ...(site.listeners.some(isStream)
      ? { streams: { net: hasStreamNet(site, placement) ? netLinks(placement) : null } }
      : {}),
  };
  return [
    `${ours.facts.generation}${JSON.stringify(facts)}`,
    ...(placement.modules ?? []).map((module) => `load_module ${path(module)};`),
    `pid ${file(folder, ours.files.pid)};`,
    `error_log ${file(folder, ours.files.errors)} crit;`,
    `worker_processes ${placement.threads};`,
    'pcre_jit on;',
    `events { worker_connections ${defaults.connections}; accept_mutex off; }`,
  ];
}

interface Contents {
  readonly locations: Locations;
  readonly edge: Edge;
}

/** One, or one for each way of TLS: NGINX says it for a server, and everything else is the same in all of them. */
function siteServers(site: Site, contents: Contents, placement: Placement, net: boolean): string[] {
  const ways = new Map<string, Listener[]>();
  const http = site.listeners.filter((l) => !isStream(l));
  const [plain, secure] = [true, false].map((is) => http.filter((l) => (l.tls === null) === is));
  for (const listener of secure ?? []) {
    const way = JSON.stringify([listener.tls?.minVersion, listener.tls?.clients]);
    ways.set(way, [...(ways.get(way) ?? []), listener]);
  }
  const [first = [], ...others] = ways.values();
  const all = [http.filter((l) => plain?.includes(l) || first.includes(l)), ...others];
  return all.flatMap((listeners, index) => {
    const entrance = index === 0 ? placement.entrance : null;
    if (listeners.length === 0 && entrance === null) return [];
    return siteServer(site, contents, { placement, listeners, entrance, net });
  });
}

function siteServer(
  site: Site,
  { locations, edge }: Contents,
  {
    placement,
    listeners,
    entrance,
    net,
  }: {
    readonly placement: Placement;
    readonly listeners: readonly Listener[];
    readonly entrance: string | null;
    readonly net: boolean;
  },
): string[] {
  const folder = folderOf(placement);
  const { neighbour } = placement;
  return [
    'server {',
    ...listeners.map((listener) => `  listen ${listenWords(listener, placement)};`),
    ...(entrance === null ? [] : [`  listen ${path(`unix:${entrance}`)} proxy_protocol;`]),
    ...indented(tlsLines(site, listeners, placement)),
    '  set $holdfast_led "";',
    ...indented(chooseUpstreams(site, placement, folder)),
    ...(edge.hsts ? [`  ${hstsLines.add}`, `  ${hstsLines.hide}`] : []),
    ...edge.headers.map(([name, value]) => `  proxy_set_header ${name} ${value};`),
    // A location of its own for everything that a request may get, chosen by the rules alone.
    '  error_page 597 = $holdfast_back;',
    '  error_page 598 = $holdfast_route$holdfast_kind;',
    ...(neighbour === null ? [] : [`  if (-x ${file(folder, ours.files.takeBack)}) { return 597; }`]),
    '  location / { return 598; }',
    ...indented(locations.lines),
    ...indented(
      fixedLocations({ neighbour, netOut: net ? file(folder, ours.files.netOut) : null }, edge, {
        pages: site.errorPages,
        copies: locations.servers.length > 0,
      }),
    ),
    '}',
  ];
}

function listenWords(listener: Listener, placement: Placement): string {
  const at = placement.listeners[listener.name] ?? {
    kind: 'address',
    host: listener.host,
    port: listener.port,
  };
  const address = listenAddress(at, listener);
  const backlog = at.kind === 'unix' ? '' : ' backlog=4096';
  return `${address}${listener.tls ? tlsWords(listener.tls) : ''}${backlog}`;
}

/** NGINX knows an inherited socket by its address. */
function listenAddress(at: ListenAt, listener: Listener): string {
  if (at.kind === 'unix') return path(`unix:${at.path}`);
  const host = at.host ?? listener.host;
  assert(host !== '*', `the placement does not say where listener ${listener.name} is bound`);
  return hostPort(host, listener.port);
}

function controlServer(placement: Placement, folder: string): string[] {
  const { status, takeBack, net } = ours.control;
  const flag = (at: string, name: string) =>
    `  location = ${at} { access_log off; if (-x ${file(folder, name)}) { return 200 on; } return 200 off; }`;
  return [
    'server {',
    `  listen ${path(`unix:${placement.control}`)};`,
    // In both, so that it shows when either is not written.
    `  location = ${status} { access_log ${file(folder, ours.files.bad)} asked; access_log ${goodLog(folder, 'asked')}; stub_status; }`,
    flag(takeBack, ours.files.takeBack),
    flag(net, ours.files.netOut),
    '}',
  ];
}
