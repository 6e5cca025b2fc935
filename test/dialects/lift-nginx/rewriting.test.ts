import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asked, lifted } from './asked.ts';

const cases = (text: string, expected: Readonly<Record<string, string>>) => {
  for (const [url, fate] of Object.entries(expected)) test(url, () => assert.equal(asked(text, url), fate));
};

describe('rewrite', () => {
  cases(
    `location /last { rewrite ^/last(.*)$ /end$1?k=1 last; return 500; }
     location /none { rewrite ^/none(.*)$ /end$1; rewrite ^/end/x$ /end/y; }
     location /loop { rewrite ^ /loop/more last; }
     location /drop { rewrite ^ /end? last; }
     location /temp { rewrite ^/temp/(.*)$ /x/$1 redirect; }
     location /end { return 200 "$uri?$args"; }`,
    {
      'http://h/last/a?q': '200 /end/a?k=1&q',
      'http://h/none/x': '200 /end/y?',
      'http://h/loop': '500',
      'http://h/drop?q': '200 /end?',
      'http://h/temp/a?b': '302 http://h/x/a?b',
      'http://h/temp': 'file html/temp',
    },
  );
});

describe('if', () => {
  cases(
    `set $v none;
     if ($arg_v) { set $v $arg_v; }
     location / {
       if ($v = one) { return 200 one; }
       if ($v ~ ^t(.*)$) { return 200 $1; }
       if ($http_x_absent = "") { set $w yes; }
       if ($request_method !~ ^(GET|HEAD)$) { return 405; }
       proxy_pass http://x/$w;
     }`,
    {
      'http://h/': 'x:80 x /yes',
      'http://h/?v=one': '200 one',
      'http://h/?v=two': '200 wo',
      'http://h/?v=0': 'x:80 x /yes',
    },
  );

  test('is a location of its own: it has no try_files, and its proxy_pass is its own', () => {
    const text =
      'root /r; location / { try_files $uri /none; if ($arg_a) { set $x 1; } if ($arg_b) { proxy_pass http://b; } }';
    assert.equal(asked(text, 'http://h/f?a=1'), 'file /r/f');
    assert.equal(asked(text, 'http://h/f?b=1'), 'b:80 b /f?b=1');
    assert.equal(asked(text, 'http://h/f'), 'file /r/f | file /r/none | 500');
  });
});

describe('who may come in', () => {
  test('allow and deny: the first that holds the address; passwords and programs are not known', () => {
    const text = `location / { allow 10.0.0.0/8; deny all; return 200 never; proxy_pass http://x; }
      location /in { allow 10.0.0.0/8; deny all; proxy_pass http://x; error_page 403 =200 @no; }
      location /key { auth_basic on; auth_basic_user_file f; proxy_pass http://x; }
      location /any { satisfy any; allow 10.0.0.0/8; deny all; auth_basic on; auth_basic_user_file f; proxy_pass http://x; }
      location @no { return 200 no; }`;
    assert.equal(asked(text, 'http://h/'), '200 never');
    assert.equal(asked(text, 'http://h/in', { sourceAddress: '10.1.2.3' }), 'x:80 x /in');
    assert.equal(asked(text, 'http://h/in', { sourceAddress: '11.1.2.3' }), '200 no');
    assert.equal(asked(text, 'http://h/key'), '401');
    const headers = { authorization: 'Basic c29tZW9uZTp3b3Jk' };
    assert.equal(asked(text, 'http://h/key', { headers }), 'x:80 x /key | 403 | 500 | 401');
    assert.equal(asked(text, 'http://h/any', { sourceAddress: '10.1.2.3' }), 'x:80 x /any');
    assert.equal(asked(text, 'http://h/any', { sourceAddress: '11.1.2.3' }), '401');
    assert.match(asked(text, 'http://h/any', { sourceAddress: '11.1.2.3', headers }), /^x:80 x \/any \| /);
  });

  test('a limit over requests is state', () => {
    assert.equal(
      asked('location / { limit_req zone=a; limit_req_status 429; proxy_pass http://x; }', 'http://h/'),
      '429 | x:80 x /',
    );
  });
});

describe('chance, names and streams', () => {
  test('split_clients', () => {
    const text = `split_clients $remote_addr $v { 10% new; * old; }
      upstream new { server n:1; } upstream old { server o:1; }
      server { location / { proxy_pass http://$v; } }`;
    assert.equal(asked(text, 'http://h/x'), '1000 new new /x, 9000 old old /x');
  });

  test('geo: the smallest network', () => {
    const text = `geo $g { default out; 10.0.0.0/8 in; 10.1.0.0/16 near; } server { return 200 $g; }`;
    for (const [sourceAddress, value] of [
      ['10.1.0.1', 'near'],
      ['10.2.0.1', 'in'],
      ['1.1.1.1', 'out'],
    ] as const)
      assert.equal(asked(text, 'http://h/', { sourceAddress }), `200 ${value}`);
  });

  test('stream by the name in the ClientHello', () => {
    const text = `stream { map $ssl_preread_server_name $to { a.example a; default b; }
      upstream a { server 10.0.0.1:443; } upstream b { server 10.0.0.2:443; }
      server { listen 443; ssl_preread on; proxy_pass $to; } }`;
    assert.equal(asked(text, 'https://a.example/'), 'a a.example /');
    assert.equal(asked(text, 'https://c.example/'), 'b c.example /');
  });
});

describe('settings', () => {
  const shown = (text: string) =>
    lifted(text).settings.map(
      ({ scope, name, value }) => `${'name' in scope ? scope.name : scope.kind} ${name} ${value}`,
    );

  test('in force for a pool, inherited, in one form; what is the default anyway is not said', () => {
    const text = `http { proxy_read_timeout 2m; server { proxy_send_timeout 60;
      location /a { proxy_pass http://x; } location /b { proxy_pass http://x; proxy_read_timeout 1s; } } }`;
    assert.deepEqual(shown(text), [
      '*:80 proxy_read_timeout 120000 ms',
      'x:80 proxy_read_timeout (/a) 120000 ms',
      'x:80 proxy_read_timeout (/b) 1000 ms',
    ]);
    assert.deepEqual(shown('location / { proxy_pass http://x; proxy_buffer_size 8k; }'), [
      'x:80 proxy_buffer_size 8192 bytes',
    ]);
  });
});

describe('bad input gets an answer with its line', () => {
  const place = (text: string) =>
    lifted(text).notUnderstood.map(({ place: { line }, why }) => `${line} ${why}`);

  test('quotes and blocks that do not end, bytes, blocks in blocks', () => {
    assert.deepEqual(place('server {\n  return 200 "x;\n}'), ['3 a quote is not closed']);
    assert.deepEqual(place('server {\n  return 200 x;\n'), ['3 a "}" is missing']);
    assert.ok(place('\0\u0001\ufffd{\n').length > 0);
    assert.ok(place('location / {'.repeat(10_000)).length > 0);
  });

  test('a text of 50 MB, an include of itself', () => {
    assert.match(place('# comment\n'.repeat(5_000_000)).join(), /characters, with what it includes/);
    const loop = lifted('include a;', { find: () => ['/etc/nginx/a'], read: () => 'include a;' });
    assert.deepEqual(
      loop.notUnderstood.map(({ why }) => why),
      ['the file includes itself'],
    );
  });

  test('rewrites that multiply themselves end', () => {
    const level = Array.from(
      { length: 30 },
      (_, n) => `location ~ ${n}(.*) { rewrite (.*)${n} $1/a last; rewrite (.)$ $1b last; }`,
    );
    const found = lifted(`rewrite ^/(.+)$ /x$1 last; ${level.join(' ')}`);
    assert.equal(found.listeners.length, 1);
  });
});
