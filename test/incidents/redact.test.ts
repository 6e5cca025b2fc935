import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactor } from '#incidents';

const redacted = (text: string) => redactor()(text);

test('addresses and hosts are replaced, the same by the same, in whatever file', () => {
  const redact = redactor();
  assert.equal(
    redact('server web1 10.1.2.3:8080 check\nserver web2 10.1.2.4:8080\n# web1 is 10.1.2.3, mask 10.0.0.0/8'),
    'server web1 192.0.2.1:8080 check\nserver web2 192.0.2.2:8080\n# web1 is 192.0.2.1, mask 192.0.2.3/8',
  );
  assert.equal(redact('proxy_pass http://10.1.2.4;'), 'proxy_pass http://192.0.2.2;');
  assert.equal(
    redact('use_backend a if { hdr(host) -i www.acme-shop.de api.acme-shop.de acme-shop.de }'),
    'use_backend a if { hdr(host) -i host-1.site-1.example host-2.site-1.example site-1.example }',
  );
  assert.equal(redact('server db db-3.fra.internal:5432'), 'server db host-1.site-2.example:5432');
  assert.equal(redact('bind [2a01:4f8::1]:443 v6only'), 'bind [2001:db8::1]:443 v6only');
  assert.equal(redact.names.get('192.0.2.1'), '10.1.2.3');
  assert.equal(redact.names.get('site-1.example'), 'acme-shop.de');
});

test('what says nothing of anybody, or is no name, stays', () => {
  for (const text of [
    'bind 127.0.0.1:80\nbind 0.0.0.0:80\nbind :::443\nbind *:80',
    'acl x hdr(host) -i shop.example www.example.com',
    'http-request set-var(txn.host) req.hdr(host),lower if { var(proc.takeback) -m found }',
    'include /etc/nginx/conf.d/default.conf; root /var/www/html; index index.html index.php;',
    'errorfile 503 /etc/haproxy/errors/503.http',
    'ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    'HAProxy version 2.6.12-1+deb12u4 2024/02/14, nginx/1.22.1, 10:15:21.123 took 1.5',
    'location ~* \\.(png|jpg|css)$ { expires 30d; }',
    'lua-load auth.lua; map host.map',
  ])
    assert.equal(redacted(text), text);
});

test('secrets are taken out, and are in no list', () => {
  const redact = redactor();
  for (const [text, wanted] of [
    ['user bob insecure-password hunter2', 'user bob insecure-password SECRET'],
    ['user bob password $6$salt$abcdefghij', 'user bob password SECRET'],
    ['stats auth admin:Str0ng!Pass', 'stats auth USER:SECRET'],
    [
      'proxy_set_header Authorization "Basic dXNlcjpwYXNz";',
      'proxy_set_header Authorization "Basic SECRET";',
    ],
    ['Cookie: session=abcdef; theme=dark', 'Cookie: SECRET'],
    ['http://root:toor@10.0.0.1/', 'http://USER:SECRET@192.0.2.1/'],
    ['{"password": "hunter2", "x": 1}', '{"password": "SECRET", "x": 1}'],
    ['api_key=abc123def', 'api_key=SECRET'],
    ['seen 0123456789abcdef0123456789abcdef01', 'seen SECRET'],
    [
      '-----BEGIN PRIVATE KEY-----\nMIIB\nx\n-----END PRIVATE KEY-----',
      '-----BEGIN PRIVATE KEY----- (left out) -----END PRIVATE KEY-----',
    ],
  ] as const)
    assert.equal(redact(text), wanted);
  assert.ok(![...redact.names.values()].some((name) => /hunter2|toor|Str0ng|abcdef/.test(name)));
});

test('people are replaced too', () => {
  assert.equal(
    redacted('"by":"person:maria" told maria@acme-shop.de and person:maria'),
    '"by":"person:person-1" told person-1@site.example and person:person-1',
  );
});

test('a text stays a text of as many lines, and is redacted in bounded time', () => {
  const lines = Array.from(
    { length: 20_000 },
    (_, i) => `server s${i} 10.${i >> 8}.${i & 255}.7:80 ${'a.'.repeat(40)}`,
  );
  const text = lines.join('\n');
  const out = redacted(text);
  assert.equal(out.split('\n').length, lines.length);
  assert.ok(!/\b10\.\d+\.\d+\.7:/.test(out));
  const nasty = `${'a-'.repeat(50_000)}.${'1.'.repeat(50_000)}:${':'.repeat(50_000)}`;
  redacted(nasty);
});
