import { type Listener, type Pool, type Site, streamPools, streamsOf } from '#model';
import type { StreamListener, StreamRule } from '#routing';
import { type Placement, streamDoor, streamEntrance } from '../dialect.ts';
import { sourceLines } from './access.ts';
import { balanceLines, healthCheckLines, netLine, serverLine } from './pools.ts';
import type { Section } from './section.ts';
import { comment, defaults, literally, milliseconds, name, ours, word } from './vocabulary.ts';

/**
 * TCP and TLS listeners, their pools, and an entrance of their own: all in mode tcp, behind a second `defaults`. A
 * listener's `bind` and PROXY lines come from where the other listeners get them.
 */
export function streamSections(
  site: Site,
  placement: Placement,
  bindLines: (listener: Listener) => readonly string[],
): Section[] {
  const streams = streamsOf(site);
  if (streams.length === 0) return [];
  const pools = streamPools(site);
  const { entrance, neighbour } = placement;
  return [
    defaultsSection(site),
    ...streams.flatMap((stream) =>
      site.listeners
        .filter((listener) => listener.name === stream.name)
        .map((listener) => listenerSection(listener, stream, bindLines(listener), neighbour !== null)),
    ),
    ...(entrance === null ? [] : [entranceSection(streams, entrance)]),
    ...site.pools
      .filter((pool) => pools.has(pool.name))
      .map((pool) => poolSection(pool, site.guard.net ? neighbour : null, placement)),
    ...clientTables(site.listeners),
    { head: `backend ${ours.refused}`, lines: ['tcp-request content reject'] },
    ...(neighbour === null ? [] : [neighbourSection(streamEntrance(neighbour))]),
  ];
}

function defaultsSection({ timeouts }: Site): Section {
  return {
    head: 'defaults',
    lines: [
      'mode tcp',
      'log global',
      'option dontlog-normal',
      'option log-separate-errors',
      // The fields of the other log: no status, how it ended, pool, server, retries, TCP, listener.
      'log-format "- %ts %b %s %rc TCP %f -"',
      'option redispatch 1',
      `retries ${defaults.retries}`,
      `timeout connect ${milliseconds(defaults.connectTimeoutMs)}`,
      // Until both sides are connected; `timeout tunnel` from then on.
      `timeout server ${milliseconds(defaults.serverTimeoutMs)}`,
      `timeout client ${milliseconds(timeouts.clientMs)}`,
      `timeout tunnel ${milliseconds(defaults.tunnelTimeoutMs)}`,
    ],
  };
}

function listenerSection(
  listener: Listener,
  stream: StreamListener,
  bindLines: readonly string[],
  hasNeighbour: boolean,
): Section {
  return {
    head: `frontend ${name(listener.name)}`,
    lines: [
      ...bindLines,
      ...limitLines(listener),
      ...(stream.byName ? [inspectLine(listener.inspectTimeoutMs), ...helloLines('')] : []),
      ...shareLines(stream.rules),
      ...(hasNeighbour ? [`use_backend ${ours.streamNeighbour} if { var(${ours.takeBack}) -m int 1 }`] : []),
      ...stream.rules.flatMap((rule) => ruleLines(rule, '')),
      `default_backend ${ours.refused}`,
    ],
  };
}

/** Once the PROXY header is read, so that the client is who is limited and not its proxy. */
function limitLines({ name: listener, access, connectionsMax, connectionsPerClientMax }: Listener): string[] {
  const { deny = [], allow = [] } = access ?? {};
  const table = clientTable(listener);
  return [
    ...sourceLines('limit.deny', deny),
    ...sourceLines('limit.allow', allow),
    ...(deny.length > 0 ? ['tcp-request session reject if limit.deny'] : []),
    ...(allow.length > 0 ? ['tcp-request session reject if !limit.allow'] : []),
    ...(connectionsMax === null ? [] : [`tcp-request session reject if { fe_conn gt ${connectionsMax} }`]),
    ...(connectionsPerClientMax === null
      ? []
      : [
          `tcp-request session track-sc0 src,ipmask(32,64) table ${table}`,
          `tcp-request session reject if { sc_conn_cur(0,${table}) gt ${connectionsPerClientMax} }`,
        ]),
  ];
}

function clientTable(listener: string): string {
  return `${ours.prefix}clients-${listener}`;
}

const clientsMax = 100_000;
const forgottenMs = 60_000;

function clientTables(listeners: readonly Listener[]): Section[] {
  return listeners
    .filter(({ connectionsPerClientMax }) => connectionsPerClientMax !== null)
    .map((listener) => ({
      head: `backend ${clientTable(listener.name)}`,
      lines: [`stick-table type ipv6 size ${clientsMax} expire ${milliseconds(forgottenMs)} store conn_cur`],
    }));
}

function inspectLine(ms: number): string {
  return `tcp-request inspect-delay ${milliseconds(ms)}`;
}

/** Waits for the ClientHello and the name in it; whoever says something else, or nothing in time, is refused. */
function helloLines(guard: string): string[] {
  return [
    `tcp-request content reject if${guard} !{ req.ssl_hello_type 1 }`,
    `tcp-request content accept if${guard} { req.ssl_sni -m found }`,
  ];
}

/** Several pools by weight: drawn once for each connection. */
function shareLines(rules: readonly StreamRule[]): string[] {
  const totals = new Set(rules.filter(({ shares }) => shares.length > 1).map(totalOf));
  return [...totals].map((total) => `tcp-request content set-var(${shareVariable(total)}) rand(${total})`);
}

function totalOf({ shares }: StreamRule): number {
  return shares.reduce((sum, { weight }) => sum + weight, 0);
}

function shareVariable(total: number): string {
  return `txn.of${total}`;
}

function ruleLines(rule: StreamRule, guard: string): string[] {
  const { route, place, name: wanted } = rule;
  const total = totalOf(rule);
  const named = wanted === null ? '' : `{ req.ssl_sni,lower ${nameWords(wanted)} }`;
  let below = 0;
  return [
    comment(`route ${route}${place ? ` (${place.file}:${place.line})` : ''}`),
    ...rule.shares.map(({ pool, weight }) => {
      below += weight;
      const drawn = below < total ? `{ var(${shareVariable(total)}) -m int lt ${below} }` : '';
      const when = [guard, named, drawn].filter((part) => part !== '').join(' ');
      return `use_backend ${name(pool)}${when === '' ? '' : ` if ${when}`}`;
    }),
  ];
}

function nameWords({ match, value }: NonNullable<StreamRule['name']>): string {
  return match === 'exact' ? `-m str -- ${word(value)}` : `-m reg -- ${word(`^.+${literally(value)}$`)}`;
}

const entranceInspectMs = 5_000;

/**
 * What a neighbour's take-back and net send, told apart by the port (and address) that the client connected to, or by the
 * door that it came in by.
 */
function entranceSection(all: readonly StreamListener[], entrance: string): Section {
  // Who names an address comes before who takes them all.
  const streams = all.toSorted((a, b) => Number(isShared(b, all)) - Number(isShared(a, all)));
  return {
    head: `frontend ${ours.streamEntrance}`,
    lines: [
      `bind ${word(`unix@${streamEntrance(entrance)}`)} accept-proxy mode 600`,
      ...streams.map(
        (stream, index) =>
          `bind ${word(`unix@${streamDoor(entrance, stream)}`)} mode 600 name ${guardName(index)}`,
      ),
      // What another neighbour's net had sent there before is sent no further.
      `unique-id-format ${ours.led}`,
      `tcp-request content reject if { fc_pp_unique_id -m str ${ours.led} }`,
      inspectLine(entranceInspectMs),
      ...streams.flatMap((stream, index) => doorLines(stream, index, streams)),
      ...streams.flatMap((stream, index) =>
        stream.byName ? helloLines(` ${guardOf(stream, index, streams)}`) : [],
      ),
      ...shareLines(streams.flatMap(({ rules }) => rules)),
      ...streams.flatMap((stream, index) => [
        ...stream.rules.flatMap((rule) => ruleLines(rule, guardOf(stream, index, streams))),
        `use_backend ${ours.refused} if ${guardOf(stream, index, streams)}`,
      ]),
      `default_backend ${ours.refused}`,
    ],
  };
}

function isShared(stream: StreamListener, all: readonly StreamListener[]): boolean {
  const others = all.some((other) => other !== stream && other.port === stream.port);
  return others && /^[\d.]+$|:/.test(stream.host);
}

function doorLines(stream: StreamListener, index: number, all: readonly StreamListener[]): string[] {
  const door = guardName(index);
  const byDoor = `so_name -m str ${door}`;
  return [
    comment(`listener ${stream.name}`),
    `acl ${door}.port ${byDoor}`,
    `acl ${door}.port dst_port ${stream.port}`,
    ...(isShared(stream, all)
      ? [`acl ${door}.address ${byDoor}`, `acl ${door}.address dst ${word(stream.host)}`]
      : []),
  ];
}

function guardName(index: number): string {
  return `l${index + 1}`;
}

function guardOf(stream: StreamListener, index: number, all: readonly StreamListener[]): string {
  const door = guardName(index);
  return isShared(stream, all) ? `${door}.port ${door}.address` : `${door}.port`;
}

function poolSection(pool: Pool, neighbour: string | null, placement: Placement): Section {
  const { retries, queuedMax, timeouts } = pool;
  const { connectMs, queueMs, tunnelMs } = timeouts;
  return {
    head: `backend ${name(pool.name)}`,
    lines: [
      ...balanceLines(pool),
      ...(retries.max === defaults.retries ? [] : [`retries ${retries.max}`]),
      ...(queuedMax === null
        ? []
        : [`tcp-request content reject if { queue(${name(pool.name)}) ge ${queuedMax} }`]),
      `timeout connect ${milliseconds(connectMs)}`,
      `timeout queue ${milliseconds(queueMs)}`,
      ...(tunnelMs === defaults.tunnelTimeoutMs ? [] : [`timeout tunnel ${milliseconds(tunnelMs)}`]),
      ...healthCheckLines(asRehearsed(pool, placement), placement),
      ...pool.servers.map((server) => serverLine(pool, server, placement)),
      ...(neighbour === null ? [] : [netLine(streamEntrance(neighbour))]),
    ],
  };
}

/** What stands in for the servers in a rehearsal says who it is, and speaks no HTTP. */
function asRehearsed(pool: Pool, { servers }: Placement): Pool {
  return servers === null ? pool : { ...pool, healthCheck: { ...pool.healthCheck, http: null } };
}

function neighbourSection(path: string): Section {
  return {
    head: `backend ${ours.streamNeighbour}`,
    lines: [`server neighbour ${word(`unix@${path}`)} send-proxy-v2`],
  };
}
