import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asked, lifted } from './asked.ts';

const cases = (text: string, expected: Readonly<Record<string, string>>) => {
  for (const [url, fate] of Object.entries(expected)) test(url, () => assert.equal(asked(text, url), fate));
};

describe('a server is found by its name', () => {
  cases(
    `server { listen 80; server_name a.example *.b.example; return 200 a; }
     server { listen 80; server_name ~^(?<who>[a-z]+)\\.users\\.example$; return 200 $who; }
     server { listen 80; server_name www.*; return 200 www; }
     server { listen 80 default_server; server_name .c.example; return 200 c; }
     server { listen 80; server_name x.b.example; return 200 exact; }`,
    {
      'http://a.example/': '200 a',
      'http://A.Example.:8080/': 'reject refused',
      'http://x.b.example/': '200 exact',
      'http://x.y.b.example/': '200 a',
      'http://b.example/': '200 c',
      'http://www.other/': '200 www',
      'http://anna.users.example/': '200 anna',
      'http://nobody/': '200 c',
      'http://a..example/': '400',
    },
  );

  test('any case, a dot at the end, a port that is another one', () => {
    const text =
      'server { server_name shop.example; return 200 shop; } server { server_name other; return 200 other; }';
    for (const host of ['shop.example', 'SHOP.example.', 'shop.example:8443', 'shop.example.:1'])
      assert.equal(asked(text, 'http://x/', { host }), '200 shop', host);
  });

  test('no Host header: the server without a name, and 400 from HTTP/1.1 on', () => {
    const text = 'server { server_name a; return 200 a; } server { return 200 nameless; }';
    assert.equal(asked(text, 'http:///', { version: '1.0' }), '200 nameless');
    assert.equal(asked(text, 'http:///'), '400');
  });

  test('over TLS a Host header that no server has leads to the standard one, whatever the ClientHello asked for', () => {
    const text =
      'server { listen 443 ssl; server_name a; return 200 a; } server { listen 443 ssl; server_name b; return 200 b; }';
    assert.equal(asked(text, 'https://c/', { sni: 'b' }), '200 a');
    assert.equal(asked(text, 'https://b/', { sni: null }), '200 b');
    assert.equal(asked(text, 'https://a/', { sni: 'b' }), '200 a');
  });
});

describe('a location is found as NGINX finds it', () => {
  cases(
    `location = /exact { return 200 exact; }
     location / { return 200 root; }
     location /images/ { return 200 images; }
     location ^~ /static/ { return 200 static; }
     location ~ \\.php$ { return 200 php; }
     location ~* \\.(gif|jpg)$ { return 200 $1; }
     location /api/ { proxy_pass http://backend/v1/; location /api/inner { proxy_pass http://inner; } }`,
    {
      'http://h/exact': '200 exact',
      'http://h/exact/': '200 root',
      'http://h/images/x': '200 images',
      'http://h/images/x.GIF': '200 GIF',
      'http://h/static/x.php': '200 static',
      'http://h/a/../images/%78': '200 images',
      'http://h//images//x.php': '200 php',
      'http://h/api': '301 http://h/api/',
      'http://h/api/a%20b?q=1': 'backend:80 backend /v1/a%20b?q=1',
      'http://h/api/x': 'backend:80 backend /v1/x',
      'http://h/api/inner/%41': 'inner:80 inner /api/inner/%41',
      'http://h/..': '400',
    },
  );
});

describe('what a proxy_pass sends', () => {
  cases(
    `upstream web { server 10.0.0.1:8080 weight=2; server 10.0.0.2:8080 backup; }
     map $http_x_pool $pool { default web; a "10.9.9.9:81"; }
     server {
       location / { proxy_pass http://web; proxy_set_header Host $http_host; }
       location /prefix/ { proxy_pass http://web/; }
       location /named { proxy_pass http://$pool$request_uri; }
       location ~ ^/re/(.*)$ { proxy_pass http://web/new/$1$is_args$args; }
       location /break { rewrite ^/break(.*)$ /done$1 break; proxy_pass http://web/ignored/; }
       location /open { proxy_pass http://$arg_server/x; }
     }`,
    {
      'http://h/a%20b?c': 'web h /a%20b?c',
      'http://h/prefix/a': 'web web /a',
      'http://h/named/x?y=1': 'web web /named/x?y=1',
      'http://h/re/x?y': 'web web /new/x?y',
      'http://h/break/z': 'web web /done/z',
      'http://h/open?server=q': 'unknown elsewhere: proxy_pass http://$arg_server/x',
    },
  );
});

test('a part of a text is lifted where its words belong; what is not known is said at its line', () => {
  const { listeners, notUnderstood } = lifted('location / {\n  proxy_pass http://a;\n  frobnicate on;\n}\n');
  assert.deepEqual(
    listeners.map(({ name }) => name),
    ['*:80'],
  );
  assert.deepEqual(notUnderstood, [
    {
      place: { file: 'nginx.conf', line: 3, column: 3 },
      text: 'frobnicate on',
      why: 'a directive that is not known',
    },
  ]);
});
