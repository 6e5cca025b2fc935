import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownDialects } from '#dialects';

const haproxy = (defaults: string, frontend = '') =>
  ownDialects.haproxy.keepAlive({
    file: 'haproxy.cfg',
    folder: '/',
    includes: [],
    text: `defaults\n  mode http\n  ${defaults}\nfrontend a\n  bind :80\n  ${frontend}\nfrontend b\n  bind :81\n`,
  });
const nginx = (http: string, server = '') =>
  ownDialects.nginx.keepAlive({
    file: 'nginx.conf',
    folder: '/etc/nginx',
    includes: [],
    text: `events {}\nhttp {\n  ${http}\n  upstream u { server 127.0.0.1:1; keepalive_timeout 9h; }\n  server { ${server} }\n}\n`,
  });

test('HAProxy: the longest time without a request, by the setting that counts', () => {
  assert.equal(haproxy('timeout client 30s').idleMs, 30_000);
  assert.equal(haproxy('timeout client 30s\n  timeout http-request 5s').idleMs, 5_000);
  const { idleMs, said, endsGently } = haproxy('timeout http-keep-alive 1500', 'timeout http-keep-alive 1m');
  assert.deepEqual(
    [idleMs, said?.words, said?.place.line, endsGently],
    [60_000, 'timeout http-keep-alive 1m', 6, false],
  );
  assert.equal(haproxy('log global').idleMs, Number.POSITIVE_INFINITY);
});

test('HAProxy: ends gently only when every frontend does', () => {
  const option = 'option idle-close-on-response';
  assert.equal(haproxy('log global', option).endsGently, false);
  assert.equal(haproxy(option).endsGently, true);
  assert.equal(haproxy(option, `no ${option}`).endsGently, false);
});

test('NGINX: the longest time without a request, not that of an upstream', () => {
  assert.deepEqual(nginx(''), {
    idleMs: 75_000,
    said: null,
    busy: 'keepalive_time 1h, or 1000 requests',
    endsGently: false,
  });
  const { idleMs, said, busy } = nginx(
    'keepalive_timeout 1m30s 60; keepalive_time 10s;',
    'keepalive_timeout 65; keepalive_requests 50;',
  );
  assert.deepEqual(
    [idleMs, said?.words, said?.place.line, busy],
    [90_000, 'keepalive_timeout 1m30s 60', 3, 'keepalive_time 10s, or 50 requests'],
  );
});
