import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { RealAnswers, WitnessView } from '#contract';
import { type Origin, startOrigin } from '../world/origins.ts';
import { freePort, type Stack, startStack, textOf } from '../world/stack.ts';

/** Requests of the past by a candidate and by what runs, on to the real servers. */

interface Shop {
  readonly port: number;
  readonly web: Origin;
  readonly api: Origin;
}

/** A site file: `/api` goes to `api`, `/old` is led on, everything else goes to `web`. */
const siteOf =
  (engine: string) =>
  ({ port, web, api }: Shop, apiPath: string) =>
    `site: t
listeners:
  - { name: http, address: "*:${port}" }
routes:
  - { name: api, matches: [{ path: { type: PathPrefix, value: ${apiPath} } }], pool: api }
  - { name: old, matches: [{ path: { type: Exact, value: /old } }], redirect: { path: { replaceFullPath: /new } } }
  - { name: web, pool: web }
pools:
  - { name: web, servers: [{ name: one, address: "127.0.0.1:${web.port}" }] }
  - { name: api, servers: [{ name: two, address: "127.0.0.1:${api.port}" }] }
balancers:
  - { name: lb-1, engine: ${engine}, address: 127.0.0.1 }
`;

const haproxyText = ({ port, web, api }: Shop, apiPath: string) => `global
  log /dev/log local0
defaults
  mode http
  log global
  timeout connect 1s
  timeout client 10s
  timeout server 10s
frontend www
  bind 127.0.0.1:${port}
  http-request redirect location /new code 302 if { path /old }
  use_backend api if { path_beg ${apiPath} }
  default_backend web
backend web
  server one 127.0.0.1:${web.port} check inter 500ms
backend api
  server two 127.0.0.1:${api.port} check inter 500ms agent-check agent-port ${api.port}
`;

const nginxText = ({ port, web, api }: Shop, apiPath: string) => `events {}
http {
  upstream web { server 127.0.0.1:${web.port}; }
  upstream api { server 127.0.0.1:${api.port}; }
  server {
    listen 127.0.0.1:${port};
    location = /old { return 302 /new; }
    location ${apiPath} { proxy_pass http://api; mirror /copy; }
    location / { proxy_pass http://web; }
    location = /copy { internal; proxy_pass http://api; }
  }
}
`;

for (const { name, engine, dialect, text, replaced } of [
  ...(['haproxy', 'nginx'] as const).map((engine) => ({
    name: `a site on ${engine}`,
    engine,
    dialect: 'site' as const,
    text: siteOf(engine),
    replaced: /^listening sockets by private/,
  })),
  {
    name: 'a haproxy.cfg',
    engine: 'haproxy' as const,
    dialect: 'haproxy' as const,
    text: haproxyText,
    replaced: /no-agent-check .*an agent hears of no request of the past/,
  },
  {
    name: 'an nginx.conf',
    engine: 'nginx' as const,
    dialect: 'nginx' as const,
    text: nginxText,
    replaced: /mirror off;.*a request of the past is not copied/,
  },
])
  suite(`${name}: recent requests, by the candidate and by what runs`, () => {
    let stack: Stack;
    let shop: Shop;
    before(async () => {
      const [web, api] = [await startOrigin({ name: 'web' }), await startOrigin({ name: 'api' })];
      shop = { port: await freePort(), web, api };
      stack = await startStack({ siteText: () => text(shop, '/api'), engine, dialect });
    });
    after(async () => {
      await stack?.stop();
      for (const origin of [shop.web, shop.api]) await origin.close();
    });

    test('each is asked by both, and which server had it is told; one that goes elsewhere now three times', async () => {
      const site = textOf(text(shop, '/apis'), stack.folder, dialect);
      const recent = ['/', '/api/cart', '/old'].map((path) => witness(shop.port, path));
      const { ok, real, notStarted } = await stack.call('rehearse', { site, recent });
      assert.ok(ok && real, notStarted ?? 'it does not say why');
      const [web, api] = [`200 web 127.0.0.1:${shop.web.port}`, `200 api 127.0.0.1:${shop.api.port}`];
      assert.deepEqual(real.asked.map(shown), [
        [web, web],
        [web, api],
        ['302 /new', '302 /new'],
      ]);
      assert.deepEqual(
        real.asked.map(({ rounds }) => rounds.length),
        [1, 3, 1],
      );
      assert.ok(
        real.replaced.some((line) => replaced.test(line)),
        real.replaced.join('\n'),
      );
    });
  });

function witness(port: number, path: string): WitnessView {
  const headers = { 'user-agent': 'holdfast-rehearsal' };
  const where = { scheme: 'http', host: 'shop.example', port, sni: null } as const;
  return { method: 'GET', ...where, path, query: '', headers, sourceAddress: null };
}

function shown({ rounds: [first], unasked }: RealAnswers['asked'][number]): readonly string[] {
  if (!first) return [unasked ?? ''];
  return [first.candidate, first.incumbent].map(({ status, location, server, why }) =>
    status === 0
      ? `none: ${why}`
      : `${status} ${location?.replace(/^https?:\/\/[^/]+/, '') ?? `${server?.pool} ${server?.address}`}`,
  );
}
