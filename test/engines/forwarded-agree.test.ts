import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { siteOf } from '../model/site.ts';
import { ask } from '../world/ask.ts';
import { selfSigned } from '../world/certificate.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type PublicSocket, until } from '../world/haproxy.ts';

/** What servers are told about the client, and HSTS, asked of every engine with the same site. */
const also = 'also: [X-Forwarded-Host, X-Forwarded-Port, Forwarded]';
const listeners = {
  plain: '',
  all: `forwarded: { ${also} }`,
  trusted: `forwarded: { policy: append, trusted: [127.0.0.0/8], ${also} }`,
  strangers: `forwarded: { policy: append, trusted: [10.0.0.0/8], ${also} }`,
  off: 'forwarded: { policy: off }',
  tls: 'hsts: { includeSubDomains: true }, tls: { certificates: [{ certificate: a.pem, key: a.key }] }',
} as const;
type Name = keyof typeof listeners;
const names = Object.keys(listeners) as readonly Name[];

const came = {
  host: 'shop.example:81',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-port': '99',
  forwarded: 'for=203.0.113.9',
};
const keys = Object.keys(came).filter((key) => key !== 'host');

for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(engine, () => {
    let world: EngineWorld;
    let sockets: Record<Name, PublicSocket>;
    before(async () => {
      world = await open();
      const bundle = join(world.folder, 'bundle.pem');
      const { cert, key } = selfSigned();
      writeFileSync(bundle, cert + key);
      const web = await world.server('web', ({ headers }, response) => {
        response.setHeader('Strict-Transport-Security', 'max-age=1');
        response.end(JSON.stringify(headers));
      });
      sockets = Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await world.socket()] as const)),
      ) as typeof sockets;
      const lines = names.map(
        (name) => `  - { name: ${name}, address: "127.0.0.1:${sockets[name].port}", ${listeners[name]} }`,
      );
      const site = siteOf(`site: forwarded
listeners:
${lines.join('\n')}
routes:
  - { name: gone, matches: [{ path: { value: /gone } }], answer: { statusCode: 410 } }
  - { name: moved, matches: [{ path: { value: /moved } }], redirect: { hostname: a.example } }
  - { name: web, pool: web }
pools: [{ name: web, servers: ["127.0.0.1:${web.port}"] }]
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);
      const generation = await world.start(site, { name: 'g1', sockets, certificates: { tls: [bundle] } });
      await until('every server was checked', async () =>
        (await generation.control.servers(1_000)).every((one) => one.state === 'up'),
      );
    });
    after(() => world.close());

    const told = async (name: Name, headers: Record<string, string> = came) => {
      const saw = JSON.parse((await ask(sockets[name].port, { headers })).body) as Record<string, string>;
      return Object.fromEntries(keys.map((key) => [key, saw[key] ?? null]));
    };
    const own = (name: Name) => ({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example:81',
      'x-forwarded-port': `${sockets[name].port}`,
      forwarded: 'for=127.0.0.1;proto=http',
    });

    test('without a word: replaced, and the rest as it came', async () => {
      const { host: _, ...rest } = came;
      const { 'x-forwarded-for': address, 'x-forwarded-proto': scheme } = own('plain');
      assert.deepEqual(await told('plain'), {
        ...rest,
        'x-forwarded-for': address,
        'x-forwarded-proto': scheme,
      });
    });

    test('replace tells what we know', async () => {
      assert.deepEqual(await told('all'), own('all'));
      assert.deepEqual(await told('all', { host: came.host }), own('all'));
    });

    test('append: behind what a trusted proxy said, and as replace for others', async () => {
      assert.deepEqual(await told('trusted'), {
        'x-forwarded-for': '203.0.113.9, 127.0.0.1',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-port': '99',
        forwarded: 'for=203.0.113.9, for=127.0.0.1;proto=http',
      });
      assert.deepEqual(await told('trusted', { host: came.host }), own('trusted'));
      assert.deepEqual(await told('strangers'), own('strangers'));
    });

    test('off tells nothing', async () => {
      assert.deepEqual(await told('off'), Object.fromEntries(keys.map((key) => [key, null])));
    });

    test('HSTS is in every answer over TLS, and no other', async () => {
      const header = (path: string) =>
        new Promise((resolve, reject) => {
          request(
            { host: '127.0.0.1', port: sockets.tls.port, path, rejectUnauthorized: false, agent: false },
            (answer) => {
              answer.resume();
              resolve([answer.statusCode, answer.headers['strict-transport-security']]);
            },
          )
            .on('error', reject)
            .end();
        });
      const value = 'max-age=31536000; includeSubDomains';
      assert.deepEqual(await Promise.all(['/', '/gone', '/moved'].map(header)), [
        [200, value],
        [410, value],
        [302, value],
      ]);
      const plain = await ask(sockets.plain.port);
      assert.equal(plain.headers['strict-transport-security'], 'max-age=1');
    });
  });
