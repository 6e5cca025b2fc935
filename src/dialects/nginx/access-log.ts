import { type AccessLog, hostPort, type Site } from '#model';
import type { RoutedListener } from '#routing';
import { map, type Value } from './maps.ts';
import { ours } from './vocabulary.ts';

/** The access log: requests of the public side, as docs/site.md has its fields. */
export function accessLogLines({ accessLog, pools }: Site, listeners: readonly RoutedListener[]): string[] {
  if (accessLog === null) return [];
  const servers = pools.flatMap(({ name, servers }) =>
    servers.map((s) => [`${name} ${hostPort(s.host, s.port)}`, s.name] as const),
  );
  const raw = (value: string): Value => ({ raw: value });
  return [
    ...map('$holdfast_side', '$holdfast_public', [['p', '1']], '0'),
    ...map(
      '$holdfast_door',
      '$holdfast_listener',
      listeners.map(({ name }, index) => [`${index}`, name] as const),
      '-',
    ),
    ...map(
      '$holdfast_route',
      '$holdfast_pool',
      [['~^@\\d+[.]p\\d+[.](?<holdfast_pn>.+)$', raw('$holdfast_pn')]],
      '-',
    ),
    ...map(
      '$upstream_addr',
      '$holdfast_asked',
      [
        ['', '-'],
        ['~(?<holdfast_last>[^ ,]+)$', raw('$holdfast_last')],
      ],
      '-',
    ),
    ...map(
      '$holdfast_pool $holdfast_asked',
      '$holdfast_server',
      [...servers, ['~ unix:', ours.neighbour], ['~ p\\d+[.]', '-']],
      raw('$holdfast_asked'),
    ),
    ...map(
      '$upstream_addr',
      '$holdfast_retries',
      Array.from({ length: retriesMax }, (_, index) => {
        const count = retriesMax - index;
        return [`~(?:,[^,]*){${count}}`, `${count}`] as const;
      }),
      '0',
    ),
    // From seconds with three digits behind the point.
    ...map(
      '$request_time',
      '$holdfast_ms',
      [
        ['~^0[.]00(?<holdfast_ms1>\\d)$', raw('$holdfast_ms1')],
        ['~^0[.]0(?<holdfast_ms2>\\d\\d)$', raw('$holdfast_ms2')],
        ['~^0[.](?<holdfast_ms3>\\d\\d\\d)$', raw('$holdfast_ms3')],
        ['~^(?<holdfast_s>\\d+)[.](?<holdfast_ms4>\\d\\d\\d)$', raw('$holdfast_s$holdfast_ms4')],
      ],
      '0',
    ),
    ...map('$host', '$holdfast_named', [['', '-']], raw('$host')),
    // Its own answer in the place of a server's, or one that broke off.
    ...map(
      '$request_completion $status $upstream_status',
      '$holdfast_ended',
      [
        ['~^OK [1234]', '--'],
        ['~^OK (\\d+) (?:.*[ ,])?\\1$', '--'],
        ['~^OK ', 'no-server'],
      ],
      'cut',
    ),
    `log_format access escape=json '${format}';`,
    `access_log syslog:server=${target(accessLog)},facility=local0,severity=info,nohostname,tag=nginx access if=$holdfast_public;`,
  ];
}

/** As often as a pool may try again. */
const retriesMax = 10;

function target(log: AccessLog): string {
  switch (log.kind) {
    case 'syslog':
      return hostPort(log.host, log.port);
    case 'syslogSocket':
      return `unix:${log.path}`;
    case 'stdout':
    case 'file':
      throw new Error('a text is not made of what it cannot say');
  }
}

const fields: Readonly<Record<string, string>> = {
  time: '$msec',
  listener: '"$holdfast_listener"',
  client: '"$remote_addr"',
  method: '"$request_method"',
  host: '"$holdfast_named"',
  path: '"$holdfast_path"',
  status: '$status',
  bytes: '$bytes_sent',
  durationMs: '$holdfast_ms',
  pool: '"$holdfast_pool"',
  server: '"$holdfast_server"',
  retries: '"$holdfast_retries"',
  ended: '"$holdfast_ended"',
};

const format = `{${Object.entries(fields)
  .map(([name, value]) => `"${name}":${value}`)
  .join(',')}}`;
