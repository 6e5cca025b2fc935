import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDiagnostic } from '#base';
import { type OwnPlaces, ownDialects, type Transplanted } from '#dialects';
import type { Site } from '#model';

const own = ownDialects.haproxy;
const start = 'defaults\n  mode http\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\n';

function adopt(text: string) {
  return own.adopt({ file: 'haproxy.cfg', folder: '/etc/haproxy', text, dialect: 'haproxy' });
}

function siteOf(text: string): Site {
  const { site, diagnostics } = adopt(text);
  assert.ok(site, diagnostics.map(formatDiagnostic).join('\n'));
  return site;
}

function refusals(text: string): string[] {
  const { site, diagnostics } = adopt(text);
  assert.equal(site, null);
  return diagnostics.filter(({ severity }) => severity === 'error').map(formatDiagnostic);
}

function transplant(text: string, over: Partial<OwnPlaces> = {}): Transplanted {
  const site = siteOf(text);
  assert.ok(site.own);
  const lent = site.listeners.map(({ name }, index) => [name, { kind: 'fd', fd: index + 3 }] as const);
  const placement = { listeners: Object.fromEntries(lent), control: '/g/control.sock', threads: 2 };
  return own.transplant(site.own, { purpose: 'serve', placement, folder: '/g', files: {}, ...over });
}

/** The lines that changed, as `LINE: AFTER`. */
function changed({ rewritten }: Transplanted): string[] {
  return rewritten.map(({ line, before, after }) => `${line}${before === '' ? '+' : ':'} ${after}`);
}

describe("survey of a team's own haproxy.cfg", () => {
  it('every address of every bind line is a listener, with its place', () => {
    const site = siteOf(`${start}frontend www
  bind *:80
  bind 127.0.0.1:81,[::1]:82 name x
  bind :443 ssl crt /etc/ssl/x.pem alpn h2,http/1.1
listen "stats page"
  bind ipv4@127.0.0.1:8404
`);
    assert.deepEqual(
      site.listeners.map((l) => [l.name, l.host, l.port, l.tls !== null, l.place.line, l.place.column]),
      [
        ['www-80', '0.0.0.0', 80, false, 7, 8],
        ['www-81', '127.0.0.1', 81, false, 8, 8],
        ['www-82', '::1', 82, false, 8, 8],
        ['www-443', '0.0.0.0', 443, true, 9, 8],
        ['stats page-8404', '127.0.0.1', 8404, false, 11, 8],
      ],
    );
    assert.equal(site.own?.httpListener, 'www-80');
  });

  it('a socket of :: takes IPv4 too, unless it says no or another one does', () => {
    const stacks = (binds: string) =>
      siteOf(`${start}frontend www\n${binds}`).listeners.map((l) => `${l.host} ${l.dualStack ?? false}`);
    assert.deepEqual(stacks('  bind :::80 v4v6\n'), [':: true']);
    assert.deepEqual(stacks('  bind :::80\n'), [':: true']);
    assert.deepEqual(stacks('  bind :::80 v6only\n'), [':: false']);
    assert.deepEqual(stacks('  bind :80\n  bind :::80\n'), ['0.0.0.0 false', ':: false']);
  });

  it('pools have the servers that a probe can ask, the check when it is a plain one, and a note for the others', () => {
    const { site, diagnostics } = adopt(`${start}frontend www
  bind :80
backend web
  balance leastconn
  default-server check inter 1s
  option httpchk GET /health
  http-check expect status 200
  server w1 10.0.0.1:8080 weight 10
  server w2 10.0.0.2:8080 disabled
  server-template t 2 web.example:8081
backend secure
  option httpchk GET /health
  http-check expect status 200
  server s1 10.0.0.3:8443 ssl verify none check
backend odd
  server o1 10.0.0.4
  server o2 10.0.0.5:80 resolvers dns
  server o3 unix@/run/app.sock
`);
    assert.ok(site);
    assert.deepEqual(
      site.pools.map((p) => [
        p.name,
        p.algorithm,
        p.healthCheck.http?.path ?? null,
        p.servers.map((s) => s.name),
      ]),
      [
        ['web', 'leastconn', '/health', ['w1', 't1', 't2']],
        ['secure', 'roundrobin', null, ['s1']],
      ],
    );
    assert.equal(site.pools[0]?.servers[0]?.weight, 10);
    assert.deepEqual(site.pools[0]?.servers[0]?.place, { file: 'haproxy.cfg', line: 13, column: 13 });
    assert.deepEqual(
      diagnostics.map((d) => `${d.severity} ${d.place?.line} ${d.message}`),
      [
        "warning 21 is not probed before a change: its port is the client's",
        'warning 22 is not probed before a change: the engine asks its own name servers for it',
        'warning 23 is not probed before a change: it is a Unix socket',
      ],
    );
  });

  it('backends and servers that only a map or a made-up name leads to are asked as well', () => {
    const { site, diagnostics } = adopt(`${start}frontend www
  bind :80
  use_backend %[req.hdr(host),lower,map(/etc/haproxy/hosts.map)]
  use_backend be-%[path,field(2,/)] if { path_beg /api }
backend from-map
  server m1 10.0.0.1:80
backend be-cart
  use-server %[req.hdr(x-server)] if { req.hdr(x-server) -m found }
  server c1 10.0.0.2:80
  server c2 10.0.0.3:80 weight 1
backend by-rule
  http-request set-dst req.hdr(x-to)
  server any *:0
  server all 0.0.0.0:8080
`);
    assert.ok(site, diagnostics.map(formatDiagnostic).join('\n'));
    const servers = site.pools.map((pool) => [pool.name, ...pool.servers.map(({ host }) => host)].join(' '));
    assert.deepEqual(servers, ['from-map 10.0.0.1', 'be-cart 10.0.0.2 10.0.0.3']);
    assert.deepEqual(
      diagnostics.map(({ message }) => message),
      Array(2).fill("is not probed before a change: its address is the client's, or a rule's"),
    );
  });

  it('what the text sets itself is known; of `defaults`, the one that is named or stands before', () => {
    const site = siteOf(`global
  presetenv PORT 8080
  setenv HOST "127.0.0.1"
defaults web
  mode http
defaults tcp
  mode tcp
frontend a from web
  bind "\${HOST}:\${PORT}"
frontend b
  bind $HOST:\${OTHER-81}
frontend c
  disabled
  bind :82
`);
    assert.deepEqual(
      site.listeners.map((l) => `${l.name} ${l.host}`),
      ['a-8080 127.0.0.1', 'b-81 127.0.0.1'],
    );
    assert.equal(site.own?.httpListener, 'a-8080');
  });

  it('one comment says how carefully changes go live; a mistake in it has its line', () => {
    const text = (comment: string) => `${start}# holdfast: guard: ${comment}\nfrontend www\n  bind :80\n`;
    assert.equal(siteOf(text('{ bake: 5s, canary: { steps: [1] } }')).guard.bakeMs, 5_000);
    assert.equal(siteOf(`${start}frontend www\n  bind :80\n`).guard.bakeMs, 120_000);
    assert.match(refusals(text('{ bake: soon }'))[0] ?? '', /^HF011 haproxy.cfg:6:1 guard: bake /);
    assert.match(refusals(text('{ bake: 5s'))[0] ?? '', /^HF011 haproxy.cfg:6:1 guard: /);
  });

  it('what cannot be carried over is refused with its line, all at once', () => {
    const found = refusals(`global
  nbproc 4
${start}frontend a
  bind :8000-8010
  bind quic4@:443 ssl crt x.pem
  bind fd@\${FD}
  bind fd@7
  bind :80 interface eth0
  bind :81 transparent
  bind :82 shards 2
  bind www.example:83
  bind abns@alone
  bind :84
  bind *:84
  .if defined(X)
  bind :85
  .endif
  http-request set-mark 1
backend b
  source 0.0.0.0 usesrc clientip
  server s "\${WHO}:80"
program p
  command x
peers all
  peer a 10.0.0.1:1024
  peer b 10.0.0.2:1024
log-forward l
  bind :514
`);
    assert.deepEqual(
      found.map((line) => line.replace(/^HF030 haproxy.cfg:(\d+):\d+ (.*)$/, '$1 $2')),
      [
        '2 nbproc: several processes cannot share one control socket. Use nbthread',
        '9 frontend "a" bind: a range of ports (8000-8010) cannot be lent to an engine',
        '10 frontend "a" bind: QUIC cannot be lent to an engine',
        '10 x.pem: is a file name that starts from wherever HAProxy is started. Name the file in full',
        '11 frontend "a" bind: only the environment knows FD. Write the value, or set it in the text: presetenv FD VALUE',
        '12 frontend "a" bind: a socket that another program hands over (`fd@`) cannot be lent to an engine',
        '13 frontend "a" bind interface: a socket of one network interface needs rights that the engine does not have. Take the option out',
        '14 frontend "a" bind transparent: binding foreign addresses needs rights that the engine does not have. Take the option out',
        '15 frontend "a" bind shards: several sockets for one address cannot be lent. Take the option out',
        '16 frontend "a" bind: "www.example" is a name. Write the address that it has',
        '17 frontend "a" bind: abns@alone is a Unix socket that no server line of this text connects to. Let it listen on an address of the machine',
        '19 frontend "a" bind: 0.0.0.0:84 is bound on line 18 already: one socket cannot serve two',
        '21 frontend "a" bind: stands inside .if, so whether it listens is not known. Take it out of .if',
        '23 set-mark: marking packets needs rights that the engine does not have',
        '25 usesrc: foreign source addresses need rights that the engine does not have',
        '26 server: only the environment knows WHO. Write the value, or set it in the text: presetenv WHO VALUE',
        '27 program p: only a master process starts programs. Make it a service of its own',
        '31 peers all: two generations would both speak to the other machines as this one. Leave the other machines out; tables of this one are kept',
        '32 log-forward l: its sockets cannot be lent. Make it an HAProxy of its own',
      ],
    );
    assert.deepEqual(refusals('global\n  daemon\n'), [
      'HF030 haproxy.cfg:1:1 no frontend listens on an address. Name the whole haproxy.cfg, not a part of it; or add a bind line',
    ]);
  });
});

describe("transplant of a team's own haproxy.cfg", () => {
  const text = `global
  log /dev/log local0
  log stdout format raw daemon
  chroot /var/lib/haproxy
  pidfile /run/haproxy.pid
  stats socket /run/haproxy/admin.sock mode 660 level admin # ours
  stats socket ipv4@127.0.0.1:9999 level admin
  user haproxy
  group haproxy
  daemon
  master-worker

${start}
frontend www   # the site
  bind *:80
  bind 127.0.0.1:81,:82 accept-proxy  name "x y"   # two
  bind :443 ssl crt "/etc/ssl/own site.pem" alpn h2
  use_backend inner

listen inside
  bind unix@/var/lib/haproxy/in.sock accept-proxy user haproxy mode 600
  server in 127.0.0.1:1

backend inner
  server in unix@/in.sock send-proxy
  server app /app.sock
`;

  it('for serving: sockets are lent, rights and control are moved; everything else stays as it is', () => {
    const moved = transplant(text, { files: { '/etc/ssl/own site.pem': '/g/files/0/own site.pem' } });
    assert.deepEqual(changed(moved), [
      '3: log /dev/log format local daemon',
      '4: # chroot /var/lib/haproxy',
      '5: # pidfile /run/haproxy.pid',
      '6: stats socket unix@/g/control.sock mode 600 level admin # ours',
      '7: # stats socket ipv4@127.0.0.1:9999 level admin',
      '8: # user haproxy',
      '9: # group haproxy',
      '10: # daemon',
      '11: # master-worker',
      '19+ option idle-close-on-response',
      '20: bind fd@3',
      '21: bind fd@4,fd@5 accept-proxy  name "x y"   # two',
      "22: bind fd@6 ssl crt '/g/files/0/own site.pem' alpn h2",
      '25+ option idle-close-on-response',
      '26: bind unix@/g/link0.sock accept-proxy  mode 600',
      '30: server in unix@/g/link0.sock send-proxy',
      '31: server app unix@/var/lib/haproxy/app.sock',
    ]);
    const lines = moved.text.split('\n');
    const theirs = text.split('\n');
    const same = lines.filter((line, index) => theirs[(moved.original[index] ?? 0) - 1] === line);
    assert.equal(same.length, theirs.length - 15);
    assert.ok(moved.rewritten.every(({ why }) => why !== ''));
  });

  it('for a rehearsal: private sockets, and nothing reaches outside', () => {
    const site = siteOf(text);
    const listeners = Object.fromEntries(
      site.listeners.map(({ name }, index) => [name, { kind: 'unix', path: `/g/l${index}.sock` } as const]),
    );
    const placement = { listeners, control: '/g/control.sock', threads: 2 };
    const moved = changed(transplant(text, { purpose: 'rehearse', placement }));
    for (const line of ['2: # log /dev/log local0', '20: bind unix@/g/l0.sock'])
      assert.ok(moved.includes(line), moved.join('\n'));
    assert.ok(moved.includes('21: bind unix@/g/l1.sock,unix@/g/l2.sock accept-proxy  name "x y"   # two'));
  });

  it('the next boot starts the text as it is', () => {
    const { text: boot, rewritten } = transplant(text, { purpose: 'boot' });
    assert.equal(boot, text);
    assert.deepEqual(rewritten, []);
  });

  it('a text without a control socket gets one behind its last line, so that numbers stay', () => {
    const plain = `${start}frontend www\n  bind :80\n  option idle-close-on-response\n`;
    const moved = transplant(plain);
    assert.deepEqual(changed(moved), [
      '7: bind fd@3',
      '9+ global',
      '9+ stats socket unix@/g/control.sock mode 600 level admin',
    ]);
    assert.ok(moved.text.startsWith(plain.replace(':80', 'fd@3')));
  });

  it('certificates of a crt-list are moved in a copy of the list', () => {
    const list = '# names\n/etc/ssl/a.pem a.example\nb.pem [alpn h2] b.example\n';
    const cfg = `global\n  crt-base /etc/ssl\n${start}frontend www\n  bind :443 ssl crt-list /etc/haproxy/list\n`;
    assert.deepEqual(own.includes('haproxy.cfg', cfg), [
      { pattern: '/etc/haproxy/list', place: { file: 'haproxy.cfg', line: 9, column: 26 } },
    ]);
    const includes = [{ path: '/etc/haproxy/list', text: list }];
    const { site } = own.adopt({ file: 'haproxy.cfg', folder: '/', text: cfg, includes });
    assert.ok(site?.own);
    assert.deepEqual(
      own.files(site.own).map(({ path, file, line }) => `${path} ${file}:${line}`),
      [
        '/etc/haproxy/list haproxy.cfg:9',
        '/etc/ssl/a.pem /etc/haproxy/list:2',
        '/etc/ssl/b.pem /etc/haproxy/list:3',
      ],
    );
    const listeners = { 'www-443': { kind: 'fd', fd: 3 } } as const;
    const places = {
      purpose: 'serve',
      folder: '/g',
      placement: { listeners, control: '/g/c', threads: 2 },
    } as const;
    const moved = own.transplant(site.own, { ...places, files: { '/etc/ssl/b.pem': '/g/files/0/b.pem' } });
    assert.deepEqual(moved.includes, [
      { path: 'list-0', text: '# names\n/etc/ssl/a.pem a.example\n/g/files/0/b.pem [alpn h2] b.example\n' },
    ]);
    assert.ok(moved.text.includes('bind fd@3 ssl crt-list /g/list-0\n'));
  });

  it('never throws, and a place for every line, whatever the text', () => {
    const pieces = fc.constantFrom(
      ...[
        'global',
        'defaults',
        'frontend f',
        'listen l',
        'backend b',
        'peers p',
        '  bind',
        '  bind :80',
        '  bind "',
        "  bind '",
      ],
      ...[
        '  server s',
        '  server s 1.2.3.4:5 check',
        '  stats socket',
        '  stats socket /x',
        '  log',
        '  chroot',
      ],
      ...[
        '.if x',
        '.endif',
        '  mode http',
        '  default-server',
        '  peer',
        '#',
        '',
        '  bind :80,:81,',
        '  bind "$A"',
      ],
      ...[
        '  server-template t 1-9 h:1',
        '  server s \\',
        '  bind \\x41:8',
        '  setenv A',
        '\t\r',
        '  unix-bind prefix',
      ],
    );
    const line = fc.oneof(pieces, fc.string());
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const written = { file: 'haproxy.cfg', folder: '/', text: lines.join('\n') };
        const { site, diagnostics } = own.adopt(written);
        for (const { place } of diagnostics) assert.ok(place && place.line <= lines.length + 1);
        if (!site?.own) return;
        const places = {
          purpose: 'serve',
          folder: '/g',
          placement: { listeners: {}, control: '/g/c', threads: 2 },
        } as const;
        const moved = own.transplant(site.own, { ...places, files: {} });
        assert.equal(moved.original.length, moved.text.split('\n').length);
        assert.deepEqual(
          moved.original,
          moved.original.toSorted((a, b) => a - b),
        );
      }),
      { numRuns: 500 },
    );
  });
});
