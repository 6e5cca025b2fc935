/** Texts of any size, in the three dialects, that say the same: routes by path over hosts, a pool for each route. */
export const dialectNames = ['site', 'haproxy', 'nginx'] as const;
export type DialectName = (typeof dialectNames)[number];

export interface Size {
  readonly routes: number;
  readonly hosts: number;
  /** In all pools together. */
  readonly servers: number;
}

/** A host for ten routes and ten servers for each; never more than a hundred thousand servers. */
export function sizeOf(routes: number): Size {
  return { routes, hosts: Math.ceil(routes / 10), servers: Math.min(100_000, routes * 10) };
}

/** Which routes lead to another pool than before. */
export type Change = 'none' | 'one' | 'all';

export const fileNames: Readonly<Record<DialectName, string>> = {
  site: 'site.yaml',
  haproxy: 'haproxy.cfg',
  nginx: 'nginx.conf',
};

export function textOf(dialect: DialectName, size: Size, change: Change): string {
  return { site: siteText, haproxy: haproxyText, nginx: nginxText }[dialect](size, change);
}

interface Route {
  readonly number: number;
  readonly host: string;
  readonly path: string;
  readonly pool: string;
}

function routesOf({ routes, hosts }: Size, change: Change): readonly Route[] {
  const middle = Math.floor(routes / 2);
  return Array.from({ length: routes }, (_, number) => {
    const moved = change === 'all' || (change === 'one' && number === middle);
    const pool = moved ? (number + 1) % routes : number;
    return { number, host: `h${number % hosts}.example`, path: `/p${number}`, pool: `pool${pool}` };
  });
}

function poolsOf({
  routes,
  servers,
}: Size): readonly { readonly name: string; readonly servers: readonly string[] }[] {
  const each = Math.max(1, Math.floor(servers / routes));
  return Array.from({ length: routes }, (_, pool) => ({
    name: `pool${pool}`,
    servers: Array.from({ length: each }, (__, server) => {
      const at = pool * each + server;
      return `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}:8080`;
    }),
  }));
}

function siteText(size: Size, change: Change): string {
  return [
    'site: big',
    'listeners:',
    '  - { name: http, address: "*:8080" }',
    'routes:',
    ...routesOf(size, change).map(
      ({ number, host, path, pool }) =>
        `  - { name: r${number}, hostnames: [${host}], matches: [{ path: { type: PathPrefix, value: ${path} } }], pool: ${pool} }`,
    ),
    'pools:',
    ...poolsOf(size).flatMap(({ name, servers }) => [
      `  - name: ${name}`,
      '    servers:',
      ...servers.map((address, index) => `      - { name: s${index}, address: ${address} }`),
    ]),
    'balancers:',
    '  - { name: lb, engine: haproxy, address: 127.0.0.1 }',
    '',
  ].join('\n');
}

function haproxyText(size: Size, change: Change): string {
  return [
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 30s',
    '  timeout server 30s',
    'frontend http',
    '  bind :8080',
    ...routesOf(size, change).map(
      ({ host, path, pool }) => `  use_backend ${pool} if { hdr(host) -i ${host} } { path_beg ${path}/ }`,
    ),
    '  default_backend pool0',
    ...poolsOf(size).flatMap(({ name, servers }) => [
      `backend ${name}`,
      ...servers.map((address, index) => `  server s${index} ${address} check`),
    ]),
    '',
  ].join('\n');
}

function nginxText(size: Size, change: Change): string {
  const byHost = Map.groupBy(routesOf(size, change), ({ host }) => host);
  return [
    'events {}',
    'http {',
    ...poolsOf(size).flatMap(({ name, servers }) => [
      `  upstream ${name} {`,
      ...servers.map((address) => `    server ${address};`),
      '  }',
    ]),
    ...[...byHost].flatMap(([host, routes]) => [
      '  server {',
      '    listen 8080;',
      `    server_name ${host};`,
      ...routes.map(({ path, pool }) => `    location ${path}/ { proxy_pass http://${pool}; }`),
      '  }',
    ]),
    '}',
    '',
  ].join('\n');
}
