import { hostPort, type Pool, type Server, type Site, streamPools } from '#model';
import type { Placement } from '../dialect.ts';
import { map } from './maps.ts';
import { defaults, literally, milliseconds, ours, path, seconds, upstreamName } from './vocabulary.ts';

/** For the control: whom it asks how they are. In the order of the site's pools, whatever they are for. */
function poolFactLines(pool: Pool, placement: Placement, known: object): string[] {
  const { name, healthCheck, timeouts } = pool;
  const of = { name, healthCheck, timeouts, ...tlsFacts(pool, placement), ...known };
  return [`${ours.facts.pool}${JSON.stringify(of)}`];
}

/** A pool for connections that are passed on, which has its servers' lines elsewhere. */
export function streamFactLines(pool: Pool, placement: Placement): string[] {
  const { name, healthCheck, timeouts } = pool;
  // What stands in for the servers in a rehearsal says who it is, and speaks neither HTTP nor PROXY.
  const isReal = placement.servers === null;
  const of = {
    name,
    healthCheck: isReal ? healthCheck : { ...healthCheck, http: null },
    timeouts,
    ...tlsFacts(pool, placement),
    ...(isReal && pool.proxyProtocol !== null ? { proxyProtocol: pool.proxyProtocol } : {}),
  };
  return [
    `${ours.facts.pool}${JSON.stringify(of)}`,
    ...pool.servers.flatMap((server) => serverLines(pool, server, placement).slice(0, -1)),
  ];
}

export function upstreamLines(site: Site, pool: Pool, index: number, placement: Placement): string[] {
  const { maps, lines } = balanceOf(pool, index);
  const down = knownDown(pool, placement);
  const known = down.length === 0 ? {} : { known: { flag: ours.files.back(index), servers: down } };
  const upstream = (name: string, zone: string, servers: readonly string[]) => [
    `upstream ${name} {`,
    // Shared by the workers: one knows what another has learned of a server.
    `  zone ${zone} ${64 + pool.servers.length * 2}k;`,
    ...lines.map((line) => `  ${line}`),
    ...servers.map((line) => `  ${line}`),
    `  keepalive ${defaults.serverKeepAlive};`,
    `  keepalive_timeout ${milliseconds(defaults.serverKeepAliveTimeoutMs)};`,
    '}',
  ];
  const all = pool.servers.flatMap((server) => serverLines(pool, server, placement));
  const live = pool.servers.map((server) => serverLine(pool, server, placement, down.includes(server.name)));
  return [
    ...maps,
    ...poolFactLines(pool, placement, known),
    ...upstream(upstreamName(site.pools, pool.name), `p${index}`, all),
    ...(down.length === 0 ? [] : upstream(knownName(pool, index), `known${index}`, live)),
  ];
}

/** Names of the pool's servers that were down when the generation began. */
export function knownDown({ name: pool, servers }: Pool, placement: Placement): string[] {
  const down = placement.knownDown ?? [];
  return servers.map(({ name }) => name).filter((name) => down.includes(`${pool}/${name}`));
}

/** The pool as it is while nobody has seen them well again. */
function knownName({ name }: Pool, index: number): string {
  return `p${index}.known.${name}`;
}

/** What a pool's requests are passed to, where that is not always the same. */
export function upstreamVariable(index: number): string {
  return `$holdfast_up${index}`;
}

/** Lines of a server. */
export function chooseUpstreams(site: Site, placement: Placement, folder: string): string[] {
  const streams = streamPools(site);
  return site.pools.flatMap((pool, index) => {
    if (streams.has(pool.name) || knownDown(pool, placement).length === 0) return [];
    const variable = upstreamVariable(index);
    const flag = path(`${folder}/${ours.files.back(index)}`);
    return [
      `set ${variable} ${knownName(pool, index)};`,
      `if (-x ${flag}) { set ${variable} ${upstreamName(site.pools, pool.name)}; }`,
    ];
  });
}

/** Of a pool for connections, which has no hash but of the client. */
export function balanceLines(pool: Pool): string[] {
  return balanceOf(pool, 0).lines;
}

function balanceOf({ algorithm, hashOn }: Pool, index: number): { maps: string[]; lines: string[] } {
  switch (algorithm) {
    case 'roundrobin':
      return { maps: [], lines: [] };
    case 'leastconn':
      return { maps: [], lines: ['least_conn;'] };
    case 'random':
      return { maps: [], lines: ['random two least_conn;'] };
    case 'source':
      return { maps: [], lines: ['hash $remote_addr consistent;'] };
    case 'hash': {
      const subject = hashOn === null || hashOn.kind === 'path' ? '$holdfast_path' : `$holdfast_key${index}`;
      const maps = hashOn === null || hashOn.kind === 'path' ? [] : keyMap(hashOn, subject, index);
      return { maps, lines: [`hash ${subject} consistent;`] };
    }
  }
}

/** A request without it goes to any server: its own number decides. */
function keyMap(on: { kind: 'header' | 'cookie'; name: string }, variable: string, index: number): string[] {
  const any = { raw: '$request_id' };
  if (on.kind === 'header') {
    const header = `$http_${on.name.toLowerCase().replaceAll('-', '_')}`;
    return map(header, variable, [['', any]], { raw: header });
  }
  const value = `holdfast_cookie${index}`;
  const found = `~(?:^|;[ ]*)${literally(on.name)}=(?<${value}>[^;]+)`;
  return map('$http_cookie', variable, [[found, { raw: `$${value}` }]], any);
}

export interface TlsFacts {
  readonly authorities: string | null;
  readonly verify: boolean;
  readonly name: string | null;
  /** A certificate with its key. */
  readonly certificate: string | null;
}

/** For who asks the servers how they are; what stands in for them in a rehearsal speaks plain HTTP. */
function tlsFacts({ tls }: Pool, { servers, files = {} }: Placement): { readonly tls?: TlsFacts } {
  if (tls === null || servers !== null) return {};
  const { authorities, verify, name, certificate } = tls;
  const placed = (file: string) => files[file] ?? file;
  return {
    tls: {
      authorities: authorities === null ? null : placed(authorities),
      verify,
      name,
      certificate: certificate === null ? null : placed(certificate.certificate),
    },
  };
}

/** `text/html` is always meant, and NGINX warns of it. */
export function compressionLines({ compression }: Pool): string[] {
  if (compression === undefined) return [];
  const types = compression.types.filter((type) => type !== 'text/html');
  return [
    'gzip on;',
    'gzip_proxied any;',
    'gzip_vary on;',
    ...(types.length === 0 ? [] : [`gzip_types ${types.join(' ')};`]),
    ...(compression.minBytes === null ? [] : [`gzip_min_length ${compression.minBytes};`]),
  ];
}

/** Lines of a location: how NGINX speaks to the pool's servers. */
export function tlsToServerLines(pool: Pool, placement: Placement): string[] {
  const { tls } = tlsFacts(pool, placement);
  if (tls === undefined) return [];
  const { authorities, verify, name, certificate } = tls;
  return [
    'proxy_ssl_protocols TLSv1.2 TLSv1.3;',
    ...(name === null ? [] : ['proxy_ssl_server_name on;', `proxy_ssl_name ${name};`]),
    ...(verify && authorities !== null
      ? [
          'proxy_ssl_verify on;',
          `proxy_ssl_verify_depth ${defaults.chainMax};`,
          `proxy_ssl_trusted_certificate ${path(authorities)};`,
        ]
      : []),
    ...(certificate === null
      ? []
      : [`proxy_ssl_certificate ${path(certificate)};`, `proxy_ssl_certificate_key ${path(certificate)};`]),
  ];
}

export function serverLines(pool: Pool, server: Server, placement: Placement): string[] {
  const { name, host, port } = server;
  const facts = { name, host, port, address: addressOf(pool, server, placement) };
  // Whom the facts name is asked how it is.
  const told = server.maintenance ? [] : [`${ours.facts.server}${JSON.stringify(facts)}`];
  return [...told, serverLine(pool, server, placement, false)];
}

function addressOf(pool: Pool, server: Server, placement: Placement): string {
  return placement.servers?.[`${pool.name}/${server.name}`] ?? hostPort(server.host, server.port);
}

/** A server is left out for as long as it would take a check to bring it back. */
function serverLine(pool: Pool, server: Server, placement: Placement, isDown: boolean): string {
  const { healthCheck: check, ejection } = pool;
  const failMs = Math.max(1_000, check.intervalMs * check.rise);
  const fails = ejection?.errorsInARow ?? check.fall;
  const words = [
    path(addressOf(pool, server, placement).replace(/^unix@/, 'unix:')),
    `weight=${server.weight}`,
    `max_fails=${fails}`,
    `fail_timeout=${seconds(failMs)}`,
    ...(server.spare ? ['backup'] : []),
    ...(server.maintenance ? ['down'] : isDown ? [leftOut(pool)] : []),
  ];
  return `server ${words.join(' ')};`;
}

/** The last resort, where there can be one: whoever should find it well again may be dead himself. */
function leftOut({ algorithm }: Pool): string {
  return algorithm === 'roundrobin' || algorithm === 'leastconn' ? 'backup' : 'down';
}
