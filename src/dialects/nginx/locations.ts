import { assert, unreachable } from '#base';
import type { Pool, Site } from '#model';
import type { Action } from '#routing';
import { defaults, milliseconds, path, word } from './vocabulary.ts';

/** Kinds of requests that NGINX must treat apart from the first byte; `$holdfast_kind` is one of these. */
const kinds = ['', '.stream', '.tunnel'] as const;

/** The named location of an action. With a kind behind it, it is there for each kind. */
export function locationName(action: Action, site: Site): string {
  switch (action.kind) {
    case 'pool': {
      const index = site.pools.findIndex((pool) => pool.name === action.pool);
      assert(index >= 0, `no pool is called ${action.pool}`);
      return `@p${index}.${action.pool}`;
    }
    case 'answer':
      return `@holdfast.${action.status}`;
    case 'redirect':
      return `@holdfast.${action.status}.${Buffer.from(action.location).toString('hex')}`;
    case 'reject':
      return '@holdfast.reject';
    default:
      return unreachable(action);
  }
}

export function actionLocation(name: string, action: Action, site: Site): string[] {
  return kinds.map((kind) => `location ${name}${kind} { ${linesOf(action, kind, site).join(' ')} }`);
}

function linesOf(action: Action, kind: (typeof kinds)[number], site: Site): string[] {
  switch (action.kind) {
    case 'pool': {
      const pool = site.pools.find((p) => p.name === action.pool);
      assert(pool, `no pool is called ${action.pool}`);
      return poolLines(pool, site.pools.indexOf(pool), kind);
    }
    case 'answer':
      return [`return ${action.status};`];
    case 'redirect':
      return [`return ${action.status} ${word(action.location)};`];
    case 'reject':
      return ['return 444;'];
    default:
      return unreachable(action);
  }
}

function poolLines(pool: Pool, index: number, kind: (typeof kinds)[number]): string[] {
  const silence = kind === '.tunnel' ? defaults.tunnelTimeoutMs : pool.timeouts.serverMs;
  return [
    `proxy_connect_timeout ${milliseconds(pool.timeouts.connectMs)};`,
    `proxy_read_timeout ${milliseconds(silence)};`,
    `proxy_send_timeout ${milliseconds(silence)};`,
    ...(kind === '' ? [] : ['proxy_request_buffering off;']),
    'error_page 502 = $holdfast_failed502;',
    'error_page 504 = $holdfast_failed504;',
    `proxy_pass http://p${index}.${pool.name};`,
  ];
}

/** What a request gets when its server does not answer, and the ways to the neighbour. */
export function locations(neighbour: string | null, netOut: string | null): string[] {
  return [
    ...[502, 503, 504].map((status) => `location @holdfast.failed.${status} { return ${status}; }`),
    ...(neighbour === null ? [] : neighbourLocations(neighbour, netOut)),
  ];
}

/**
 * The neighbour is told the client's address by the PROXY protocol. NGINX has no word for that in HTTP; its own line in
 * front of the method is the same bytes. One connection for each request, because the line opens a connection.
 */
function neighbourLocations(neighbour: string, netOut: string | null): string[] {
  const toNeighbour = [
    'proxy_method $holdfast_proxy$request_method;',
    'proxy_set_header Host $http_host;',
    'proxy_set_header X-Forwarded-For $holdfast_for;',
    'proxy_set_header X-Forwarded-Proto $holdfast_proto;',
    'proxy_set_header Connection $holdfast_last;',
    'proxy_set_header Upgrade $holdfast_upgrade;',
    `proxy_connect_timeout ${milliseconds(defaults.neighbourConnectMs)};`,
    // Longer than the neighbour waits itself: it knows why, we do not.
    `proxy_read_timeout ${milliseconds(defaults.tunnelTimeoutMs)};`,
    'error_page 502 504 = @holdfast.failed.503;',
    `proxy_pass http://unix:${path(neighbour)}:;`,
  ];
  const back = [
    'set $holdfast_led back;',
    'proxy_request_buffering off;',
    // Whoever is led away comes back on a new connection, to who accepts.
    'add_header Connection $holdfast_close always;',
    ...toNeighbour,
  ];
  const net = ['set $holdfast_led net;', `if (-x ${netOut}) { return 503; }`, ...toNeighbour];
  return [
    `location @holdfast.back { ${back.join(' ')} }`,
    ...(netOut === null ? [] : [`location @holdfast.net { ${net.join(' ')} }`]),
  ];
}
