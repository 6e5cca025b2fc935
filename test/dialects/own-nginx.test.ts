import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDiagnostic } from '#base';
import { dialectOf, type OwnPlaces, ownDialects, type Transplanted } from '#dialects';
import type { IncludedText, Site } from '#model';

const own = ownDialects.nginx;

function adopt(text: string, includes: readonly IncludedText[] = []) {
  return own.adopt({ file: 'nginx.conf', folder: '/etc/nginx', text, dialect: 'nginx', includes });
}

function siteOf(text: string, includes: readonly IncludedText[] = []): Site {
  const { site, diagnostics } = adopt(text, includes);
  assert.ok(site, diagnostics.map(formatDiagnostic).join('\n'));
  return site;
}

function refusals(text: string): string[] {
  const { site, diagnostics } = adopt(text);
  assert.equal(site, null);
  return diagnostics
    .filter(({ severity }) => severity === 'error')
    .map((d) => formatDiagnostic(d).replace(/^HF030 nginx.conf:(\d+):(\d+) /, '$1 '));
}

function transplant(site: Site, over: Partial<OwnPlaces> = {}): Transplanted {
  assert.ok(site.own);
  const private_ = site.listeners.map(
    ({ name }, i) => [name, { kind: 'unix', path: `/g/l${i}.sock` }] as const,
  );
  const placement = { listeners: Object.fromEntries(private_), control: '/g/c.sock', threads: 2 };
  return own.transplant(site.own, { purpose: 'serve', placement, folder: '/g', files: {}, ...over });
}

function changed({ rewritten }: Transplanted): string[] {
  return rewritten.map(({ file, line, after }) => `${file.replace('/etc/nginx/', '')}:${line} ${after}`);
}

const http = (inside: string) => `events {}\nhttp {\n${inside}\n}\n`;

describe("survey of a team's own nginx.conf", () => {
  it('every socket is a listener once, wherever it is said; a wildcard takes what it covers', () => {
    const site = siteOf(
      http(`server { listen 80 default_server; listen [::]:80; }
server { listen 443 ssl http2; listen [::]:443 ssl http2 ipv6only=off; }
server { listen *:80; listen 127.0.0.1:80; listen 127.0.0.1:443 backlog=10; listen localhost; }
server { listen 10.0.0.1; listen 127.0.0.1:8080 proxy_protocol; }
server { server_name quiet; }`),
    );
    assert.deepEqual(
      site.listeners.map((l) => [l.name, l.host, l.tls !== null, l.dualStack ?? false, l.place.line]),
      [
        ['http-80', '0.0.0.0', false, false, 3],
        ['http-80-2', '::', false, false, 3],
        ['https-443', '0.0.0.0', true, false, 4],
        ['https-443-2', '::', true, true, 4],
        ['http-443', '127.0.0.1', false, false, 5],
        ['http-8080', '127.0.0.1', false, false, 6],
      ],
    );
    assert.equal(site.own?.httpListener, 'http-80');
  });

  it('upstreams and addresses that a pass names are pools', () => {
    const { site, diagnostics } = adopt(
      http(`upstream app { least_conn; server 10.0.0.1 weight=3; server 10.0.0.2:81 down; server "unix:/a;b"; }
server { listen 80;
  location / { proxy_pass http://app/x; }
  location /b { proxy_pass https://b.example; }
  location ~ "^/c{1}" { fastcgi_pass 127.0.0.1:9000; }
  location /d { proxy_pass http://$name; }
  location /e { grpc_pass grpc://[::1]:50051; } # server { listen 81; }
}`),
    );
    assert.ok(site);
    assert.deepEqual(
      site.pools.map(
        (p) => `${p.name} ${p.algorithm} ${p.servers.map((s) => `${s.host}:${s.port} ${s.weight}`)}`,
      ),
      [
        'app leastconn 10.0.0.1:80 3',
        'b.example:443 roundrobin b.example:443 1',
        '127.0.0.1:9000 roundrobin 127.0.0.1:9000 1',
        '::1:50051 roundrobin ::1:50051 1',
      ],
    );
    assert.deepEqual(
      diagnostics.map((d) => `${d.severity} ${d.place?.line} ${d.message}`),
      [
        'warning 3 is not probed before a change: it is a Unix socket',
        'warning 8 is not probed before a change: http://$name is known only with a request',
      ],
    );
  });

  it('servers that only a variable names are asked as well: of maps, what they include, geo, split_clients, set', () => {
    const text = http(`upstream app { server 10.0.0.1:80; }
map $host $site {
  default app;
  include sites.map;
  ~^(.+)[.]old$ $1.internal;
}
split_clients $remote_addr $lucky { 1% 10.0.0.7:8080; * app; }
geo $near { default 10.0.0.8:80; 127.0.0.0/8 10.0.0.9:80; }
server {
  listen 80;
  set $named "10.0.0.5:81";
  location / { proxy_pass http://$site; }
  location /lucky { proxy_pass http://\${lucky}/in/$request_id; }
  location /near { proxy_pass http://$near$request_uri; }
  location /named { proxy_pass https://$named; }
  location /port { proxy_pass http://10.0.0.6:$http_port; }
}`);
    const map = '# ours\nshop.example 10.0.0.2:8080;\nblog.example blog.internal;\n';
    const { site, diagnostics } = adopt(text, [{ path: '/etc/nginx/sites.map', text: map }]);
    assert.ok(site, diagnostics.map(formatDiagnostic).join('\n'));
    const servers = site.pools.flatMap((pool) => pool.servers.map((s) => `${s.host}:${s.port}`));
    assert.deepEqual(servers, [
      '10.0.0.1:80',
      '10.0.0.2:8080',
      '10.0.0.7:8080',
      '10.0.0.8:80',
      '10.0.0.9:80',
      '10.0.0.5:81',
    ]);
    assert.deepEqual(
      diagnostics.map((d) => `${d.place?.line} ${d.message.replace('is not probed before a change: ', '')}`),
      [
        '14 all of what http://$site may be is known only with a request',
        '14 the engine asks its own name servers for blog.internal',
        '18 http://10.0.0.6:$http_port is known only with a request',
      ],
    );
  });

  it('what cannot be carried over is refused with its line, all at once', () => {
    assert.deepEqual(
      refusals(`master_process off;
${http(`server { listen 80; listen 443 quic; listen 8000-8010; }
server { listen unix:/run/outside.sock; listen www.example:80; include missing.conf; }`)}
stream { server { listen 25; } }`),
      [
        '1 master_process off: a generation has a master. Take the line out',
        '4 listen quic: QUIC cannot be lent to an engine. Take the option out',
        '4 listen: a range of ports (8000-8010) cannot be lent to an engine',
        '5 include: /etc/nginx/missing.conf is not there',
        '5 listen: /run/outside.sock is a Unix socket that nothing in this text connects to. Let it listen on an address of the machine',
        '5 listen: "www.example:80" is a name: write the address that it has',
        '8 stream: only its http part could be watched and taken back. Make it an NGINX of its own',
      ],
    );
    assert.deepEqual(refusals('http { server { listen 80 } }\n')[0], '1 "listen" ends without ";"');
    assert.deepEqual(refusals('http { server { listen 80; }\n')[0], '2 a "}" is missing');
    assert.match(refusals('server { listen 80; }\n')[0] ?? '', /no server listens/);
  });
});

describe("transplant of a team's own nginx.conf", () => {
  const text = `user www-data;
pid /run/nginx.pid;
include /etc/nginx/modules/*.conf;
error_log /var/log/nginx/error.log warn;
events {}
http {
  include mime.types;
  access_log /var/log/nginx/access.log main buffer=32k;
  include sites/*.conf;
}
`;
  const site = `server {
  listen 8080 default_server deferred;
  listen 127.0.0.1:8080;
  ssl_certificate certs/a.pem;
  ssl_certificate_key /etc/ssl/private/a.key;
  location / { proxy_pass http://unix:/run/in.sock:/; }
}
server { listen unix:/run/in.sock; access_log off; }
server { server_name quiet; }
`;
  const includes = [
    { path: '/etc/nginx/mime.types', text: 'types { text/plain txt; }\n' },
    { path: '/etc/nginx/sites/a.conf', text: site },
    { path: '/etc/nginx/sites/.hidden.conf', text: 'broken {' },
  ];

  it('listen stays as it is; what the next one must not share, and what has no right, is moved', () => {
    const files = {
      '/etc/ssl/private/a.key': '/g/files/0/a.key',
      '/var/log/nginx/access.log': '/g/written/1/access.log',
      '/var/lib/nginx/body': '/g/written/2/body',
    };
    const moved = transplant(siteOf(text, includes), { files });
    const logs =
      'access_log /g/good.log holdfast_good buffer=32k flush=100ms if=$holdfast_good; access_log /g/bad.log holdfast_bad if=$holdfast_bad;';
    const told = changed(moved).map((line) =>
      line.replace(/(http \{ client_body_temp_path \S+;).*$/, '$1 ...'),
    );
    assert.deepEqual(told, [
      'nginx.conf:2 pid /g/nginx.pid;',
      'nginx.conf:3 include /g/root/etc/nginx/modules/*.conf;',
      'nginx.conf:6 http { client_body_temp_path /g/written/2/body; ...',
      'nginx.conf:7 include /g/root/etc/nginx/mime.types;',
      'nginx.conf:8 access_log syslog:server=unix:/dev/log,nohostname,tag=nginx main ;',
      'nginx.conf:9 include /g/root/etc/nginx/sites/*.conf;',
      'nginx.conf:11 # holdfast {"sockets":{"first":900,"count":0},"workers":1,"neighbour":false,"net":false,"own":true}',
      'sites/a.conf:4 ssl_certificate /etc/nginx/certs/a.pem;',
      'sites/a.conf:5 ssl_certificate_key /g/files/0/a.key;',
      'sites/a.conf:6 location / { proxy_pass http://unix:/g/link0.sock:/; }',
      `sites/a.conf:8 server { listen unix:/g/link0.sock; access_log /dev/null; ${logs} }`,
      'sites/a.conf:9 server { listen 80; server_name quiet; }',
    ]);
    assert.deepEqual(
      moved.includes.map(({ path }) => path),
      ['root/etc/nginx/mime.types', 'root/etc/nginx/sites/a.conf', 'root/etc/nginx/sites/.hidden.conf'],
    );
    const numbers = text.split('\n').map((_, index) => index + 1);
    assert.deepEqual(moved.original.slice(0, numbers.length - 1), numbers.slice(0, -1));
  });

  it('one socket for each address is lent, where the team has one for each worker', () => {
    const text = 'events {}\nhttp { server { listen 80 reuseport deferred; } }\n';
    assert.ok(
      changed(transplant(siteOf(text))).some((line) => line.includes('server { listen 80  deferred; }')),
    );
    assert.deepEqual(changed(transplant(siteOf(text), { purpose: 'boot' })), []);
  });

  it('for a rehearsal every address is a private socket, without what such a socket cannot have', () => {
    const moved = changed(transplant(siteOf(text, includes), { purpose: 'rehearse' }));
    for (const line of [
      'nginx.conf:4 error_log stderr warn;',
      'nginx.conf:8 access_log /dev/null main ;',
      'sites/a.conf:2 listen unix:/g/l0.sock default_server ;',
      'sites/a.conf:3 listen unix:/g/implied1.sock;',
      'sites/a.conf:9 server { listen unix:/g/l1.sock; server_name quiet; }',
    ])
      assert.ok(moved.includes(line), moved.join('\n'));
  });

  it('the next boot has its includes as they were read, and everything else as it is', () => {
    assert.deepEqual(changed(transplant(siteOf(text, includes), { purpose: 'boot' })), [
      'nginx.conf:3 include /g/root/etc/nginx/modules/*.conf;',
      'nginx.conf:7 include /g/root/etc/nginx/mime.types;',
      'nginx.conf:9 include /g/root/etc/nginx/sites/*.conf;',
      'sites/a.conf:4 ssl_certificate /etc/nginx/certs/a.pem;',
    ]);
  });

  it('never throws, whatever the text', () => {
    const pieces = fc.constantFrom(
      ...[
        'http {',
        'server {',
        'listen 80;',
        'listen [::]:80 ssl',
        'upstream a {',
        'server 1.2.3.4 weight=2;',
        '}',
        ';',
      ],
      ...[
        'include x;',
        '"',
        "'",
        '\\',
        '${',
        '#',
        'proxy_pass http://a;',
        'listen unix:/x;',
        'x_by_lua_block {',
        '$a',
      ],
      ...['access_log', 'error_log /x;', 'ssl_certificate a;', 'daemon on;', 'pid', 'stream {'],
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 30 }), (parts) => {
        const source = parts.join(' ');
        const { site: found } = adopt(source, [{ path: '/etc/nginx/x', text: 'include x;\nlisten 1;' }]);
        if (found)
          for (const purpose of ['serve', 'rehearse', 'boot'] as const) transplant(found, { purpose });
      }),
      { numRuns: 500 },
    );
  });
});

describe('what a text is written in', () => {
  it('is said by what stands in it', () => {
    assert.equal(dialectOf('# mine\nhttp {\n'), 'nginx');
    assert.equal(dialectOf('user www-data;\ninclude a.conf;\n'), 'nginx');
    assert.equal(dialectOf('global\n  daemon\n'), 'haproxy');
    assert.equal(dialectOf('  frontend www from base # x\n'), 'haproxy');
    assert.equal(dialectOf("frontend 'www'\n  bind :80\n"), 'haproxy');
    assert.equal(dialectOf('listen web 0.0.0.0:80\n  server a 10.0.0.1:80\n'), 'haproxy');
    assert.equal(dialectOf('defaults web\n  mode http\n'), 'haproxy');
    assert.equal(dialectOf('location ~* \\.(?:css|js)$ {\n'), 'nginx');
    assert.equal(dialectOf('server\n{\n'), 'nginx');
    assert.equal(dialectOf('site: shop\nlisteners: []\n'), 'site');
    assert.equal(dialectOf(`listen ${':1'.repeat(1_000_000)} x y\n`), 'site');
    assert.equal(dialectOf(''), 'site');
  });
});
