import type { Site } from '#model';
import { map } from './maps.ts';
import { badFields, defaults, file, milliseconds, ours } from './vocabulary.ts';

/** What holds for every server of the text. */
export function httpLines(site: Site, folder: string): string[] {
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

/** On which side a request came, and what that means for where it is led. */
export function sideMaps(net: boolean): string[] {
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

/** What is counted as good, and what of the rest is written down. */
export function logMaps(folder: string, replays: boolean): string[] {
  return [
    // Good: no server error, by the first server that was asked. A line is its side, route and status.
    ...map(
      '$status $holdfast_led$upstream_status',
      '$holdfast_good',
      replays ? [] : [['~^(?:[1234]\\d\\d (?:\\d+|-)?|\\d+ own)$', '1']],
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

/** One file has the same buffer wherever it is named. */
export function goodLog(folder: string, format: string): string {
  return `${file(folder, ours.files.good)} ${format} buffer=32k flush=${milliseconds(defaults.logFlushMs)}`;
}
