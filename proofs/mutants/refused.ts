/**
 * Texts that an engine refuses, by one line of theirs: the meaning has to say that it does not understand that line, and never to
 * guess. What the engine takes after all, and what the meaning passes over as it stands, are left out and told.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case, EngineName } from '../plan/case.ts';
import { meaningOf } from '../plan/case.ts';

export interface Refused {
  readonly kind: 'refused';
  readonly case: Case;
  readonly line: number;
}

const actions = [
  ...[
    'http-request dny',
    'http-request',
    'http-request set-header x-one',
    'http-request set-path',
    'http-request del-header',
  ],
  ...[
    'http-request deny deny_status',
    'http-request deny status 99',
    'http-request deny status 700',
    'http-request deny status x',
  ],
  ...[
    'http-request return status 150',
    'http-request return status 600',
    'http-request return strng x',
    'http-request return string',
  ],
  ...[
    'http-request redirect location',
    'http-request redirect',
    'http-request redirect drop-query',
    'http-request redirect place /x',
  ],
  ...[
    'http-request redirect location /x code 399',
    'redirect prefix',
    'redirect location /x code 200',
    'redirect location /x drop',
  ],
  ...[
    'http-request set-var(bad x',
    'http-request set-var(txn.x)',
    'http-request set-var(nowhere.x) path',
    'http-request replace-path x',
  ],
  ...[
    'http-request replace-header x-one ( y',
    'http-request normalize-uri nothing',
    'http-request set-header x-one %[pth]',
    'redirect',
  ],
  ...[
    'http-request set-header x-one %[path',
    'http-request set-header x-one %QQ',
    'http-request set-header x-one %[path,lowr]',
  ],
  ...[
    'http-request auth realm',
    'http-request use-service nothing',
    'http-request allow now',
    'http-request reject now',
  ],
  ...[
    'use_backend',
    'use_backend nosuch',
    'use_backend p maybe TRUE',
    'default_backend nosuch',
    'http-request set-query',
  ],
  ...[
    'tcp-request content nothing',
    'tcp-request session deny',
    'block',
    'reqdeny ^x',
    'reqrep ^x y',
    'monitor fail',
    'acl',
    'acl a',
  ],
  ...[
    'http-request lua.nothing',
    'http-request send-spoe-group a b',
    'http-request deny deny_status 404 now',
    'bogus keyword',
  ],
];

const questions = [
  ...[
    '{ path_bgg /a }',
    '{ path_beg',
    'nosuch',
    '{ path /a',
    '{ }',
    '}',
    '{ nothing(x) a }',
    '{ path,lowr a }',
    '{ path,field(x) a }',
  ],
  ...[
    '{ path -m nope a }',
    '{ path -z a }',
    '{ path -m }',
    '{ path -f /nonexistent }',
    '{ path,map(/nonexistent) a }',
    '{ path_len abc }',
  ],
  ...[
    '{ hdr_cnt(x) 1x }',
    '{ hdr_val(x) -5 }',
    '{ src nohost.invalid }',
    '{ src 10.0.0.0/99 }',
    '{ src 10.0.0.0/255.0.255.0 }',
  ],
  ...[
    '{ path_reg ( }',
    '{ path_reg a{2,1} }',
    '{ path_reg [b-a] }',
    '{ path_reg *a }',
    '{ path_len eq }',
    '{ dst_port 80x }',
  ],
  ...[
    '{ var(x.y) a }',
    '{ path -i -- }',
    '{ hdr(host) -m int x }',
    '{ int(x) 1 }',
    '{ method -m int x }',
    '{ path,word(0) a }',
  ],
  ...[
    '{ ssl_fc,lowr }',
    '{ hdr(host,x) a }',
    '{ path,bytes(x) a }',
    '{ path,regsub( a }',
    '{ path,map_ip(/nonexistent) a }',
  ],
];

const nginxLines = [
  ...[
    'return;',
    'return 999 999 999;',
    'return x y;',
    'rewrite ^/a;',
    'rewrite ( /x;',
    'rewrite ^/a /b sideways;',
    'set $x;',
    'set x y;',
  ],
  ...[
    'if ($x { return 403; }',
    'if ($nosuchvariable) { return 403; }',
    'if ($uri ~ "(") { return 403; }',
    'if () { return 403; }',
  ],
  ...[
    'if ($uri = ) { return 403; }',
    'if ($uri ~~ a) { return 403; }',
    'if (a) { return 403; }',
    'if ($uri) { nothing; }',
    'if (-q /a) { break; }',
  ],
  ...[
    'location { }',
    'location / { } location / { }',
    'location ~ "(" { }',
    'location =! /a { }',
    'location ^~ /a /b { }',
    'location /a { location /b { } }',
  ],
  ...[
    'location @a { location /x { } }',
    'try_files;',
    'try_files $uri;',
    'try_files /a =999999;',
    'error_page 404;',
    'error_page 200 /x;',
    'error_page 999 /x;',
  ],
  ...[
    'error_page 404 =x /a;',
    'proxy_pass http://10.0.0.1;',
    'location ~ /a { proxy_pass http://10.0.0.1/b; }',
    'location /a { proxy_pass; }',
  ],
  ...[
    'location /a { proxy_pass ftp://x; }',
    'location /a { proxy_pass http://; }',
    'location /a { proxy_pass http://$nosuchvariable; }',
  ],
  ...[
    'location /a { alias; }',
    'location /a { root; }',
    'location /a { root /a; root /b; }',
    'location /a { root /a; alias /b; }',
    'location /a { internal on; }',
  ],
  ...[
    'deny;',
    'deny nohost.invalid/x;',
    'allow 10.0.0.0/99;',
    'deny all all;',
    'satisfy both;',
    'listen 99999;',
    'listen x:y:z;',
    'listen 80 nothing;',
  ],
  ...[
    'server_name;',
    'server_name ~(;',
    'server_name "";;',
    'nothing on;',
    'return 200 $nosuchvariable;',
    'set $uri x;',
    'merge_slashes maybe;',
    'break now;',
  ],
  ...[
    'limit_except GET { deny all; }',
    'location /a { limit_except BOGUS { deny all; } }',
    'location /a { try_files $uri @nowhere; } x',
    'ssl_certificate;',
  ],
  ...[
    'include /nonexistent/file.conf;',
    'location /a { fastcgi_pass; }',
    'location /a { proxy_set_header X; }',
    'location /a { proxy_method; }',
    'root $nosuchvariable;',
  ],
  ...[
    'absolute_redirect maybe;',
    'port_in_redirect 3;',
    'rewrite_log maybe;',
    'location /a { index; }',
    'location /a { return 301; return; }',
    'if ($a) { if ($b) { } }',
  ],
];

const nginxTables = [
  ...[
    'map $uri { a b; }',
    'map $uri $m { ~( b; }',
    'map $uri $m { a; }',
    'map $uri $m { default a; default b; }',
    'map $uri $m { a b; a c; }',
    'map $uri $m $n { }',
  ],
  ...[
    'geo $g { x y; }',
    'geo $g { default a; 10.0.0.0/99 b; }',
    'geo { }',
    'split_clients "$uri" $s { 150% a; }',
    'split_clients "$uri" $s { x a; }',
    'split_clients $s { }',
  ],
  ...[
    'upstream u { }',
    'upstream u { server; }',
    'upstream u { server 10.0.0.1 weight=x; }',
    'upstream u { server 10.0.0.1 nothing; }',
    'upstream u { server 10.0.0.1; } upstream u { server 10.0.0.1; }',
  ],
  ...[
    'map $nosuchvariable $m { a $nosuchvariable; } server { listen 81; return 200 $m; }',
    'bogus;',
    'server { listen 81 }',
    'server { listen 80 default_server; } server { listen 80 default_server; }',
  ],
];

const haproxyLines = [...actions, ...questions.map((one) => `http-request deny if ${one}`)];

const haproxyText = (line: string) =>
  `global\ndefaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\nfrontend f\n  bind 127.0.0.1:18080\n  ${line}\n  default_backend p\nbackend p\n  server s 10.0.0.1:80\n`;

const nginxText = (outside: string, inside: string) =>
  `${outside}\nserver {\nlisten 127.0.0.1:18080;\n${inside}\nlocation / { return 200 x; }\n}`;

export interface RefusedTape {
  readonly refused: readonly Refused[];
  /** Lines that the engine refuses, and of which the meaning says nothing. */
  readonly passedOver: readonly string[];
}

export function refusedTexts(): RefusedTape {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-refused-'));
  try {
    const all = [
      ...haproxyLines.map((line) => ({ said: line, line: 9, one: caseOf('haproxy', haproxyText(line)) })),
      ...nginxLines.map((line) => ({ said: line, line: 4, one: caseOf('nginx', nginxText('', line)) })),
      ...nginxTables.map((line) => ({ said: line, line: 1, one: caseOf('nginx', nginxText(line, '')) })),
    ].filter(({ one }) => isRefused(one, folder));
    const questions = all.map(({ one, line, said }) => ({
      said,
      question: { kind: 'refused', case: one, line } as const,
    }));
    return {
      refused: questions.flatMap(({ question }) => (guessed(question) === null ? [question] : [])),
      passedOver: questions.flatMap(({ question, said }) =>
        guessed(question) === null ? [] : [`${question.case.engine}: ${said}`],
      ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

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

/** Null: it is said that the line is not understood. */
export function guessed({ case: one, line }: Refused): string | null {
  const { notUnderstood } = meaningOf(one);
  return notUnderstood.some(({ place }) => place.line === line)
    ? null
    : `line ${line} is passed over: ${one.text.split('\n')[line - 1]}`;
}

function isRefused({ engine, text }: Case, folder: string): boolean {
  const file = join(folder, 'text');
  const whole = `daemon off; pid ${folder}/pid; error_log stderr crit; events { }\nhttp {\n${text}\n}\n`;
  writeFileSync(file, engine === 'haproxy' ? text : whole);
  const [command = '', ...args] = {
    haproxy: ['haproxy', '-c', '-f', file],
    nginx: ['nginx', '-t', '-p', folder, '-c', file, '-g', 'error_log stderr crit;'],
  }[engine];
  return spawnSync(command, args, { stdio: 'ignore' }).status === 1;
}
