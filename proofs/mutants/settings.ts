/** Settings that a line changes, each with what has to be told of it: where it is in force, its old and its new value. */
import { meaning } from '#routing';
import { type Case, type EngineName, meaningsOf } from '../plan/case.ts';
import { chanceOf } from '../plan/chance.ts';

/** Scope, name, before, after. */
type Row = readonly [scope: string, name: string, before: string | null, after: string | null];

export interface SettingsPair {
  readonly kind: 'settings';
  readonly before: Case;
  readonly after: Case;
  readonly told: readonly Row[];
}

/** One line for another, and what that changes. */
interface Edit {
  readonly was: string;
  readonly is: string;
  readonly told: readonly Row[];
}

const edit = (was: string, is: string, ...told: readonly (readonly Row[])[]): Edit => ({
  was,
  is,
  told: told.flat(),
});
const rows = (
  scopes: readonly string[],
  name: string,
  before: string | null,
  after: string | null,
): readonly Row[] => scopes.map((scope) => [scope, name, before, after]);

const haproxyText = `global
  maxconn 100
  log /dev/log local0
  tune.bufsize 16384
defaults base
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option httplog
frontend f1 from base
  bind :80
  default_backend b1
frontend f2 from base
  bind :81 maxconn 10
  bind :82
  acl inner src 10.0.0.0/8
  timeout client 40s
  no option httplog
  http-response set-header X-A one if inner
  default_backend b2
backend b1 from base
  fullconn 50
  balance roundrobin
  server s1 10.0.0.1:80 check inter 2s
  server s2 10.0.0.2:80
backend b2 from base
  fullconn 50
  timeout server 10s
  option httpchk GET /
  http-check expect status 200
  server s1 10.0.0.3:80 slowstart 5s rise 4
listen l from base
  bind :83
  server s1 10.0.0.4:80 rise 4
cache c
  total-max-size 4
`;

const fronts = ['listener f1 *:80', 'listener f2 *:81', 'listener f2 *:82', 'listener l *:83'];
const backs = ['pool b1', 'pool b2', 'pool l'];
const [b1, b2, l] = backs.map((one) => [one]) as [string[], string[], string[]];
const [first, , , last] = fronts as [string, string, string, string];
const plainFronts = [first, last];
const second = fronts.slice(1, 3);
const ms = (number: number) => `${number} ms`;

const haproxyEdits: readonly Edit[] = [
  edit(
    '  timeout server 30s',
    '  timeout server 1ms',
    rows(['pool b1', ...l], 'timeout server', ms(30_000), ms(1)),
  ),
  edit(
    '  timeout client 30s',
    '  timeout client 31s',
    rows(plainFronts, 'timeout client', ms(30_000), ms(31_000)),
  ),
  edit('  timeout client 30s', '  timeout client 30000'),
  edit('  timeout client 40s', '  timeout client 1m', rows(second, 'timeout client', ms(40_000), ms(60_000))),
  edit('  timeout client 40s\n', '', rows(second, 'timeout client', ms(40_000), ms(30_000))),
  edit('  timeout connect 5s', '  timeout connect 5000ms'),
  edit(
    '  timeout connect 5s',
    '  timeout connect 5m',
    rows(backs, 'timeout connect', ms(5_000), ms(300_000)),
  ),
  edit(
    '  timeout connect 5s',
    '  timeout connect 500us',
    rows(backs, 'timeout connect', ms(5_000), '0.5 ms'),
  ),
  edit(
    '  timeout connect 5s',
    '  timeout connect 1d',
    rows(backs, 'timeout connect', ms(5_000), ms(86_400_000)),
  ),
  edit('  mode http', '  mode http\n  retries 5', rows(backs, 'retries', null, '5')),
  edit('  mode http', '  mode http\n  maxconn 3000', rows(fronts, 'maxconn', null, '3000')),
  edit('  mode http', '  mode http\n  timeout queue 2h', rows(backs, 'timeout queue', null, ms(7_200_000))),
  edit('  mode http', '  mode http\n  log global', rows([...fronts, ...backs], 'log', null, 'global')),
  edit('  mode http', '  mode http\n  option dontlognull', rows(fronts, 'option dontlognull', null, 'on')),
  edit('  mode http', '  mode http\n  option redispatch 1', rows(backs, 'option redispatch', null, '1')),
  edit('  mode http', '  mode http\n  backlog 7', rows(fronts, 'backlog', null, '7')),
  edit('  option httplog\n', '', rows(plainFronts, 'option httplog', 'on', null)),
  edit('  no option httplog\n', '', rows(second, 'option httplog', 'off', 'on')),
  edit(
    '  no option httplog\n',
    '  no option httplog\n  no option dontlognull\n',
    rows(second, 'option dontlognull', null, 'off'),
  ),
  edit('check inter 2s', 'check inter 3s', rows(['server 10.0.0.1:80 of b1'], 'inter', ms(2_000), ms(3_000))),
  edit('check inter 2s', 'check inter 2000'),
  edit('slowstart 5s', 'slowstart 6', rows(['server 10.0.0.3:80 of b2'], 'slowstart', ms(5_000), ms(6))),
  edit('check inter 2s', 'inter 2s', rows(['server 10.0.0.1:80 of b1'], 'check', 'on', null)),
  edit(
    'server s2 10.0.0.2:80',
    'server s2 10.0.0.2:80 maxconn 5',
    rows(['server 10.0.0.2:80 of b1'], 'maxconn', null, '5'),
  ),
  edit(':81 maxconn 10', ':81 maxconn 20', rows(['listener f2 *:81'], 'bind maxconn', '10', '20')),
  edit('  balance roundrobin', '  balance leastconn', rows(b1, 'balance', 'roundrobin', 'leastconn')),
  edit('  maxconn 100', '  maxconn 200', rows(['global'], 'maxconn', '100', '200')),
  edit(
    '  log /dev/log local0',
    '  log /dev/log local1',
    rows(['global'], 'log', '/dev/log local0', '/dev/log local1'),
  ),
  edit('  tune.bufsize 16384\n', '', rows(['global'], 'tune.bufsize', '16384', null)),
  edit('status 200', 'status 204', rows(b2, 'http-check expect', 'status 200', 'status 204')),
  edit('  option httpchk GET /', '  option httpchk HEAD /', rows(b2, 'option httpchk', 'GET /', 'HEAD /')),
  edit(
    'X-A one',
    'X-A two',
    rows(
      second,
      'http-response',
      'set-header X-A one if { src 10.0.0.0/8 }',
      'set-header X-A two if { src 10.0.0.0/8 }',
    ),
  ),
  edit(
    'one if inner',
    'one if !inner',
    rows(
      second,
      'http-response',
      'set-header X-A one if { src 10.0.0.0/8 }',
      'set-header X-A one if !{ src 10.0.0.0/8 }',
    ),
  ),
  edit('one if inner', 'one if { src 10.0.0.0/8 }'),
  edit(
    'X-A one if',
    'X-A inner if',
    rows(
      second,
      'http-response',
      'set-header X-A one if { src 10.0.0.0/8 }',
      'set-header X-A inner if { src 10.0.0.0/8 }',
    ),
  ),
  edit('  total-max-size 4', '  total-max-size 8', rows(['global'], 'cache c total-max-size', '4', '8')),
  edit(
    '  timeout server 10s',
    '  timeout server 10s\n  timeout server 12s',
    rows(b2, 'timeout server', ms(10_000), ms(12_000)),
  ),
  edit('  bind :83', '  bind :83\n  timeout tunnel 1h', rows(l, 'timeout tunnel', null, ms(3_600_000))),
  edit('  fullconn 50\n  balance', '  balance', rows(b1, 'fullconn', '50', null)),
  edit('  fullconn 50\n  timeout', '  timeout', rows(b2, 'fullconn', '50', null)),
  edit('  fullconn 50\n  timeout', '  fullconn 51\n  timeout', rows(b2, 'fullconn', '50', '51')),
  edit('slowstart 5s rise 4', 'slowstart 5s', rows(['server 10.0.0.3:80 of b2'], 'rise', '4', null)),
  edit('10.0.0.4:80 rise 4', '10.0.0.4:80', rows(['server 10.0.0.4:80 of l'], 'rise', '4', null)),
  edit('10.0.0.4:80 rise 4', '10.0.0.5:80 rise 4'),
  edit('b2', 'renamed'),
  edit(
    'backend b1 from base',
    'backend extra from base\nbackend b1 from base',
    rows(['pool extra'], 'timeout connect', null, ms(5_000)),
    rows(['pool extra'], 'timeout server', null, ms(30_000)),
  ),
  edit(
    'frontend f1 from base',
    'frontend f1 from base\n  description a "b c"',
    rows([first], 'description', null, 'a "b c"'),
  ),
  edit('frontend f1 from base', 'frontend f1 from base\n  # a remark\n'),
  edit(
    'frontend f1 from base',
    'frontend f1 from base\n  capture request header X len 5',
    rows([first], 'capture request', null, 'header X len 5'),
  ),
  edit(
    'backend b1 from base',
    'backend b1 from base\n  stick-table type ip size 1k expire 30s',
    rows(b1, 'stick-table', null, 'type ip size 1k expire 30s'),
  ),
  edit(
    'backend b1 from base',
    'backend b1 from base\n  cookie SRV insert',
    rows(b1, 'cookie', null, 'SRV insert'),
  ),
];

const nginxText = `worker_processes 2;
http {
keepalive_timeout 65;
log_format one "$uri";
upstream u { zone u 64k; server 10.0.0.1:80; keepalive 8; }
upstream w { least_conn; server 10.0.0.2:80 max_fails=3; }
server {
  listen 80; server_name a.example;
  client_max_body_size 8m;
  large_client_header_buffers 4 8k;
  location / { proxy_pass http://u; proxy_read_timeout 60s; proxy_connect_timeout 5; }
  location /w { proxy_pass http://w; gzip on; expires 1h; }
  location /v { proxy_pass http://W; gzip on; }
  location @f { proxy_pass http://w; }
  location /e { error_page 404 @f; proxy_pass http://10.0.0.9; proxy_intercept_errors on; }
}
server { listen 81; send_timeout 7; location / { return 200 x; } }
}
`;

const listeners = ['listener *:80', 'listener *:81'];
const pools = ['pool u', 'pool w', 'pool 10.0.0.9:80'];

const nginxEdits: readonly Edit[] = [
  edit('proxy_read_timeout 60s', 'proxy_read_timeout 1m'),
  edit(
    'proxy_read_timeout 60s',
    'proxy_read_timeout 61s',
    rows(['pool u'], 'proxy_read_timeout', null, ms(61_000)),
  ),
  edit(
    'proxy_read_timeout 60s',
    'proxy_read_timeout 1m30s',
    rows(['pool u'], 'proxy_read_timeout', null, ms(90_000)),
  ),
  edit(
    'proxy_connect_timeout 5',
    'proxy_connect_timeout 5ms',
    rows(['pool u'], 'proxy_connect_timeout', ms(5_000), ms(5)),
  ),
  edit(
    'proxy_connect_timeout 5',
    'proxy_connect_timeout 2h',
    rows(['pool u'], 'proxy_connect_timeout', ms(5_000), ms(7_200_000)),
  ),
  edit('client_max_body_size 8m', 'client_max_body_size 8192k'),
  edit('client_max_body_size 8m', 'client_max_body_size 8388608'),
  edit('gzip on; expires 1h', 'gzip ON; expires 1h'),
  edit('worker_processes 2', 'worker_processes 4', rows(['global'], 'worker_processes', '2', '4')),
  edit('keepalive 8', 'keepalive 9', rows(['pool u'], 'keepalive', '8', '9')),
  edit('max_fails=3', 'max_fails=4', rows(['server 10.0.0.2:80 of w'], 'max_fails', '3', '4')),
  edit('expires 1h', 'expires 2h', rows(['pool w'], 'expires (a.example /w)', '1h', '2h')),
  edit('zone u 64k', 'zone u 128k', rows(['pool u'], 'zone', 'u 64k', 'u 128k')),
  edit('least_conn', 'ip_hash', rows(['pool w'], 'balancing', 'least_conn', 'ip_hash')),
  edit('@f', '@g'),
  edit(
    'proxy_intercept_errors on',
    'proxy_intercept_errors off',
    rows(['pool 10.0.0.9:80'], 'proxy_intercept_errors', 'on', null),
  ),
  edit(
    'keepalive_timeout 65',
    'keepalive_timeout 66',
    rows([...listeners, ...pools], 'keepalive_timeout', ms(65_000), ms(66_000)),
  ),
  edit('"$uri"', '"$host"', rows(['global'], 'log_format one', '$uri', '$host')),
  edit('send_timeout 7', 'send_timeout 60', rows(['listener *:81'], 'send_timeout', ms(7_000), null)),
  edit(
    'large_client_header_buffers 4 8k',
    'large_client_header_buffers 4 9k',
    rows(['listener *:80'], 'large_client_header_buffers', '4 8192 bytes', '4 9216 bytes'),
  ),
  edit('large_client_header_buffers 4 8k', 'large_client_header_buffers 4 8192'),
];

const caseOf = (engine: EngineName, text: string): Case => ({
  engine,
  seed: 0,
  text,
  files: {},
  environment: {},
  servers: {},
  root: null,
  asked: [],
});

/** Each line alone, and some together. */
export function settingsPairs(seed: number, together: number): readonly SettingsPair[] {
  const chance = chanceOf(seed);
  return (['haproxy', 'nginx'] as const).flatMap((engine) => {
    const [text, edits] = engine === 'haproxy' ? [haproxyText, haproxyEdits] : [nginxText, nginxEdits];
    const pair = (some: readonly Edit[]): SettingsPair => ({
      kind: 'settings',
      before: caseOf(engine, text),
      after: caseOf(
        engine,
        some.reduce((now, { was, is }) => now.replaceAll(was, () => is), text),
      ),
      told: some.flatMap(({ told }) => told),
    });
    const back = (one: Edit): SettingsPair => {
      const { before, after, told } = pair([one]);
      return {
        kind: 'settings',
        before: after,
        after: before,
        told: told.map(([scope, name, was, is]) => [scope, name, is, was]),
      };
    };
    const several = Array.from({ length: together }, () => {
      const some = [chance.pick(edits), chance.pick(edits), chance.pick(edits)];
      const apart = some.filter((one, at) =>
        some.every((other, index) => index >= at || !touches(one, other)),
      );
      return pair(apart);
    });
    return [...edits.map((one) => pair([one])), ...edits.map(back), ...several];
  });
}

function touches(one: Edit, other: Edit): boolean {
  // A name is everywhere.
  if (one.was === 'b2' || other.was === 'b2') return true;
  const names = (of: Edit) => new Set(of.told.map(([, name]) => name));
  return (
    one.was.includes(other.was) ||
    other.was.includes(one.was) ||
    [...names(one)].some((name) => names(other).has(name))
  );
}

export function settingsWrong({ before, after, told }: SettingsPair): string | null {
  const found = meaning
    .changedSettings(...meaningsOf(before, after))
    .flatMap(({ before: was, after: is }): Row[] => {
      const shown = is ?? was;
      return shown ? [[scopeOf(shown.scope), shown.name, was?.value ?? null, is?.value ?? null]] : [];
    });
  const [said, wanted] = [found, told].map((all) =>
    all
      .map((row) => JSON.stringify(row))
      .sort()
      .join('\n'),
  );
  return said === wanted ? null : `settings: told ${said}, and it is ${wanted}`;
}

function scopeOf(scope: meaning.Setting['scope']): string {
  if (scope.kind === 'global') return 'global';
  return scope.kind === 'server' ? `server ${scope.address} of ${scope.pool}` : `${scope.kind} ${scope.name}`;
}
