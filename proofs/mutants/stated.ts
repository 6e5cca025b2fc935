/** Small texts of which anybody can say, without an engine, what they do: what is listened on, where a request goes, and what nobody can know. */
import { meaning } from '#routing';
import { type Case, type EngineName, meaningOf, meaningsOf } from '../plan/case.ts';

export interface Stated {
  readonly kind: 'stated';
  readonly case: Case;
  /** One that it is compared with, and that is lifted before it. */
  readonly before?: Case;
  /** Null: what is asked is where the text listens. */
  readonly asked: Partial<meaning.Request> | null;
  readonly is: string;
}

const caseOf = (engine: EngineName, text: string, environment: Case['environment'] = {}): Case => ({
  engine,
  seed: 0,
  text,
  files: {},
  environment,
  servers: {},
  root: null,
  asked: [],
});

/** The address of a `bind` line, and where that is. */
const binds: readonly (readonly [string, string])[] = [
  [':80', '*:80'],
  ['*:80', '*:80'],
  ['0.0.0.0:80', '0.0.0.0:80'],
  ['127.0.0.1:80', '127.0.0.1:80'],
  ['127.0.0.1:80,127.0.0.2:81', '127.0.0.1:80 127.0.0.2:81'],
  [':80-82', '*:80 *:81 *:82'],
  [':80,:90-91 ssl crt a.pem', '*:80 tls *:90 tls *:91 tls'],
  ['[::1]:80', '[::1]:80'],
  ['::1:80', '[::1]:80'],
  [':::80', '[::]:80'],
  ['ipv4@:80', '*:80'],
  ['ipv6@:80', '[::]:80'],
  ['/run/a.sock', '/run/a.sock'],
  ['unix@/run/a.sock mode 666', '/run/a.sock'],
  ['abns@one', 'abns@one'],
  ['fd@3', 'fd@3'],
  ['fd@3 ssl crt a.pem', 'fd@3 tls'],
  ['quic4@:443 ssl crt a.pem', 'quic4@:443 tls'],
  ['quic6@[::1]:443', 'quic6@[::1]:443 tls'],
  ['sockpair@4', 'sockpair@4'],
  ['127.0.0.1:"$PORT"', '127.0.0.1:8080'],
  ['"$HOST":80', '10.0.0.1:80'],
];

const haproxyText = (lines: string, bind = ':80', servers = '') =>
  `frontend f\n  mode http\n  bind ${bind}\n${lines}  default_backend "p$ONE"\nbackend p1\n  mode http\n  server s 10.0.0.1:80\nbackend p2\n  mode http\n  server s 10.0.0.2:80\n${servers}`;

const environment = { PORT: '8080', HOST: '10.0.0.1', ONE: '1' };

/** A line that decides of `/a` alone, if at all, and what becomes of `/a` and of `/b`. */
const haproxyLines: readonly (readonly [string, string, string])[] = [
  ['', 'pool p1', 'pool p1'],
  ['use_backend p2 if { path /a }', 'pool p2', 'pool p1'],
  ['use_backend "p$TWO" if { path /a }', 'not known', 'pool p1'],
  ['http-request lua.mine if { path /a }', 'not known', 'pool p1'],
  ['http-request lua.mine unless { path /b }', 'not known', 'pool p1'],
  ['http-request lua.mine', 'not known', 'not known'],
  ['http-request use-service lua.mine if { path /a }', 'not known', 'pool p1'],
  ['http-request deny if { path /a } { lua.mine }', 'not known', 'pool p1'],
  ['http-request return status 204 if { path /a }', 'answer 204', 'pool p1'],
  ['http-request deny if { path /a }', 'answer 403', 'pool p1'],
  ['http-request deny unless { path /b }', 'answer 403', 'pool p1'],
  [
    'http-request add-header x-two b if { path /a }\n  http-request deny if { req.fhdr(x-two) -m str b }',
    'answer 403',
    'pool p1',
  ],
  ['http-request deny if { hdr_val(x-one) ge 5 }', 'answer 403', 'pool p1'],
  ['http-request deny if { hdr_val(x-one) 0:5 }', 'pool p1', 'answer 403'],
  ['http-request replace-path ^/a$ /c\n  http-request deny if { path /c }', 'answer 403', 'pool p1'],
  [
    'http-request replace-path ^/(a)$ /x\\1-%[method]\n  http-request deny if { path /xa-GET }',
    'answer 403',
    'pool p1',
  ],
  ['http-request set-uri %[path]x\n  http-request deny if { path /ax }', 'answer 403', 'pool p1'],
  ['http-request silent-drop if { path /a }', 'no answer', 'pool p1'],
  ['http-request reject if { path /a }', 'closed', 'pool p1'],
];

/** What asks for more than a path. */
const haproxyAsked: readonly (readonly [string, Partial<meaning.Request>, string])[] = [
  ['http-request deny if { method PURGE }', { path: '/a', method: 'PATCH' }, 'pool p1'],
  ['http-request deny if { method PURGE }', { path: '/a', method: 'PURGE' }, 'answer 403'],
  ['http-request deny if { method PURGE }', { path: '/a', method: 'GET' }, 'pool p1'],
  ['stats enable\n  stats uri /a', { path: '/a' }, 'answer 200'],
  ['stats enable\n  stats uri /a', { path: '/a', method: 'GETX' }, 'pool p1'],
];

const nginxText = (lines: string, outside = '') =>
  `http {\nupstream p1 { server 10.0.0.1:80; }\nupstream P2 { server 10.0.0.2:80; }\n${outside}\nserver {\nlisten 80;\n${lines}\nlocation /b { proxy_pass http://p1; }\n}\n}\n`;

const many = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join(' ');

/** Lines of a `server`, what stands beside it, and what becomes of `/a`. */
const nginxLines: readonly (readonly [string, string, string])[] = [
  ['location /a { proxy_pass http://p2; }', '', 'pool P2'],
  ['location /a { proxy_pass http://P1; }', '', 'pool p1'],
  ['location /a { set $to P1; proxy_pass http://$to; }', '', 'pool p1'],
  ['location /a { content_by_lua_block { x } }', '', 'not known'],
  ['location /a { js_content one; }', '', 'not known'],
  ['location /a { perl one; }', '', 'not known'],
  ['location /a { return 204; }', '', 'answer 204'],
  ...[301, 302, 303, 307, 308].map(
    (status) =>
      [
        `error_page 404 =${status} http://x.test/; location /a { return 404; }`,
        '',
        `redirect ${status}`,
      ] as const,
  ),
  ['error_page 404 =200 http://x.test/; location /a { return 404; }', '', 'redirect 302'],
  [
    '',
    'server { listen 80; return 500; } server { listen 80; server_name ~^a\\.; return 204; }',
    'answer 204',
  ],
  [
    'location /a { proxy_pass http://$to; }',
    `map $uri $to { default p1; ${many(2_500, (at) => `/x${at} p1;`)} /a P2; }`,
    'pool P2',
  ],
  [
    'location /a { proxy_pass http://$to; }',
    `map $uri $to { default p1; ~^/A p1; ${many(300, (at) => `/x${at} p1;`)} ~*^/A p2; ~^/a p1; }`,
    'pool P2',
  ],
  [
    `location /a { set $x "$arg_q"; ${many(20, () => 'set $x "$x-$x";')} if ($x = "") { return 403; } proxy_pass http://p1; }`,
    '',
    'not known',
  ],
];

/** A server that stood elsewhere in the text before: what is not known has its place where it stands now. */
const moved: readonly (readonly [string, string])[] = [
  ['location /a { perl one; }', 'not known at line 8'],
  ['location /a { if ($arg_q) { return 403; } perl one; }', 'not known at line 8'],
  ['location /a { return 204; }', 'answer 204'],
];

export function statedTexts(): readonly Stated[] {
  const requests = [
    { path: '/a', headers: { 'x-one': '7' } },
    { path: '/b', headers: { 'x-one': '3' } },
  ];
  return [
    ...binds.map(
      ([bind, is]): Stated => ({
        kind: 'stated',
        case: caseOf('haproxy', haproxyText('', bind), environment),
        asked: null,
        is,
      }),
    ),
    ...haproxyLines.flatMap(([line, ...is]) =>
      is.map(
        (one, at): Stated => ({
          kind: 'stated',
          case: caseOf('haproxy', haproxyText(line === '' ? '' : `  ${line}\n`), environment),
          asked: requests[at] ?? null,
          is: one,
        }),
      ),
    ),
    ...haproxyAsked.map(
      ([line, asked, is]): Stated => ({
        kind: 'stated',
        case: caseOf('haproxy', haproxyText(`  ${line}\n`), environment),
        asked,
        is,
      }),
    ),
    ...nginxLines.map(
      ([lines, outside, is]): Stated => ({
        kind: 'stated',
        case: caseOf('nginx', nginxText(lines, outside)),
        asked: { path: '/a' },
        is,
      }),
    ),
    ...moved.map(
      ([lines, is]): Stated => ({
        kind: 'stated',
        before: caseOf('nginx', nginxText(lines)),
        case: caseOf('nginx', nginxText(lines, '# one line more\n# and another')),
        asked: { path: '/a' },
        is,
      }),
    ),
  ];
}

export function statedWrong({ before, case: one, asked, is }: Stated): string | null {
  const [, lifted] = before ? meaningsOf(before, one) : [null, meaningOf(one)];
  const said = asked === null ? whereOf(lifted) : fateOf(lifted, asked, before !== undefined);
  return said === is ? null : `it is said: ${said}, and it is ${is}`;
}

function whereOf({ listeners }: meaning.Meaning): string {
  return listeners
    .map(({ host, port, tls }) => `${host}${port === null ? '' : `:${port}`}${tls ? ' tls' : ''}`)
    .join(' ');
}

function fateOf(lifted: meaning.Meaning, asked: Partial<meaning.Request>, isPlaced: boolean): string {
  const { exact, ways, unknowns } = meaning.fateOf(
    lifted,
    meaning.requestOf({ host: 'a.example', port: 80, ...asked }),
  );
  const fate = ways[0]?.fate;
  if (!exact || fate === undefined)
    return `not known${isPlaced ? ` at line ${unknowns[0]?.place.line}` : ''}`;
  if (fate.kind === 'pool') return `pool ${fate.pool}`;
  if (fate.kind === 'redirect') return `redirect ${fate.status}`;
  if (fate.kind === 'answer') return `answer ${fate.status}`;
  return fate.kind === 'reject' ? (fate.how === 'close' ? 'closed' : 'no answer') : fate.kind;
}
