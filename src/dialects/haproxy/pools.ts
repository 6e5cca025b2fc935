import { type HttpCheck, hostPort, type Pool, type Server, tlsNameOf } from '#model';
import { netServerId, type Placement } from '../dialect.ts';
import { type FilterTable, filterLines } from './filters.ts';
import type { Section } from './section.ts';
import { argument, defaults, literally, milliseconds, name, ours, word } from './vocabulary.ts';

export function poolSection(
  pool: Pool,
  withNet: boolean,
  filters: FilterTable,
  placement: Placement,
): Section {
  const { connectMs, serverMs, queueMs, tunnelMs } = pool.timeouts;
  const neighbour = withNet ? placement.neighbour : null;
  return {
    head: `backend ${name(pool.name)}`,
    lines: [
      ...balanceLines(pool),
      ...(pool.stickyCookie === null ? [] : cookieLines(pool.stickyCookie, neighbour !== null)),
      ...retryLines(pool),
      ...queueLines(pool),
      `timeout connect ${milliseconds(connectMs)}`,
      `timeout server ${milliseconds(serverMs)}`,
      `timeout queue ${milliseconds(queueMs)}`,
      ...(tunnelMs === defaults.tunnelTimeoutMs ? [] : [`timeout tunnel ${milliseconds(tunnelMs)}`]),
      ...filterLines(filters, pool.name, neighbour !== null),
      ...compressionLines(pool),
      ...healthCheckLines(pool, placement),
      ...pool.servers.map((server) => serverLine(pool, server, placement)),
      ...(neighbour === null ? [] : [netLine(neighbour)]),
    ],
  };
}

export function balanceLines({ algorithm, hashOn }: Pool): string[] {
  if (algorithm === 'source') return ['balance source', 'hash-type consistent'];
  if (algorithm !== 'hash' || hashOn === null) return [`balance ${algorithm}`];
  const sample = {
    path: 'path',
    header: `req.fhdr(${argument(hashOn.kind === 'path' ? '' : hashOn.name)},1)`,
    cookie: `req.cook(${argument(hashOn.kind === 'path' ? '' : hashOn.name)})`,
  }[hashOn.kind];
  return [`balance hash ${word(sample)}`, 'hash-type consistent'];
}

/**
 * `preserve`: a server that sets the cookie has its way, and so has a neighbour that the net asked. To a client that
 * brought a cookie the net's server, which has none, would send one that ends the client's: that one is made harmless.
 */
function cookieLines(cookie: NonNullable<Pool['stickyCookie']>, withNet: boolean): string[] {
  const { name, httpOnly, secure, sameSite, maxAgeMs, domain } = cookie;
  const attributes = [
    ...(maxAgeMs === null ? [] : [`Max-Age=${Math.max(1, Math.round(maxAgeMs / 1000))}`]),
    ...(sameSite === null ? [] : [`SameSite=${sameSite}`]),
  ];
  return [
    [
      `cookie ${name} insert indirect preserve`,
      ...(httpOnly ? ['httponly'] : []),
      ...(secure ? ['secure'] : []),
      ...(domain === null ? [] : [`domain ${domain}`]),
      ...attributes.map((attribute) => `attr ${word(attribute)}`),
    ].join(' '),
    ...(withNet
      ? [
          `http-after-response replace-header Set-Cookie ${word(`^${literally(`${name}=; Expires=Thu, 01-Jan-1970`)}.*$`)} ${word('holdfast=; Max-Age=0')}`,
        ]
      : []),
    // A cache that kept the answer would lead everybody to one server. HAProxy's own `nocache` does not see every one.
    `http-after-response add-header Cache-Control private if { res.fhdr(Set-Cookie) -m beg ${word(`${name}=`)} }`,
  ];
}

const retriesOn = {
  connect: 'conn-failure',
  empty: 'empty-response',
  timeout: 'response-timeout',
  '5xx': '500 502 503 504',
} as const;

/** Behind the connection only what changes nothing is sent a second time. */
function retryLines({ retries }: Pool): string[] {
  const usual = retries.on.length === 1 && retries.on[0] === 'connect';
  return [
    ...(retries.max === defaults.retries ? [] : [`retries ${retries.max}`]),
    ...(usual
      ? []
      : [
          `retry-on ${retries.on.map((cause) => retriesOn[cause]).join(' ')}`,
          'http-request disable-l7-retry unless { method GET HEAD OPTIONS TRACE }',
        ]),
  ];
}

/** HAProxy says Vary only where it compresses: a cache would give what a client without gzip got to all others. */
function compressionLines({ compression }: Pool): string[] {
  if (compression === undefined) return [];
  const types = compression.types.map(word).join(' ');
  const would = [
    '{ status 200 }',
    '!{ res.fhdr(content-encoding) -m found }',
    `{ res.fhdr(content-type),word(1,';'),lower -m str ${types} }`,
    '!{ res.fhdr(vary) -m sub -i accept-encoding }',
  ];
  return [
    'compression algo gzip',
    `compression type ${types}`,
    `http-response add-header Vary Accept-Encoding if ${would.join(' ')}`,
  ];
}

function queueLines({ name: pool, queuedMax }: Pool): string[] {
  return queuedMax === null
    ? []
    : [`http-request return status 503 if { queue(${name(pool)}) ge ${queuedMax} }`];
}

/**
 * Three failed connections in a row let checks follow each other four times as fast, and these decide (`fastinter`).
 * Not `mark-down`, unless the site asks for it: with it a server's restart of half a second would become an outage of
 * `rise` intervals, for a pool of one server and for a short fault of the balancer's own network, which retries bridge
 * without a failed request. The net needs no more: servers that do not exist are down after their first check, before
 * a candidate is exposed.
 */
export function healthCheckLines(pool: Pool, { servers: standIns }: Placement): string[] {
  const { http, port, intervalMs, timeoutMs, rise, fall } = pool.healthCheck;
  return [
    ...(http === null ? [] : httpCheckLines(http, pool)),
    `timeout check ${milliseconds(timeoutMs)}`,
    [
      'default-server check',
      // What stands in for the servers in a rehearsal has no other port.
      ...(port === null || standIns !== null ? [] : [`port ${port}`]),
      `inter ${milliseconds(intervalMs)} fastinter ${milliseconds(fastIntervalMs(intervalMs))}`,
      `fall ${fall} rise ${rise}`,
      observeWords(pool),
      ...(pool.slowStartMs === null ? [] : [`slowstart ${milliseconds(pool.slowStartMs)}`]),
      // A name that cannot be resolved makes its server down, not the start fail.
      'init-addr last,libc,none',
    ].join(' '),
  ];
}

function httpCheckLines(
  { method, path, host, headers, expectStatus, expectBody, identity = {} }: HttpCheck,
  pool: Pool,
): string[] {
  const first = pool.servers[0];
  const hostHeader = host ?? (first ? hostPort(first.host, first.port) : 'localhost');
  const all = [{ name: 'Host', value: hostHeader }, ...headers];
  const statuses = expectStatus.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  return [
    'option httpchk',
    [
      `http-check send meth ${method} uri ${word(path)} ver HTTP/1.1`,
      // The value is a log-format string, in which a percent sign begins a variable.
      ...all.map((header) => `hdr ${word(header.name)} ${word(header.value.replaceAll('%', '%%'))}`),
    ].join(' '),
    `http-check expect status ${statuses.join(',')}`,
    ...(identity.header
      ? [`http-check expect fhdr name ${word(identity.header.name)} value ${word(identity.header.value)}`]
      : []),
    ...[expectBody, identity.body ?? null].flatMap((text) =>
      text === null ? [] : [`http-check expect string ${word(text)}`],
    ),
  ];
}

function observeWords({ ejection }: Pool): string {
  if (ejection === null) return `observe layer4 error-limit ${defaults.errorsInARow} on-error fastinter`;
  const layer = { connections: 'layer4', answers: 'layer7' }[ejection.of];
  return `observe ${layer} error-limit ${ejection.errorsInARow} on-error mark-down`;
}

function fastIntervalMs(intervalMs: number): number {
  return Math.min(intervalMs, Math.max(100, Math.min(1_000, intervalMs / 4)));
}

export function serverLine(pool: Pool, server: Server, placement: Placement): string {
  const address = placement.servers?.[`${pool.name}/${server.name}`] ?? hostPort(server.host, server.port);
  return [
    `server ${name(server.name)} ${word(address)} weight ${server.weight}`,
    ...(server.connectionsMax === null ? [] : [`maxconn ${server.connectionsMax}`]),
    ...(pool.stickyCookie === null ? [] : [`cookie ${word(server.name)}`]),
    ...(server.spare ? ['backup'] : []),
    ...(server.maintenance ? ['disabled'] : []),
    // What stands in for the servers in a rehearsal speaks plain HTTP.
    ...(placement.servers === null ? reachWords(pool, server, placement) : []),
  ].join(' ');
}

function reachWords({ tls, proxyProtocol }: Pool, { host }: Server, { files = {} }: Placement): string[] {
  const proxy = proxyProtocol === null ? [] : [proxyProtocol === 'v1' ? 'send-proxy' : 'send-proxy-v2'];
  if (tls === null) return proxy;
  const { authorities, verify, certificate } = tls;
  const server = tlsNameOf(tls, host);
  const placed = (path: string) => word(files[path] ?? path);
  return [
    ...proxy,
    'ssl',
    ...(verify
      ? ['verify required', `ca-file ${authorities === null ? '@system-ca' : placed(authorities)}`]
      : ['verify none']),
    ...(verify && server !== null ? [`verifyhost ${word(server)}`] : []),
    ...(server === null ? [] : [`sni str(${argument(server)})`, `check-sni ${word(server)}`]),
    ...(certificate === null ? [] : [`crt ${placed(certificate.certificate)}`]),
  ];
}

export function netLine(neighbour: string): string {
  return `server ${ours.net} ${word(`unix@${neighbour}`)} send-proxy-v2 proxy-v2-options unique-id backup no-check observe none id ${netServerId}`;
}
