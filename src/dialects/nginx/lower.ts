import { assert } from '#base';
import {
  type ClientCertificates,
  hostPort,
  isStream,
  type Listener,
  type ListenerTls,
  routeOf,
  type Site,
} from '#model';
import type { ListenAt, Placement } from '../dialect.ts';
import { accessFiles, Limits } from './access.ts';
import { accessLogLines } from './access-log.ts';
import { type Edge, edgeOf, hstsLines } from './forwarded.ts';
import { fixedLocations, Locations, pageMaps } from './locations.ts';
import { map } from './maps.ts';
import { chooseUpstreams, streamFactLines, upstreamLines } from './pools.ts';
import { addressOf, routeMaps } from './routes.ts';
import { hasStreamNet, isOfStreams, netLinks, streamLines } from './streams.ts';
import { badFields, defaults, firstSocketFd, milliseconds, ours, path } from './vocabulary.ts';

/** The site as a configuration for open-source NGINX 1.22. */
export function lower(site: Site, placement: Placement): string {
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
    ...logMaps(folder),
    ...accessLogLines(site, routed),
    ...certificateMap(site, placement),
    ...locations.maps,
    ...routes,
    ...site.pools.flatMap((pool, index) =>
      streamed(pool) ? streamFactLines(pool, placement) : upstreamLines(site, pool, index, placement),
    ),
    ...siteServers(site, { locations, edge }, placement, net),
    ...locations.servers,
    ...controlServer(placement, folder),
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

function file(folder: string, name: string): string {
  return path(`${folder}/${name}`);
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

function httpLines(site: Site, folder: string): string[] {
  return [
    'geo $holdfast_dollar { default "$"; }',
    'default_type text/plain;',
    'server_tokens off;',
    'map_hash_max_size 65536;',
    'map_hash_bucket_size 512;',
    'variables_hash_max_size 65536;',
    'variables_hash_bucket_size 256;',
    'proxy_headers_hash_bucket_size 256;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${file(folder, `${kind}.temp`)};`,
    ),
    // The client's side.
    `client_header_timeout ${milliseconds(site.timeouts.requestMs)};`,
    `client_body_timeout ${milliseconds(site.timeouts.clientMs)};`,
    `send_timeout ${milliseconds(site.timeouts.clientMs)};`,
    `keepalive_timeout ${milliseconds(site.timeouts.keepAliveMs)};`,
    'keepalive_requests 1000000;',
    'limit_req_status 429;',
    'client_max_body_size 0;',
    `large_client_header_buffers 4 ${defaults.headBytes};`,
    'merge_slashes off;',
    // Whatever header a client or a server sends goes through, and none of a server's commands NGINX. Names with other
    // signs than letters, digits, dash and underscore are dropped: a server could read them as something else.
    'underscores_in_headers on;',
    'ignore_invalid_headers on;',
    `proxy_ignore_headers ${commands.join(' ')} Expires Cache-Control Set-Cookie Vary;`,
    ...[...commands, 'Server', 'Date', 'X-Pad'].map((name) => `proxy_pass_header ${name};`),
    // The servers' side: nothing is kept on disk, who reads slowly holds back who writes.
    'proxy_http_version 1.1;',
    'proxy_buffering off;',
    `proxy_buffer_size ${defaults.headBytes};`,
    `proxy_buffers 4 ${defaults.headBytes};`,
    `proxy_busy_buffers_size ${2 * defaults.headBytes};`,
    'proxy_max_temp_file_size 0;',
    'client_body_buffer_size 128k;',
    'proxy_next_upstream error timeout;',
    'recursive_error_pages on;',
    // Behind the private entrance the client is who the neighbour says.
    'set_real_ip_from unix:;',
    'real_ip_header proxy_protocol;',
  ];
}

const commands = [
  'X-Accel-Redirect',
  'X-Accel-Expires',
  'X-Accel-Limit-Rate',
  'X-Accel-Buffering',
  'X-Accel-Charset',
] as const;

function sideMaps(net: boolean): string[] {
  const notSent = net ? '@holdfast.net' : '@holdfast.failed.503';
  return [
    // p: the public side; e: the private entrance, which alone speaks the PROXY protocol.
    ...map('$proxy_protocol_server_port', '$holdfast_side', [['', 'p']], 'e'),
    ...map('$holdfast_side', '$holdfast_at', [['p', { raw: '$server_addr $server_port' }]], {
      raw: '$proxy_protocol_server_addr $proxy_protocol_server_port',
    }),
    // A take-back leads requests of the public side; by the entrance none is led back.
    ...map('$holdfast_side', '$holdfast_back', [['p', '@holdfast.back']], {
      raw: '$holdfast_route$holdfast_kind',
    }),
    // A tunnel may be silent for long; a long body is passed on while it comes, and cannot be sent twice.
    // HTTP/2 has no upgrades, and a client that names one all the same gets none.
    ...map(
      '$server_protocol $http_upgrade',
      '$holdfast_upgrade',
      [['~*^HTTP/1\\.1 websocket$', 'websocket']],
      '',
    ),
    ...map('$holdfast_upgrade', '$holdfast_connection', [['websocket', 'upgrade']], ''),
    ...map('$holdfast_upgrade', '$holdfast_last', [['websocket', 'upgrade']], 'close'),
    ...map(
      '$holdfast_upgrade $request_method $content_length $http_transfer_encoding',
      '$holdfast_kind',
      [
        ['~^websocket', '.tunnel'],
        ['~^ (?:\\S+ [0-9]{1,5}|(?:GET|HEAD|OPTIONS|DELETE) ) $', ''],
      ],
      '.stream',
    ),
    // Nothing was sent while no connection came about: then the neighbour may answer, once.
    ...[502, 504].flatMap((status) =>
      map(
        '$holdfast_side$holdfast_kind $upstream_connect_time',
        `$holdfast_failed${status}`,
        [
          ['~ .*\\d', `@holdfast.failed.${status}`],
          ['~^p(?:[.]tunnel)? ', notSent],
        ],
        '@holdfast.failed.503',
      ),
    ),
    ...map(
      '$remote_addr $server_port',
      '$holdfast_proxy',
      [
        ['~^[0-9.]+ \\d', proxyLine('TCP4')],
        ['~:.* \\d', proxyLine('TCP6')],
      ],
      { raw: 'PROXY UNKNOWN\\r\\n' },
    ),
  ];
}

function proxyLine(family: 'TCP4' | 'TCP6') {
  return { raw: `PROXY ${family} $remote_addr $server_addr $remote_port $server_port\\r\\n` };
}

function logMaps(folder: string): string[] {
  return [
    // Good: no server error, by the first server that was asked. A line is its side, route and status.
    ...map(
      '$status $holdfast_led$upstream_status',
      '$holdfast_good',
      [['~^(?:[1234]\\d\\d (?:\\d+|-)?|\\d+ own)$', '1']],
      '0',
    ),
    ...map('$holdfast_good', '$holdfast_bad', [['1', '0']], '1'),
    "log_format good '$holdfast_side $holdfast_route $status';",
    `log_format bad '${badFields.map((field) => `$${field}`).join('\t')}';`,
    "log_format asked '$arg_asked';",
    `access_log ${goodLog(folder, 'good')} if=$holdfast_good;`,
    `access_log ${file(folder, ours.files.bad)} bad if=$holdfast_bad;`,
  ];
}

/** Only with several certificates: then NGINX reads the chosen one from its file for each handshake. */
function certificateMap(site: Site, placement: Placement): string[] {
  const chosen = site.listeners.flatMap((listener) => {
    const bundles = placement.certificates[listener.name] ?? [];
    const names = placement.certificateNames?.[listener.name] ?? [];
    return bundles
      .slice(1)
      .flatMap((bundle, index) =>
        (names[index + 1] ?? []).map(
          (name) => [`~*^${listener.port} ${namePattern(name)}$`, bundle] as const,
        ),
      );
  });
  const first = site.listeners.flatMap((listener) => {
    const [bundle] = placement.certificates[listener.name] ?? [];
    return bundle === undefined ? [] : [[`~^${listener.port} `, bundle] as const];
  });
  if (!needsCertificateMap(site, placement)) return [];
  return map('$server_port $ssl_server_name', '$holdfast_certificate', [...chosen, ...first], '');
}

function namePattern(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9*-]/g, '\\$&');
  return plain.replace(/^\*/, '[^.]+');
}

function needsCertificateMap(site: Site, placement: Placement): boolean {
  const all = site.listeners.flatMap((l) => placement.certificates[l.name] ?? []);
  return new Set(all).size > 1;
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

/** `listeners` have the same way of TLS, as far as they have any. */
function tlsLines(site: Site, listeners: readonly Listener[], placement: Placement): string[] {
  const bundles = listeners.flatMap((l) => placement.certificates[l.name] ?? []);
  const tls = listeners.find((l) => l.tls !== null)?.tls ?? null;
  const [first] = bundles;
  if (first === undefined || tls === null) return [];
  const certificate = needsCertificateMap(site, placement) ? '$holdfast_certificate' : path(first);
  return [
    `ssl_certificate ${certificate};`,
    `ssl_certificate_key ${certificate};`,
    `ssl_protocols ${tls.minVersion === '1.3' ? '' : 'TLSv1.2 '}TLSv1.3;`,
    ...(tls.clients ? clientLines(tls.clients, placement) : []),
    ...(placement.ticketKeys === null || tls.clients ? [] : ticketKeyFiles(placement.ticketKeys)).map(
      (name) => `ssl_session_ticket_key ${path(name)};`,
    ),
  ];
}

/** A session is taken up nowhere, as with the other engines: its client may have shown another certificate, or none. */
function clientLines(
  { required, authorities, revocations }: ClientCertificates,
  { files = {} }: Placement,
): string[] {
  return [
    `ssl_verify_client ${required ? 'on' : 'optional'};`,
    `ssl_client_certificate ${path(files[authorities] ?? authorities)};`,
    ...(revocations === undefined ? [] : [`ssl_crl ${path(files[revocations] ?? revocations)};`]),
    `ssl_verify_depth ${defaults.chainMax};`,
    'ssl_session_tickets off;',
  ];
}

/** HAProxy encrypts with the last but one of the three, NGINX with the first that it is given. */
function ticketKeyFiles(ticketKeys: string): string[] {
  return [2, 3, 1].map((number) => `${ticketKeys}.${number}`);
}

function tlsWords({ http2 }: ListenerTls): string {
  return http2 ? ' ssl http2' : ' ssl';
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

/** One file has the same buffer wherever it is named. */
function goodLog(folder: string, format: string): string {
  return `${file(folder, ours.files.good)} ${format} buffer=32k flush=${milliseconds(defaults.logFlushMs)}`;
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
