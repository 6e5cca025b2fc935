import type { Pool } from '#model';
import type { Mirror } from '#routing';
import type { Placement } from '../dialect.ts';
import { tlsToServerLines } from './pools.ts';
import { milliseconds, path, upstreamName } from './vocabulary.ts';

/** Copies under way at once; more requests have none. */
const copiesMax = 256;
const handOverMs = 1_000;
/** No path that a client can ask for: they all begin with a slash. */
const inner = 'holdfast.mirror';

/** Of a route's location. */
export interface MirrorAt {
  readonly number: number;
  readonly folder: string;
  readonly placement: Placement;
  readonly pools: readonly Pool[];
}

/**
 * A copy goes to a server of our own first, which answers at once and then sends it on: NGINX keeps a client's connection
 * from its next request until the answer to a copy is there.
 */
export function mirrorLine({ number }: MirrorAt): string {
  return `mirror ${inner}.${number};`;
}

/** `target`: path and query, `headers`: lines that set them, both as the route's own server gets them. */
export function mirrorLocation(
  { share }: Mirror,
  { number }: MirrorAt,
  { target, headers }: { readonly target: string; readonly headers: readonly string[] },
): string[] {
  return [
    `location = ${inner}.${number} {`,
    '  internal;',
    ...(share < 1 ? [`  if ($holdfast_mirror${number} = "") { return 204; }`] : []),
    ...headers.map((line) => `  ${line}`),
    ...['connect', 'read', 'send'].map((what) => `  proxy_${what}_timeout ${milliseconds(handOverMs)};`),
    '  proxy_next_upstream off;',
    `  proxy_pass http://${inner}${number}${target};`,
    '}',
  ];
}

/** Beside the site's own server. */
export function mirrorServer({ pool: name, share }: Mirror, at: MirrorAt): string[] {
  const { number, folder, placement, pools } = at;
  const socket = path(`unix:${folder}/mirror${number}.sock`);
  const pool = pools.find((one) => one.name === name);
  const { connectMs = 1, serverMs = 1 } = pool?.timeouts ?? {};
  const isTls = pool?.tls && placement.servers === null;
  return [
    ...(share < 1
      ? [
          `split_clients "copy $request_id" $holdfast_mirror${number} {`,
          `  ${(share * 100).toFixed(2)}% 1;`,
          '  * "";',
          '}',
        ]
      : []),
    `upstream ${inner}${number} { server ${socket}; }`,
    'server {',
    `  listen ${socket};`,
    '  access_log off;',
    `  limit_conn holdfast_copies ${copiesMax};`,
    `  location / { mirror ${inner}; stub_status; }`,
    `  location = ${inner} {`,
    '    internal;',
    // Whoever handed it over has its answer, and is gone.
    '    proxy_ignore_client_abort on;',
    '    proxy_set_header Host $http_host;',
    '    proxy_set_header Connection "";',
    `    proxy_connect_timeout ${milliseconds(connectMs)};`,
    `    proxy_read_timeout ${milliseconds(serverMs)};`,
    `    proxy_send_timeout ${milliseconds(serverMs)};`,
    '    proxy_next_upstream off;',
    ...(pool ? tlsToServerLines(pool, placement).map((line) => `    ${line}`) : []),
    `    proxy_pass http${isTls ? 's' : ''}://${upstreamName(pools, name)}$request_uri;`,
    '  }',
    '}',
  ];
}

/** Once, when there is any. */
export const mirrorMaps: readonly string[] = [
  'limit_conn_zone "copies" zone=holdfast_copies:64k;',
  // Not remembered: a copy shares the variables of its request.
  `map "$uri" $holdfast_is_copy { volatile; "~^${inner.replace('.', '[.]')}" 1; default ""; }`,
];

/** In the place where requests are led back: their copies are not. */
export const copyLine = 'if ($holdfast_is_copy) { return 204; }';
