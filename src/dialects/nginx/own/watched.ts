import { hostPort, type Site } from '#model';
import type { OwnPlaces } from '../../own.ts';
import { defaults, firstSocketFd, milliseconds, ours, path } from '../vocabulary.ts';
import type { Directive } from './directives.ts';
import { named } from './texts.ts';

/**
 * What makes an NGINX with a team's own text one that can be led and watched: its control server, and beside each of its
 * logs two of ours. Every name begins with `holdfast_`.
 */

/** Both logs, as they stand beside each access_log of the text. */
export function ownLogs({ folder }: Pick<OwnPlaces, 'folder'>): string {
  return [
    `access_log ${goodLog(folder, 'good')} if=$holdfast_good;`,
    `access_log ${path(`${folder}/${ours.files.bad}`)} holdfast_bad if=$holdfast_bad;`,
  ].join(' ');
}

/** One file has the same buffer wherever it is named. */
function goodLog(folder: string, format: 'good' | 'asked'): string {
  const flush = milliseconds(defaults.logFlushMs);
  return `${path(`${folder}/${ours.files.good}`)} holdfast_${format} buffer=32k flush=${flush}`;
}

/** Maps, formats and the control server: for the http block. */
export function watchLines({ folder, placement }: OwnPlaces, site: Site | null): string {
  const { status, takeBack, net } = ours.control;
  const flag = (at: string, name: string) =>
    `location = ${at} { access_log off; if (-x ${path(`${folder}/${name}`)}) { return 200 on; } return 200 off; }`;
  return [
    `map $proxy_host $holdfast_route { ${routes(site).join(' ')} default -; }`,
    placement.replays
      ? 'map $status $holdfast_good { default 0; }'
      : String.raw`map "$status $upstream_status" $holdfast_good { "~^[1234]\d\d (?:\d+|-)?$" 1; default 0; }`,
    'map $holdfast_good $holdfast_bad { 1 0; default 1; }',
    `log_format holdfast_good 'p $holdfast_route $status';`,
    `log_format holdfast_bad '${badFields.join('\\t')}';`,
    "log_format holdfast_asked '$arg_asked';",
    ownLogs({ folder }),
    `server { listen ${path(`unix:${placement.control}`)}; allow all; auth_basic off;`,
    `location = ${status} { access_log ${path(`${folder}/${ours.files.bad}`)} holdfast_asked; access_log ${goodLog(folder, 'asked')}; stub_status; }`,
    flag(takeBack, ours.files.takeBack),
    flag(net, ours.files.netOut),
    '}',
  ].join(' ');
}

/** In the order of `badFields` of the vocabulary, whose variables only a text of ours has. */
const badFields = [
  'p',
  '$holdfast_route',
  '$status',
  '',
  '$upstream_addr',
  '$upstream_status',
  '$upstream_connect_time',
  '$upstream_header_time',
  '$request_method',
  '$uri',
  '$http_host',
] as const;

/** By the name that a `proxy_pass` gives, as a route of ours would name its pool. */
function routes(site: Site | null): string[] {
  const entries = new Map<string, string>();
  for (const [index, { name }] of (site?.pools ?? []).entries())
    for (const host of [name, name.replace(/:(?:80|443)$/, '')])
      if (/^[\w.:[\]-]+$/.test(host) && !entries.has(host.toLowerCase()))
        entries.set(host.toLowerCase(), `"${host}" @0.p${index}.own;`);
  return [...entries.values()];
}

/** Comments by which the engine knows what its text has. */
export function factLines(site: Site | null, places: OwnPlaces, directives: readonly Directive[]): string[] {
  const { generation, pool, server } = ours.facts;
  const lent = Object.values(places.placement.listeners).filter(({ kind }) => kind === 'fd').length;
  const sockets = { first: firstSocketFd, count: lent };
  const said = named(directives, 'worker_processes')[0]?.args[0]?.value ?? '1';
  const workers = said === 'auto' ? places.placement.threads : Number(said) || 1;
  return [
    `${generation}${JSON.stringify({ sockets, workers, neighbour: false, net: false, own: true })}`,
    ...(site?.pools ?? []).flatMap(({ name, healthCheck, timeouts, servers }) => [
      `${pool}${JSON.stringify({ name, healthCheck, timeouts })}`,
      ...servers.map(
        (one) =>
          `${server}${JSON.stringify({ name: one.name, host: one.host, port: one.port, address: hostPort(one.host, one.port) })}`,
      ),
    ]),
  ];
}
