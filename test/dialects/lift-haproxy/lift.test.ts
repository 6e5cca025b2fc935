import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { meaning } from '#routing';
import { lift } from '../../../src/dialects/haproxy/lift/index.ts';

const { fateOf, requestOf } = meaning;

/** A frontend on port 80 and one with TLS on 443; pools a to d have a server each. */
function textOf(rules: string): string {
  const pools = ['a', 'b', 'c', 'd'].map((name) => `backend ${name}\n  server s 10.0.0.1:80\n`).join('');
  return `defaults\n  mode http\nfrontend f\n  bind :80\n  bind :443 ssl crt x.pem\n${indented(rules)}\n  default_backend d\n${pools}`;
}
const indented = (rules: string) =>
  rules
    .trim()
    .split('\n')
    .map((line) => `  ${line.trim()}`)
    .join('\n');

const files: Readonly<Record<string, string>> = {
  '/maps/hosts.map': '# who is where\nshop.example a\nblog.example  b \nshop.example c\n',
  '/maps/paths.map': '/ c\n/api a\n/api/v2 b\n',
  '/lists/words': '/one\n\n# none\n  /two\n',
};

function lifted(text: string) {
  return lift({
    file: 'haproxy.cfg',
    text,
    read: (path) => files[path] ?? null,
    environment: (name) => (name === 'PREFIX' ? '/env' : null),
    engine: { version: '2.6.12', features: ['OPENSSL'] },
  });
}

/** `METHOD scheme://host/path?query`, and headers: the fate in a few words. */
function fate(text: string, line: string, headers: Record<string, string> = {}): string {
  const [, method = '', scheme, host, path, query] =
    /^(\w+) (https?):\/\/([^/]*)(\/[^?]*)(?:\?(.*))?$/.exec(line) ?? [];
  const request = requestOf({
    method,
    scheme: scheme === 'https' ? 'https' : 'http',
    host: host ?? null,
    path: path ?? '/',
    query: query ?? null,
    headers,
  });
  const { ways, exact } = fateOf(lifted(text), request);
  const told = ways.map(({ fate: one }) => {
    switch (one.kind) {
      case 'pool':
        return `pool ${one.pool}`;
      case 'redirect':
        return `${one.status} ${String(one.location)}`;
      case 'answer':
        return `answer ${one.status}`;
      case 'reject':
        return `reject ${one.how}`;
      default:
        return one.kind;
    }
  });
  return exact ? (told[0] ?? '') : `one of ${[...new Set(told)].join(', ')}`;
}

/** Each case: rules, and what becomes of requests. A header of the request is behind ` | `. */
const cases: Readonly<Record<string, readonly [string, Readonly<Record<string, string>>]>> = {
  'acl lines of one name are alternatives, terms are all meant, or separates': [
    `acl api path_beg /api
     acl api hdr(host) -i api.example
     acl post method POST
     use_backend a if api post or { path /x }
     use_backend b unless api || post`,
    {
      'POST http://www.example/api/1': 'pool a',
      'POST http://API.example/': 'pool a',
      'GET http://www.example/x': 'pool a',
      'GET http://www.example/': 'pool b',
      'GET http://www.example/api': 'pool d',
    },
  ],
  'methods of matching': [
    `use_backend a if { path_dir static }
     use_backend b if { hdr_dom(host) -i shop.example }
     use_backend c if { path_end .jpg .PNG } || { path -m len 20 }
     use_backend a if { path_reg -i ^/R[0-9]+$ }
     use_backend b if { url_sub x=1 }`,
    {
      'GET http://w/a/static/b': 'pool a',
      'GET http://w/a/statics/b': 'pool d',
      'GET http://www.SHOP.example:80/': 'pool b',
      'GET http://www.myshop.example/': 'pool d',
      'GET http://w/i.png': 'pool d',
      'GET http://w/i.PNG': 'pool c',
      'GET http://w/1234567890123456789': 'pool c',
      'GET http://w/r12': 'pool a',
      'GET http://w/?x=1': 'pool b',
    },
  ],
  'numbers, lists, counts, what is built in': [
    `http-request deny if { req.hdr_cnt(x-many) gt 1 }
     http-request deny deny_status 429 if { hdr_val(x-n) ge 10 }
     use_backend a if { hdr(x-list) b } METH_GET
     use_backend b if { path -f /lists/words }
     use_backend c if { dst_port 443 } HTTP_1.1`,
    {
      'GET http://w/ | x-many: a,b': 'answer 403',
      'GET http://w/ | x-many: a': 'pool d',
      'GET http://w/ | x-n: 12abc': 'answer 429',
      'GET http://w/ | x-n: abc': 'pool d',
      'HEAD http://w/ | x-list: a, b': 'pool a',
      'POST http://w/ | x-list: a, b': 'pool d',
      'GET http://w/two': 'pool b',
      'GET https://w/': 'pool c',
    },
  ],
  'rules come in order, redirect lines behind them, then backends': [
    `redirect prefix https://new.example if { path_beg /old }
     http-request set-path /old%[path] if { path_beg /x }
     http-request redirect scheme https code 301 if !{ ssl_fc } { path /s }
     http-request return status 204 if { path /old/xy }
     use_backend a if { path_beg /old }`,
    {
      'GET http://w/old/1?q': '302 https://new.example/old/1?q',
      'GET http://w/x1': '302 https://new.example/old/x1',
      'GET http://w/xy': 'answer 204',
      'GET http://w/s': '301 https://w/s',
      'GET https://w/s': 'pool d',
    },
  ],
  'allow ends the list of http-request and nothing else': [
    `http-request allow if { path /free }
     http-request deny if { path_beg /f }
     redirect location /other code 303 if { path /free } { hdr(x) 1 }
     use_backend a if { path /free }`,
    {
      'GET http://w/free': 'pool a',
      'GET http://w/free | x: 1': '303 /other',
      'GET http://w/fr': 'answer 403',
    },
  ],
  'names from tables': [
    `use_backend %[req.hdr(host),lower,map(/maps/hosts.map)] if { path / }
     use_backend %[path,map_beg(/maps/paths.map,nobody)]`,
    {
      'GET http://SHOP.example/': 'pool a',
      'GET http://blog.example/': 'pool b',
      'GET http://none.example/': 'pool d',
      'GET http://none.example/api/v2/x': 'pool b',
      'GET http://none.example/apix': 'pool a',
      'GET http://none.example/q': 'pool c',
    },
  ],
  'variables keep what they were given': [
    `http-request set-var(txn.host) hdr(host),lower
     http-request set-var(txn.api) bool(true) if { path_beg /api }
     http-request set-header Host other.example
     use_backend a if { var(txn.host) -m beg shop. }
     use_backend b if { var(txn.api) -m bool }
     use_backend c if { hdr(host) other.example } { path /c }`,
    {
      'GET http://Shop.example/': 'pool a',
      'GET http://w/api': 'pool b',
      'GET http://w/c': 'pool c',
      'GET http://w/': 'pool d',
    },
  ],
  'statistics and whoever watches': [
    `monitor-uri /up
     monitor fail if { hdr(x) bad }
     stats uri /admin
     http-request deny if { path_beg /up /deny }`,
    {
      'GET http://w/up': 'answer 200',
      'GET http://w/up?x': 'answer 403',
      'GET http://w/up | x: bad': 'answer 503',
      'GET http://w/admin;csv': 'answer 200',
      'PUT http://w/admin': 'pool d',
    },
  ],
  'removed words: block, reqrep': [
    `block if { path /blocked }
     reqrep ^([^\\ :]*)\\ /in/(.*) \\1\\ /out/\\2
     reqideny ^Host:\\ bad
     use_backend a if { path_beg /out }`,
    {
      'GET http://w/blocked': 'answer 403',
      'GET http://w/in/1': 'pool a',
      'GET http://BADLY.example/': 'answer 403',
      'GET http://w/in': 'pool d',
    },
  ],
  'what was found by random requests': [
    `http-request set-method PUT if { path /m }
     http-request add-header x-two last if { path /two }
     http-request set-header x-three %[hdr(x-two)]
     use_backend a if METH_GET { path /m }
     use_backend b if { hdr(x-three) last }
     use_backend c if { hdr(x-list),length gt 3 } || { urlp(q) 1 }`,
    {
      'GET http://w/m': 'pool a',
      'GET http://w/two | x-two: first': 'pool b',
      'GET http://w/ | x-list: long one,x': 'pool c',
      'GET http://w/?a=0;q=1': 'pool c',
    },
  ],
  'a method that was set: conditions go on seeing what came, or that it was none they know': [
    `http-request set-method POST
     use_backend a if METH_POST
     use_backend b if { method -m str POST }
     use_backend c if { method PURGE }`,
    {
      'POST http://w/': 'pool a',
      'PATCH http://w/': 'pool b',
      'GET http://w/': 'pool d',
    },
  ],
  'methods that are not well-known are compared by their letters': [
    'use_backend a if { method -i purge }\nuse_backend b if { method -i get }',
    { 'PURGE http://w/': 'pool a', 'GET http://w/': 'pool d', 'Get http://w/': 'pool b' },
  ],
  'each line of a header is replaced by itself': [
    `http-request add-header x-two 10
     http-request replace-header x-two ^(.)(.*)$ \\2-\\1
     use_backend a if { hdr(x-two) ne-o } { hdr(x-two) 0-1 }
     use_backend b if { req.fhdr(x-two) -m str 0-1 }`,
    { 'GET http://w/ | x-two: one': 'pool a', 'GET http://w/': 'pool b' },
  ],
  'of nothing no map makes anything': [
    'use_backend a if { req.hdr(x),map_str(/maps/hosts.map,none) -m found }\nuse_backend b if { path,url_dec -m beg /x }',
    {
      'GET http://w/ | x: shop.example': 'pool a',
      'GET http://w/ | x: y': 'pool a',
      'GET http://w/': 'pool d',
      'GET http://w/%78': 'pool b',
      'GET http://w/x%': 'pool d',
    },
  ],
  'an empty header is matched by what matches nothing; numbers alone are addresses': [
    `http-request replace-header x ^(.*)$ set
     use_backend a if { hdr(x) set }
     use_backend b if { src 127.1 } { path /short }
     use_backend c if { src 127/8 } { path /net }`,
    {
      'GET http://w/ | x: ': 'pool a',
      'GET http://w/': 'pool d',
      'GET http://w/short': 'pool b',
      'GET http://w/net': 'pool d',
    },
  ],
  'what nobody can say is said to be unknown': [
    `http-request deny if { sc_http_req_rate(0) gt 10 }
     http-request lua.asked if { path /lua }
     use_backend a if { nosuchfetch 1 } { path /n }`,
    {
      'GET http://w/n': 'one of answer 403, pool a, pool d',
      'GET http://w/': 'one of answer 403, pool d',
      'GET http://w/lua': 'one of answer 403, unknown, pool d',
    },
  ],
  'the environment, quotes, .if': [
    `use_backend a if { path_beg "$PREFIX" }
     .if defined(PREFIX) && version_atleast(2.4)
     use_backend b if { path '/a b' }
     .else
     use_backend c
     .endif
     .if feature(QUIC) || !defined(PREFIX)
     use_backend c
     .endif`,
    { 'GET http://w/env/1': 'pool a', 'GET http://w/a b': 'pool b', 'GET http://w/': 'pool d' },
  ],
};

describe('a haproxy.cfg as its meaning', () => {
  for (const [name, [rules, requests]] of Object.entries(cases))
    test(name, () => {
      for (const [asked, expected] of Object.entries(requests)) {
        const [line = '', ...given] = asked.split(' | ');
        const headers = Object.fromEntries(given.map((header) => header.split(': ')));
        assert.equal(fate(textOf(rules), line, headers), expected, asked);
      }
    });
});

describe('found by the plan proof', () => {
  test('the old filters see the request line as rules have left it', () => {
    const text = textOf('http-request set-method POST if { path_beg /api }\nreqdeny ^POST\\ /api');
    assert.equal(fate(text, 'GET http://a/api'), 'answer 403');
    assert.equal(fate(text, 'POST http://a/app'), 'pool d');
  });

  test('a method that a request makes up is followed where it is one', () => {
    const text = textOf('http-request set-method %[hdr(x-one)]\nuse_backend a if { method PURGE }');
    assert.equal(fate(text, 'BREW http://a/', { 'x-one': 'PURGE' }), 'pool a');
    assert.match(fate(text, 'BREW http://a/', { 'x-one': '' }), /^one of/);
  });

  test('a variable of the session may have been set by a request before', () => {
    const rules = 'http-request set-var(VAR) path if { path /set }\nuse_backend a if { var(VAR) -m found }';
    assert.match(fate(textOf(rules.replaceAll('VAR', 'sess.a')), 'GET http://a/'), /^one of/);
    assert.equal(fate(textOf(rules.replaceAll('VAR', 'txn.a')), 'GET http://a/'), 'pool d');
  });

  test('a variable keeps the methods that have a number', () => {
    const text = textOf(
      'http-request set-var(txn.a) method\nuse_backend a if { var(txn.a) -m str POST PURGE }',
    );
    assert.equal(fate(text, 'POST http://a/'), 'pool a');
    assert.equal(fate(text, 'GET http://a/'), 'pool d');
    assert.match(fate(text, 'PURGE http://a/'), /^one of/);
  });

  test('a ClientHello has no method', () => {
    const text = `frontend f
      mode tcp
      bind :443
      tcp-request inspect-delay 5s
      tcp-request content accept if { req.ssl_hello_type 1 }
      use_backend a if { method GET }
      default_backend d
      backend a
      mode tcp
      backend d
      mode tcp`;
    assert.equal(fate(text, 'GET https://a/'), 'pool d');
    assert.equal(fate(text.replace(':443', ':80'), 'GET http://a/'), 'pool a');
  });

  test('a backend that is disabled asks no rules; what is divided by nothing is very much', () => {
    const off = 'backend e\n  http-request deny\n  disabled\n';
    assert.equal(fate(textOf('use_backend e if { path /e }') + off, 'GET http://a/e'), 'pool e');
    const text = textOf('use_backend a if { int(7),div(0) gt 100 }\nuse_backend b if { int(7),mod(0) 0 }');
    assert.equal(fate(text, 'GET http://a/'), 'pool a');
  });

  test('a path that a rule has made empty is none', () => {
    const cut = 'http-request replace-path /api(.*) \\1\n';
    const prefix = textOf(
      `${cut}http-request redirect prefix https://b if { path_beg -i /x } || !{ path -m found }`,
    );
    assert.equal(fate(prefix, 'GET http://a/api'), '302 https://b/');
    assert.equal(fate(prefix, 'GET http://a/api/x'), '302 https://b/x');
    assert.equal(fate(prefix, 'GET http://a/api/y'), 'pool d');
    assert.equal(fate(textOf(`${cut}use_backend a if { base a }`), 'GET http://a/api'), 'pool a');
  });

  test('a whole address makes no Host header where none is', () => {
    const text = textOf('http-request set-uri https://b/c\nuse_backend a if { hdr(host) b }');
    assert.equal(fate(text, 'GET http://a/'), 'pool a');
    const [way] = fateOf(lifted(text), requestOf({ host: null, version: '1.0' })).ways;
    assert.ok(way?.fate.kind === 'pool' && way.fate.pool === 'd');
  });

  test('a variable of an address is told where it is a plain one', () => {
    const set = 'http-request set-var(txn.a) hdr_ip(x-one)\nuse_backend a if { var(txn.a) -m found }';
    assert.equal(fate(textOf(set), 'GET http://a/', { 'x-one': '10.1.2.3' }), 'pool a');
    assert.match(fate(textOf(set), 'GET http://a/', { 'x-one': '10.9.99' }), /^one of/);
  });

  test('replace-value: of several parts nothing is said', () => {
    const text = textOf('http-request replace-value x-one a b\nuse_backend a if { hdr(x-one) b }');
    assert.equal(fate(text, 'GET http://a/', { 'x-one': 'a' }), 'pool a');
    assert.match(fate(text, 'GET http://a/', { 'x-one': 'a, c' }), /^one of/);
  });

  test('before a PROXY header is read, the address is that of the proxy', () => {
    const text = textOf('tcp-request connection reject if { src 127.0.0.1 }');
    assert.equal(fate(text, 'GET http://a/'), 'reject close');
    assert.match(fate(text.replaceAll('bind :80', 'bind :80 accept-proxy'), 'GET http://a/'), /^one of/);
  });

  test('the number of a request is put into a header that a rule has set', () => {
    const text = textOf(`unique-id-format %ci:%rt
      unique-id-header x-id
      http-request set-header x-id one if { path /set }`);
    const [way] = fateOf(lifted(text), requestOf({})).ways;
    assert.ok(way?.fate.kind === 'pool' && typeof way.fate.sent.headers['x-id'] === 'object');
  });
});

describe('what a text says beside its rules', () => {
  const text = `defaults fast
  timeout server 500
defaults
  timeout server 30s
  mode http
frontend f
  bind :80
  capture request header Host len 20
  http-response set-header X-Seen yes if slow
  acl slow path /slow
  default_backend b
listen l from fast
  bind 127.0.0.1:81-82
  server-template w 2 web.example:8080 weight 5 check inter 2s
backend b
  default-server check inter 3s
  server one 10.0.0.1:80 backup
  server two unix@/run/two.sock disabled no-check
  frobnicate 5
`;
  const told = lifted(text);

  test('inherited values are written out, in one form, where they are in force', () => {
    const settings = [...told.settings, ...told.pools.flatMap((pool) => pool.settings ?? [])];
    const all = settings.map(({ scope, name, value }) => `${scopeText(scope)}: ${name} = ${value}`);
    for (const expected of [
      'pool b: timeout server = 30000 ms',
      'pool l: timeout server = 500 ms',
      'server 10.0.0.1:80: inter = 3000 ms',
      'server web.example:8080: inter = 2000 ms',
      'listener f *:80: http-response = set-header X-Seen yes if { path /slow }',
    ])
      assert.ok(all.includes(expected), `${expected} is not among\n${all.join('\n')}`);
    assert.ok(!all.some((one) => one.startsWith('listener f') && one.includes('timeout server')));
  });

  test('listeners and servers', () => {
    assert.deepEqual(
      told.listeners.map(({ name, port }) => `${name} ${port}`),
      ['f *:80 80', 'l 127.0.0.1:81 81', 'l 127.0.0.1:82 82'],
    );
    const servers = told.pools.flatMap(({ servers: of }) =>
      of.map(({ name, address, weight, spare, disabled }) => ({ name, address, weight, spare, disabled })),
    );
    assert.deepEqual(servers[0], {
      name: 'w1',
      address: 'web.example:8080',
      weight: 5,
      spare: false,
      disabled: false,
    });
    assert.deepEqual(
      servers.slice(2).map(({ address, spare, disabled }) => [address, spare, disabled]),
      [
        ['10.0.0.1:80', true, false],
        ['unix:/run/two.sock', false, true],
      ],
    );
  });

  test('of a pattern of delimiters alone nothing is said', () => {
    const text = textOf('use_backend a if { path_dir / }\nuse_backend b if { path_dom . }');
    assert.match(fate(text, 'GET http://a/'), /^one of/);
    assert.equal(lifted(text).notUnderstood.length, 2);
  });

  test('a backend that is disabled asks none of its rules', () => {
    const text = `${textOf('default_backend z')}backend z\n  disabled\n  http-request deny\n  server s 10.0.0.9:80\n`;
    assert.equal(fate(text.replace('  default_backend d\n', ''), 'GET http://h/'), 'pool z');
  });

  test('what is passed on unread has no method', () => {
    const text = textOf(`mode tcp
      tcp-request inspect-delay 5s
      tcp-request content accept if { req.ssl_hello_type 1 }
      use_backend a if { method GET }`);
    assert.equal(fate(text.replace('bind :443 ssl crt x.pem', 'bind :443'), 'GET https://h/'), 'pool d');
    assert.equal(fate(text, 'GET http://h/'), 'pool a');
  });

  test('bad texts have an answer with a line', () => {
    const bad: Readonly<Record<string, readonly [string, number]>> = {
      'open quotes': ['frontend f\n bind :80\n acl a path "/x\n', 3],
      'no section': ['bind :80\n', 1],
      'no such pool': ['frontend f\n mode http\n bind :80\n use_backend x if { path / }\n', 4],
      'no such rule': ['frontend f\n mode http\n bind :80\n http-request fly away\n', 4],
      'no such keyword': ['defaults\n timeout frob 5s\nfrontend f\n mode http\n bind :80\n', 2],
      'no such option': ['frontend f\n mode http\n bind :80\n no option frob\n', 4],
      'no such global keyword': ['global\n tune.anything 1\n frobnicate\n', 3],
      'no such list': ['frontend f\n mode http\n bind :80\n http-request deny if { path -f /none }\n', 4],
      bytes: ['frontend f\n mode http\n bind :80\n log-tag \ufffd\n', 4],
      'an .if of a feature nobody knows': [
        'frontend f\n mode http\n bind :80\n.if openssl_version_atleast(3)\n http-request deny\n.endif\n',
        5,
      ],
      'too large': ['# a comment\n'.repeat(1_400_000), 1],
      'a circle of conditions': [
        'frontend f\n mode http\n bind :80\n acl a acl(b)\n http-request deny if a\n',
        4,
      ],
    };
    for (const [name, [source, line]] of Object.entries(bad))
      assert.equal(lifted(source).notUnderstood[0]?.place.line, line, name);
  });
});

function scopeText(scope: meaning.Setting['scope']): string {
  if (scope.kind === 'global') return 'global';
  return scope.kind === 'server' ? `server ${scope.address}` : `${scope.kind} ${scope.name}`;
}
