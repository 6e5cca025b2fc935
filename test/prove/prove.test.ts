import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LiftFiles } from '#dialects';
import { type OwnProof, proveOwn, type TextProof } from '#prove';
import { meaning } from '#routing';

const files = (known: Readonly<Record<string, string>> = {}): LiftFiles => ({
  find: (pattern) => (pattern in known ? [pattern] : []),
  read: (path) => known[path] ?? null,
  environment: (name) => (name === 'WHERE' ? '10.9.9.9' : null),
});

const haproxy = (text: string, known = {}): OwnProof => ({
  file: 'haproxy.cfg',
  folder: '/etc/haproxy',
  text,
  dialect: 'haproxy',
  files: files(known),
});

const nginx = (text: string, known = {}): OwnProof => ({
  file: 'nginx.conf',
  folder: '/etc/nginx',
  text,
  dialect: 'nginx',
  files: files(known),
});

const shop = `global
  user nobody-here
  chroot /nowhere
  stats socket /run/nowhere/admin.sock
  log 192.0.2.1 local0
defaults
  mode http
  timeout connect 1ms
  timeout client 30s
  timeout server 1ms
  default-server check inter 1s
frontend web
  bind :80
  bind :443 ssl crt /etc/ssl/nowhere.pem alpn h2,http/1.1 user nobody-here
  http-request deny deny_status 403 if { src 10.0.0.0/8 } { path_beg /admin }
  http-request redirect scheme https code 301 if !{ ssl_fc } !{ path_beg /open }
  use_backend %[path,map_beg(/etc/haproxy/paths.map,web)] if { path_beg /m/ }
  use_backend cart if { path_beg /cart }
  use_backend stripped if { path /strip }
  use_backend nobody if { path /nobody }
  default_backend web
backend web
  server web1 "$WHERE":80 check ssl verify required ca-file /etc/ssl/nowhere.pem
  server web2 no-such-name.invalid:80 backup
backend cart
  http-request set-path /basket%[path]
  http-request set-header X-Cart yes
  server c1 cart.invalid:8080 check-ssl send-proxy
backend stripped
  http-request replace-path /strip(.*)? \\1
  server s1 strip.invalid:8080
backend nobody
peers others
  peer here 192.0.2.1:1024
program outside
  command /nowhere/program
`;

const locations = `user nobody-here;
pid /nowhere/pid;
include /etc/nginx/more.conf;
events { worker_connections 10; }
http {
  access_log /nowhere/access.log;
  map $http_x_kind $target { default app; special other; }
  upstream app { server no-such-name.invalid:8080; server 10.0.0.2:8080 backup; keepalive 8; }
  upstream other { server 10.0.0.3; }
  server { listen 80 default_server; return 301 https://$host$request_uri; }
  server { listen 8080; server_name port.example; location / { return 302 /there; } }
  server {
    listen 443 ssl http2;
    server_name shop.example;
    ssl_certificate /nowhere.pem; ssl_certificate_key /nowhere.key;
    location / { proxy_pass http://$target; proxy_set_header Host $host; proxy_read_timeout 1ms; }
    location /api/ { proxy_pass https://10.1.1.1:8443/v1/; proxy_set_header X-Port $server_port; }
    location ~ "\\.php$" { fastcgi_pass unix:/run/php.sock; }
    location /u/ { proxy_pass http://unix:/run/app.sock:/x/; }
    location = /no { allow 10.0.0.0/8; deny all; }
    location /unnamed { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Host $http_x_none; }
    location /whole { set $whole http://app; proxy_pass $whole; }
  }
}
`;

const ask = (said: Partial<meaning.Request>) => meaning.requestOf({ host: 'shop.example', ...said });
const show = ({ engine, refused, outcomes }: TextProof) =>
  JSON.stringify({ engine, refused, outcomes }, null, 1);

describe('a text on a stage', () => {
  test('HAProxy does with every witness what was foretold', async () => {
    const witnesses = [
      ask({}),
      ask({ path: '/open/x' }),
      ask({ path: '/admin', sourceAddress: '10.2.3.4' }),
      ask({ path: '/admin', sourceAddress: '2001:db8::1' }),
      ask({ scheme: 'https', path: '/cart/1', query: 'a=b' }),
      ask({ scheme: 'https', path: '/m/one' }),
      ask({ scheme: 'https', path: '/nobody', method: 'POST' }),
      ask({ scheme: 'https', path: '/strip' }),
    ];
    const known = { '/etc/haproxy/paths.map': '/m/one cart\n' };
    const proof = await proveOwn(haproxy(shop, known), witnesses);
    assert.deepEqual(
      proof.outcomes.map(({ kind }) => kind),
      witnesses.map(() => 'proven'),
      show(proof),
    );
    assert.match(proof.outcomes[4]?.came ?? '', /pool cart, server c1 \(cart\.invalid:8080\)/);
    assert.match(proof.outcomes[5]?.came ?? '', /pool cart/);
    assert.match(proof.outcomes[1]?.came ?? '', /server web1 \(10\.9\.9\.9:80\)/);
    assert.ok(
      proof.replaced.some((line) => line.startsWith('haproxy.cfg:2 user nobody-here')),
      'says what it left out',
    );
  });

  test('NGINX does with every witness what was foretold', async () => {
    const witnesses = [
      ask({ path: '/x', query: 'q' }),
      ask({ host: 'port.example:8080', port: 8080 }),
      ask({ scheme: 'https' }),
      ask({ scheme: 'https', headers: { 'x-kind': 'special' } }),
      ask({ scheme: 'https', path: '/api/one' }),
      ask({ scheme: 'https', path: '/a.php' }),
      ask({ scheme: 'https', path: '/u/two' }),
      ask({ scheme: 'https', path: '/no', sourceAddress: '10.1.1.1' }),
      ask({ scheme: 'https', path: '/no', sourceAddress: '192.0.2.1' }),
      ask({ scheme: 'https', path: '/whole' }),
      // The server is told no host, which is no matter of the stand-in's.
      ask({ scheme: 'https', path: '/unnamed' }),
    ];
    const proof = await proveOwn(nginx(locations), witnesses);
    const kinds = proof.outcomes.map(({ kind }) => kind);
    assert.deepEqual(
      kinds,
      witnesses.map(() => 'proven'),
      show(proof),
    );
  });

  test('what was foretold wrongly is a disagreement that says what came', async () => {
    const right = haproxy(shop);
    const other = shop.replace(
      'use_backend cart if { path_beg /cart }',
      'use_backend cart if { path_beg /wrong }',
    );
    const { liftOwn } = await import('#dialects');
    const wrong = { ...right, meaning: liftOwn(haproxy(other), 'haproxy', files()) };
    const { outcomes } = await proveOwn(wrong, [ask({ scheme: 'https', path: '/cart' }), ask({})]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['disagreement', 'proven'],
    );
    assert.match(outcomes[0]?.why ?? '', /pool web was foretold/);
    assert.match(outcomes[0]?.came ?? '', /pool cart/);
  });

  test('what a text does not say is not provable, and says why', async () => {
    const text = shop.replace('path_beg /cart', 'rand(2) eq 1');
    const { outcomes } = await proveOwn(haproxy(text), [
      ask({ scheme: 'https' }),
      ask({ port: 9999 }),
      ask({ host: 'a\nb' }),
    ]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['not provable', 'not provable', 'not provable'],
    );
    assert.match(outcomes[0]?.why ?? '', /depends on .*rand/);
    assert.match(outcomes[1]?.why ?? '', /nobody listens there/);
  });

  test('an engine that refuses the text is told in its own words', async () => {
    const proof = await proveOwn(haproxy(`${shop}\nbackend x\n  nonsense here\n`), [ask({})]);
    assert.match(proof.refused ?? '', /unknown keyword 'nonsense'/);
    assert.equal(proof.outcomes[0]?.kind, 'not provable');
  });
});
