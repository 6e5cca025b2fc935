import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { routeOf, streamPools, streamsOf } from '#model';
import { decideStream, streamWitnesses } from '#routing';
import { linesOf, siteOf } from './site.ts';

const text = `site: shop
listeners:
  - { name: http, address: "*:8080" }
  - { name: mail, address: "*:25", protocol: TCP }
  - { name: tls, address: "*:443", protocol: TLS }
routes:
  - { name: web, pool: web }
  - { name: mail, listeners: [mail], pools: [{ pool: mail, weight: 3 }, { pool: mail-next, weight: 1 }] }
  - { name: rest, listeners: [tls], pool: shop }
  - { name: api, listeners: [tls], hostnames: ["*.Shop.example"], pool: api }
  - { name: one, listeners: [tls], hostnames: [one.shop.example], pool: one }
pools:
  - { name: web, servers: [10.0.0.1:80] }
  - { name: mail, servers: [10.0.0.2:25] }
  - { name: mail-next, servers: [10.0.0.3:25] }
  - { name: shop, servers: [10.0.0.4:443] }
  - { name: api, servers: [10.0.0.5:443] }
  - { name: one, servers: [10.0.0.6:443] }
balancers:
  - { name: lb-1, address: 127.0.0.1 }
`;

function changed(part: string, by: string): string {
  assert.ok(text.includes(part), `the site has no ${part}`);
  return text.replace(part, () => by);
}

describe('TCP and TLS listeners', () => {
  const site = siteOf(text);
  const [mail, tls] = streamsOf(site);

  test('requests are routed on listeners that speak HTTP only', () => {
    assert.deepEqual(
      routeOf(site).listeners.map(({ name }) => name),
      ['http'],
    );
    assert.deepEqual([...streamPools(site)].toSorted(), ['api', 'mail', 'mail-next', 'one', 'shop']);
  });

  test('a connection goes to the most specific name', () => {
    assert.ok(tls);
    const routeFor = (name: string | null) => decideStream(tls, name)?.route;
    assert.equal(routeFor('ONE.shop.example'), 'one');
    assert.equal(routeFor('two.shop.example'), 'api');
    assert.equal(routeFor('a.b.shop.example'), 'api');
    assert.equal(routeFor('shop.example'), 'rest');
    assert.equal(routeFor(null), 'rest');
  });

  test('pools share by weight', () => {
    assert.ok(mail);
    assert.deepEqual(
      decideStream(mail, null)?.shares.map(({ pool, weight }) => [pool, weight]),
      [
        ['mail', 3],
        ['mail-next', 1],
      ],
    );
  });

  test('each rule has a witness', () => {
    assert.deepEqual(
      streamWitnesses(streamsOf(site)).map(({ rule, name }) => [rule.route, name]),
      [
        ['mail', null],
        ['one', 'one.shop.example'],
        ['api', 'www.shop.example'],
        ['rest', 'www.example.com'],
      ],
    );
  });

  test('without a route for the rest, who asks for nothing is closed', () => {
    const [, only] = streamsOf(
      siteOf(
        changed('  - { name: rest, listeners: [tls], pool: shop }\n', '').replace(/.*name: shop,.*\n/, ''),
      ),
    );
    assert.ok(only);
    assert.equal(decideStream(only, null), null);
    assert.equal(decideStream(only, 'other.example'), null);
  });
});

const mistakes: readonly (readonly [what: string, text: string, told: readonly string[]])[] = [
  [
    'an unknown protocol',
    changed('protocol: TCP', 'protocol: UDP'),
    ['HF013 site.yaml:4:46 listeners[1].protocol: expected one of "HTTP", "TCP", "TLS", got "UDP"'],
  ],
  [
    'words of HTTP on a TCP listener',
    changed(
      'protocol: TCP }',
      'protocol: TCP, hsts: {}, access: { rate: { requests: 5 } }, inspectTimeout: 2s }',
    ),
    [
      'HF022 site.yaml:4:57 listeners[1].hsts: means nothing with the protocol TCP: connections are passed on as they are. Remove it: the servers answer',
      'HF022 site.yaml:4:77 listeners[1].access.rate: means nothing with the protocol TCP: connections are passed on as they are. Limit connections with connectionsMax and connectionsPerClientMax',
      'HF022 site.yaml:4:112 listeners[1].inspectTimeout: means nothing with the protocol TCP. Write protocol: TLS, or remove it',
    ],
  ],
  [
    'certificates where TLS is passed on',
    changed(
      'protocol: TLS }',
      'protocol: TLS, tls: { certificates: [{ certificate: a.pem, key: a.key }] } }',
    ),
    [
      'HF022 site.yaml:5:56 listeners[2].tls: means nothing with the protocol TLS: connections are passed on as they are. Remove it (the servers have the certificates), or remove protocol',
    ],
  ],
  [
    'limits of connections on an HTTP listener',
    changed('address: "*:8080" }', 'address: "*:8080", connectionsMax: 10 }'),
    [
      'HF022 site.yaml:3:54 listeners[0].connectionsMax: means nothing with the protocol HTTP. Write protocol: TCP or TLS, or remove it',
    ],
  ],
  [
    'a TCP listener that no route names',
    changed('listeners: [mail], ', 'listeners: [http], '),
    [
      'HF012 site.yaml:4:5 listeners[1]: missing, expected a route that names this listener: every connection would be closed. Add a route: { listeners: [mail], pool: ... }',
      'HF016 site.yaml:8:5 routes[1]: matches the same requests as routes[0] on line 7 (http: every request), which sends them to "web", and this one sends them to "mail" and "mail-next". Remove one, or make one more specific',
    ],
  ],
  [
    'listeners of two protocols in one route',
    changed('listeners: [mail], ', 'listeners: [mail, http], '),
    [
      'HF016 site.yaml:8:5 routes[1]: matches the same requests as routes[0] on line 7 (http: every request), which sends them to "web", and this one sends them to "mail" and "mail-next". Remove one, or make one more specific',
      'HF022 site.yaml:8:30 routes[1].listeners: expected listeners of one protocol, got TCP and HTTP. Write a route for each',
    ],
  ],
  [
    'what is asked of requests, where none is read',
    changed('pool: shop }', 'pool: shop, matches: [{ method: GET }], rewrite: { hostname: a.example } }'),
    [
      'HF022 site.yaml:9:58 routes[2].matches: means nothing on a listener with the protocol TLS: no request is read there. Remove it',
      'HF022 site.yaml:9:86 routes[2].rewrite: means nothing on a listener with the protocol TLS: no request is read there. Remove it',
    ],
  ],
  [
    'a redirect of connections',
    changed('pool: one }', 'redirect: { scheme: https } }'),
    [
      'HF022 site.yaml:11:77 routes[4].redirect: means nothing on a listener with the protocol TLS: no request is read there. Name a pool instead',
      'HF020 site.yaml:18:5 warning: pools[5]: no route reaches the pool "one". Remove it, or add a route to it',
    ],
  ],
  [
    'host names where nothing says whom a client wants',
    changed('listeners: [mail], ', 'listeners: [mail], hostnames: [mail.example], '),
    [
      'HF022 site.yaml:8:49 routes[1].hostnames: means nothing on a listener with the protocol TCP: nothing says whom a client wants. Write protocol: TLS on the listener, or remove it',
    ],
  ],
  [
    'one pool for requests and for connections',
    changed('pool: one }', 'pool: web }').replace(/.*name: one,.*servers.*\n/, ''),
    [
      'HF022 site.yaml:11:73 routes[4].pool: "web" is a pool for HTTP already (routes[0].pool on line 7), and this would make it one for TLS too. Write a second pool with the same servers',
    ],
  ],
  [
    'a pool that looks at requests',
    changed(
      'name: one, servers',
      'name: one, algorithm: hash, hash: { on: path }, stickyCookie: { name: A }, retries: { on: [connect, 5xx] }, ejection: { of: answers }, tls: { verify: none }, servers',
    ),
    [
      'HF022 site.yaml:18:41 pools[5].hash: means nothing in a pool for TLS (routes[4].pool on line 11): no request is read there. Write algorithm: source, or another one',
      'HF022 site.yaml:18:69 pools[5].stickyCookie: means nothing in a pool for TLS (routes[4].pool on line 11): no request is read there. Write algorithm: source',
      'HF022 site.yaml:18:97 pools[5].retries.on: "5xx" means nothing in a pool for TLS (routes[4].pool on line 11): no request is read there. Write on: [connect], or leave it out',
      'HF022 site.yaml:18:131 pools[5].ejection.of: means nothing in a pool for TLS (routes[4].pool on line 11): no request is read there. Write of: connections',
      'HF022 site.yaml:18:147 pools[5].tls: means nothing in a pool for TLS (routes[4].pool on line 11): the client speaks TLS with the server itself. Remove it',
      'HF023 site.yaml:18:157 warning: pools[5].tls.verify: whoever answers at the address is believed. Name a ca instead',
    ],
  ],
  [
    'two routes for the same name',
    changed('[one.shop.example], pool: one', '["*.shop.example"], pool: one'),
    [
      'HF016 site.yaml:11:5 routes[4]: matches the same requests as routes[3] on line 10 (tls: host suffix .shop.example), which sends them to "api", and this one sends them to "one". Remove one, or make one more specific',
    ],
  ],
];

for (const [what, wrong, told] of mistakes)
  test(`mistake: ${what}`, () => {
    assert.deepEqual(linesOf(wrong), told);
  });
