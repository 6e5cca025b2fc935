import { type Listener, type Pool, type Site, streamPools, streamsOf } from '#model';
import type { StreamListener, StreamRule } from '#routing';
import { type Placement, streamDoor, streamDoors, streamEntrance } from '../dialect.ts';
import { map } from './maps.ts';
import { balanceLines, serverLines, tlsToServerLines } from './pools.ts';
import { defaults, literally, milliseconds, ours, path, upstreamName } from './vocabulary.ts';

interface Stream {
  readonly site: Site;
  readonly placement: Placement;
  readonly folder: string;
  readonly routed: StreamListener;
  readonly said: Listener;
  readonly index: number;
  /** Those that its routes name, in the order of the file. */
  readonly pools: readonly Pool[];
}

/**
 * The `stream` block: for each TCP or TLS listener a server for the public side, and one for a door, a socket of its own
 * that its neighbours' nets use; and an entrance that finds the door by the port that a PROXY header names. NGINX has no
 * word that could write a PROXY header for one server of a pool alone, so a net leads to a door, which needs none.
 */
export function streamLines(
  site: Site,
  placement: Placement,
  { folder, listenWords }: { readonly folder: string; listenWords(listener: Listener): string },
): string[] {
  const streams = streamsIn(site, placement, folder);
  if (streams.length === 0) return [];
  const net = hasStreamNet(site, placement);
  return [
    // Beginnings of connections, which the other lines come too late for, and answers that broke off.
    `error_log ${file(folder, ours.files.bad)} info;`,
    'proxy_half_close on;',
    'map_hash_bucket_size 512;',
    'variables_hash_bucket_size 256;',
    ...clientMap(streams),
    ...streams.flatMap((stream) => ruleMaps(stream)),
    ...streams.flatMap((stream) => [
      ...stream.pools.flatMap((pool) => upstreamLines(stream, pool, net)),
      ...publicServer(stream, listenWords(stream.said), net),
      ...(placement.entrance === null ? [] : doorServer(stream, placement.entrance)),
    ]),
    ...(placement.entrance === null ? [] : entranceServer(streams, placement.entrance)),
  ];
}

export function hasStreamNet(site: Site, { neighbour }: Placement): boolean {
  return site.guard.net && neighbour !== null;
}

/** Where a start puts links to what the neighbour has; they lie in one folder, which is moved to take the net out. */
export function netLinks({ neighbour }: Placement): { doors: string; entrance: string } | null {
  return neighbour === null ? null : { doors: streamDoors(neighbour), entrance: streamEntrance(neighbour) };
}

function streamsIn(site: Site, placement: Placement, folder: string): Stream[] {
  return streamsOf(site).flatMap((routed, index) => {
    const used = new Set(routed.rules.flatMap(({ shares }) => shares.map(({ pool }) => pool)));
    const pools = site.pools.filter(({ name }) => used.has(name));
    return site.listeners
      .filter(({ name }) => name === routed.name)
      .map((said) => ({ site, placement, folder, routed, said, index, pools }));
  });
}

function file(folder: string, name: string): string {
  return path(`${folder}/${name}`);
}

/** What all pools of a listener have in common: NGINX says it of the listener. */
function wayOf({ pools, placement }: Stream): { pool: Pool | null; proxyProtocol: boolean } {
  const [pool = null] = pools;
  return { pool, proxyProtocol: placement.servers === null && pool?.proxyProtocol === 'v1' };
}

function clientMap(streams: readonly Stream[]): string[] {
  if (streams.every(({ said }) => said.connectionsPerClientMax === null)) return [];
  // A /64 of IPv6 is one client.
  return map(
    '$binary_remote_addr',
    '$holdfast_client',
    [['~(?s)^(?<holdfast_net>.{8}).{8}$', { raw: '$holdfast_net' }]],
    { raw: '$binary_remote_addr' },
  );
}

/** The pool of a connection; empty for one that is closed. */
function ruleMaps({ site, routed, index }: Stream): string[] {
  const drawn = routed.rules.map((rule, number) => {
    const variable = `$holdfast_share${index}_${number}`;
    const [only] = rule.shares;
    if (rule.shares.length === 1 && only) return { value: upstreamName(site.pools, only.pool), lines: [] };
    return { value: { raw: variable }, lines: shareLines(site, rule, variable) };
  });
  const entries = routed.rules.map((rule, number) => [nameKey(rule), drawn[number]?.value ?? ''] as const);
  const subject = routed.byName ? '$ssl_preread_protocol $ssl_preread_server_name' : '$protocol';
  return [
    ...drawn.flatMap(({ lines }) => lines),
    ...map(subject, `$holdfast_pool${index}`, routed.byName ? entries : entries.map(everyKey), ''),
  ];
}

function shareLines(site: Site, { shares }: StreamRule, variable: string): string[] {
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  return [
    `split_clients "$pid $connection $msec" ${variable} {`,
    ...shares.flatMap(({ pool, weight }, at) => {
      const share = at === shares.length - 1 ? '*' : `${((weight / total) * 100).toFixed(2)}%`;
      return share === '0.00%' ? [] : [`  ${share} ${upstreamName(site.pools, pool)};`];
    }),
    '}',
  ];
}

/** Without a protocol it is no TLS. */
function nameKey({ name }: StreamRule): string {
  if (name === null) return '~^[^ ]';
  const value = literally(name.value);
  return name.match === 'exact' ? `~*^[^ ]+ ${value}$` : `~*^[^ ]+ .+${value}$`;
}

function everyKey<V>([, value]: readonly [string, V]): readonly [string, V] {
  return ['~^', value];
}

/** `t0.p1.mail` by the public side, with the net; `d0.p1.mail` by its door. */
function upstreamLines(stream: Stream, pool: Pool, net: boolean): string[] {
  const { site, placement, folder, index, said } = stream;
  const number = site.pools.indexOf(pool);
  const { proxyProtocol } = wayOf(stream);
  const to = proxyProtocol ? 'entrance' : streamDoor('doors/', said);
  // Beside other ways of choosing NGINX has no backup servers, and beside spare ones it would use both.
  const canNet = net && hasNet(pool);
  const block = (name: string, zone: string, more: readonly string[]) => [
    `upstream ${name} {`,
    `  zone ${zone} ${64 + pool.servers.length * 2}k;`,
    ...balanceLines(pool).map((line) => `  ${line}`),
    ...pool.servers.map((server) => `  ${serverLines(pool, server, placement).at(-1)}`),
    ...more,
    '}',
  ];
  const name = upstreamName(site.pools, pool.name);
  const led = canNet
    ? [`  server ${path(`unix:${folder}/${ours.files.net}/${to}`)} max_fails=0 backup;`]
    : [];
  return [
    ...block(`t${index}.${name}`, `t${index}.${number}`, led),
    ...(placement.entrance === null ? [] : block(`d${index}.${name}`, `d${index}.${number}`, [])),
  ];
}

function hasNet({ algorithm, servers }: Pool): boolean {
  return (algorithm === 'roundrobin' || algorithm === 'leastconn') && !servers.some(({ spare }) => spare);
}

function publicServer(stream: Stream, listenWords: string, net: boolean): string[] {
  const { index } = stream;
  return [
    ...limitZones(stream),
    ...logFormat(stream, 'p'),
    'server {',
    `  listen ${listenWords};`,
    `  access_log ${file(stream.folder, ours.files.bad)} p${index};`,
    ...limitLines(stream),
    ...proxyLines(stream, net),
    `  proxy_pass t${index}.$holdfast_pool${index};`,
    '}',
  ];
}

function doorServer(stream: Stream, entrance: string): string[] {
  const { index, said, folder } = stream;
  return [
    ...logFormat(stream, 'e'),
    'server {',
    `  listen ${path(`unix:${streamDoor(entrance, said)}`)};`,
    `  access_log ${file(folder, ours.files.bad)} e${index};`,
    ...proxyLines(stream, false),
    `  proxy_pass d${index}.$holdfast_pool${index};`,
    '}',
  ];
}

function logFormat({ index, said }: Stream, side: 'p' | 'e'): string[] {
  const fields = [
    ours.streamLine,
    side,
    said.name,
    `$holdfast_pool${index}`,
    '$status',
    '$upstream_addr',
    '$upstream_connect_time',
  ];
  return [`log_format ${side}${index} '${fields.join('\t')}';`];
}

function proxyLines(stream: Stream, net: boolean): string[] {
  const { routed, said, placement } = stream;
  const { pool, proxyProtocol } = wayOf(stream);
  const { timeouts, retries } = pool ?? { timeouts: null, retries: null };
  const tls = pool ? tlsToServerLines(pool, placement) : [];
  return [
    ...(routed.byName ? ['ssl_preread on;', `preread_timeout ${milliseconds(said.inspectTimeoutMs)};`] : []),
    ...(timeouts === null
      ? []
      : [
          `proxy_connect_timeout ${milliseconds(timeouts.connectMs)};`,
          `proxy_timeout ${milliseconds(timeouts.tunnelMs)};`,
        ]),
    ...(retries === null
      ? []
      : tryLines(retries.max, net && stream.pools.every(hasNet), timeouts?.connectMs ?? 1)),
    ...(proxyProtocol ? ['proxy_protocol on;'] : []),
    ...(tls.length > 0 ? ['proxy_ssl on;', ...tls] : []),
  ].map((line) => `  ${line}`);
}

/** The net is the last that is tried, so with it all are. */
function tryLines(max: number, net: boolean, connectMs: number): string[] {
  if (net) return [`proxy_next_upstream_timeout ${milliseconds((max + 1) * connectMs)};`];
  return max === 0 ? ['proxy_next_upstream off;'] : [`proxy_next_upstream_tries ${max + 1};`];
}

function zone(index: number, of: 'all' | 'client'): string {
  return `holdfast_${of}${index}`;
}

function limitZones({ said, index }: Stream): string[] {
  const { connectionsMax, connectionsPerClientMax } = said;
  return [
    ...(connectionsMax === null ? [] : [`limit_conn_zone $server_port zone=${zone(index, 'all')}:64k;`]),
    ...(connectionsPerClientMax === null
      ? []
      : [`limit_conn_zone $holdfast_client zone=${zone(index, 'client')}:16m;`]),
  ];
}

function limitLines({ said, index }: Stream): string[] {
  const { access, connectionsMax, connectionsPerClientMax } = said;
  const { deny = [], allow = [] } = access ?? {};
  return [
    ...deny.map((network) => `deny ${network};`),
    ...allow.map((network) => `allow ${network};`),
    ...(allow.length > 0 ? ['deny all;'] : []),
    ...(connectionsMax === null ? [] : [`limit_conn ${zone(index, 'all')} ${connectionsMax};`]),
    ...(connectionsPerClientMax === null
      ? []
      : [`limit_conn ${zone(index, 'client')} ${connectionsPerClientMax};`]),
  ].map((line) => `  ${line}`);
}

/** Whom a PROXY header names as the one that was connected to. */
function entranceServer(streams: readonly Stream[], entrance: string): string[] {
  const tunnelMs = Math.max(
    ...streams.flatMap(({ pools }) => pools.map(({ timeouts }) => timeouts.tunnelMs)),
  );
  const ports = streams.map(({ said }) => said.port);
  const entries = streams.map(({ said }) => {
    const shared = ports.filter((port) => port === said.port).length > 1 && /^[\d.]+$|:/.test(said.host);
    const from = shared ? `${literally(said.host)} ` : '';
    const key = from === '' ? `~ ${said.port}$` : `~^${from}${said.port}$`;
    return { shared, entry: [key, `unix:${streamDoor(entrance, said)}`] as const };
  });
  // Who names an address comes before who takes them all.
  const ordered = [...entries.filter((e) => e.shared), ...entries.filter((e) => !e.shared)].map(
    (e) => e.entry,
  );
  return [
    ...map('$proxy_protocol_server_addr $proxy_protocol_server_port', '$holdfast_door', ordered, ''),
    'server {',
    `  listen ${path(`unix:${streamEntrance(entrance)}`)} proxy_protocol;`,
    `  proxy_timeout ${milliseconds(Math.max(tunnelMs, defaults.neighbourConnectMs))};`,
    '  proxy_pass $holdfast_door;',
    '}',
  ];
}

/** What the control asks its servers by, in the place of an upstream for requests. */
export function isOfStreams(site: Site): (pool: Pool) => boolean {
  const names = streamPools(site);
  return ({ name }) => names.has(name);
}
