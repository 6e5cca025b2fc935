import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { siteOf } from '../model/site.ts';
import { ask } from '../world/ask.ts';
import { authority, type Pair, selfSigned } from '../world/certificate.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type PublicSocket, until } from '../world/haproxy.ts';

const names = ['plain', 'open', 'required', 'optional', 'others', 'listed', 'allowed'] as const;
type Name = (typeof names)[number];
const limitMs = 20_000;

const staff = authority('staff');
const others = authority('others');
const anna = staff.sign('/O=Büro, Nord/OU=a\\+b/CN=anna "x"+UID=7');
const stranger = others.sign('/CN=stranger');
const bert = staff.sign('/CN=bert');
const lists = others.revoke([]) + staff.revoke([bert]);
const annaSays = {
  'x-ssl-client-verify': 'SUCCESS',
  'x-ssl-client-dn': 'UID=7+CN=anna \\"x\\",OU=a\\+b,O=B\\C3\\BCro\\, Nord',
};
const lies = [
  ...['X-SSL-Client-Verify', 'x_ssl_client_verify', 'X-SSL_Client-Verify', 'X_SSL-Client_Verify'],
  ...['X-SSL-Client-DN', 'x_ssl_client_dn', 'X-SSL-Client_DN'],
];

for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(`${engine} asks clients for certificates`, () => {
    let world: EngineWorld;
    let sockets: Record<Name, PublicSocket>;
    before(async () => {
      world = await open();
      const write = (name: string, text: string) => {
        writeFileSync(join(world.folder, name), text);
        return join(world.folder, name);
      };
      const { cert, key } = selfSigned();
      const bundle = write('bundle.pem', cert + key);
      const [staffCa, othersCa] = [write('staff.pem', staff.cert), write('others.pem', others.cert)];
      const [crl, both] = [write('crl.pem', lists), write('both.pem', staff.cert + others.cert)];
      const web = await world.server('web', ({ rawHeaders }, response) => {
        const told = rawHeaders.flatMap((name, i) =>
          i % 2 === 0 && /^x[-_]ssl/i.test(name) ? [[name.toLowerCase(), rawHeaders[i + 1]]] : [],
        );
        response.end(JSON.stringify(told));
      });
      sockets = Object.fromEntries(
        await Promise.all(names.map(async (name) => [name, await world.socket()] as const)),
      ) as typeof sockets;
      const pair = 'certificates: [{ certificate: a.pem, key: a.key }]';
      const tls = {
        plain: '',
        open: `tls: { ${pair} }`,
        required: `tls: { ${pair}, clientCertificates: { ca: ${staffCa} } }`,
        optional: `tls: { ${pair}, clientCertificates: { ca: ${staffCa}, verify: optional } }`,
        others: `tls: { ${pair}, clientCertificates: { ca: ${othersCa} } }`,
        listed: `tls: { ${pair}, clientCertificates: { ca: ${both}, crl: ${crl} } }`,
        allowed: `tls: { ${pair}, clientCertificates: { ca: ${staffCa}, crl: ${crl}, verify: optional } }`,
      };
      const lines = names.map(
        (name) => `  - { name: ${name}, address: "127.0.0.1:${sockets[name].port}", ${tls[name]} }`,
      );
      const site = siteOf(`site: certificates
listeners:
${lines.join('\n')}
routes: [{ name: web, pool: web }]
pools: [{ name: web, servers: ["127.0.0.1:${web.port}"] }]
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);
      const certificates = Object.fromEntries(names.slice(1).map((name) => [name, [bundle]]));
      // As generations have them, which take up each other's sessions.
      const keys = [7, 8, 9].map((byte) => Buffer.alloc(48, byte));
      for (const [index, key] of keys.entries())
        writeFileSync(join(world.folder, `ticket.keys.${index + 1}`), key);
      const ticketKeys = write('ticket.keys', keys.map((key) => `${key.toString('base64')}\n`).join(''));
      const generation = await world.start(site, { name: 'g1', sockets, certificates, ticketKeys });
      await until(
        'every server was checked',
        async () => (await generation.control.servers(limitMs)).every((one) => one.state === 'up'),
        limitMs,
      );
    });
    after(() => world.close());

    /** What the server was told; or that it was not asked. */
    const asked = (name: Name, shown: Pair | null, options: ConnectionOptions = {}, lines = '') =>
      new Promise<Asked>((resolve) => {
        let said = '';
        let session: Buffer | null = null;
        const socket = connect({
          port: sockets[name].port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          ...(shown ?? {}),
          ...options,
        });
        socket.on('secureConnect', () => {
          socket.write(`GET / HTTP/1.1\r\nhost: a\r\n${lines}connection: close\r\n\r\n`);
        });
        socket.on('session', (given) => {
          session = given;
        });
        socket.on('error', () => {});
        socket.on('data', (chunk) => {
          said += chunk;
        });
        socket.on('close', () => {
          const [head = '', body = ''] = said.split('\r\n\r\n');
          const told = head.startsWith('HTTP/1.1 200') ? Object.fromEntries(JSON.parse(bodyOf(body))) : null;
          resolve({ told, session });
        });
      });

    test('whoever shows a right one is served, and the server knows who it is', async () => {
      assert.deepEqual((await asked('required', anna)).told, annaSays);
      assert.deepEqual((await asked('optional', anna)).told, annaSays);
      assert.deepEqual((await asked('others', stranger)).told?.['x-ssl-client-dn'], 'CN=stranger');
    });

    test('whoever shows none is served where it is optional only, and a wrong one is served nowhere', async () => {
      assert.deepEqual((await asked('optional', null)).told, { 'x-ssl-client-verify': 'NONE' });
      assert.deepEqual((await asked('open', anna)).told, {});
      assert.equal((await asked('required', null)).told, null);
      for (const name of ['required', 'optional'] as const) {
        assert.equal((await asked(name, stranger)).told, null, name);
        assert.equal((await asked(name, selfSigned('anna'))).told, null, name);
      }
    });

    test('whose certificate was revoked is refused, also where showing one is optional', async () => {
      for (const name of ['listed', 'allowed'] as const) {
        assert.deepEqual((await asked(name, anna)).told, annaSays, name);
        assert.equal((await asked(name, bert)).told, null, name);
      }
      assert.equal((await asked('required', bert)).told?.['x-ssl-client-dn'], 'CN=bert');
      assert.equal((await asked('listed', stranger)).told?.['x-ssl-client-dn'], 'CN=stranger');
      assert.deepEqual((await asked('allowed', null)).told, { 'x-ssl-client-verify': 'NONE' });
    });

    test('no client says it itself, at no listener, in no spelling', async () => {
      const lines = lies.map((name) => `${name}: SUCCESS\r\n`).join('');
      assert.deepEqual((await asked('optional', null, {}, lines)).told, { 'x-ssl-client-verify': 'NONE' });
      assert.deepEqual((await asked('open', null, {}, lines)).told, {});
      const headers = Object.fromEntries(lies.map((name) => [name, 'SUCCESS']));
      assert.deepEqual(JSON.parse((await ask(sockets.plain.port, { headers })).body), []);
    });

    test('a session of one listener opens no other', async () => {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const from = [
          await asked('optional', null, { maxVersion }),
          await asked('open', null, { maxVersion }),
        ];
        for (const { session } of from)
          assert.equal((await asked('required', null, { maxVersion, ...resumed(session) })).told, null);
        const own = await asked('required', anna, { maxVersion });
        assert.equal((await asked('others', null, { maxVersion, ...resumed(own.session) })).told, null);
      }
    });

    test('over HTTP/2 too', async () => {
      const session = connectHttp2(`https://127.0.0.1:${sockets.required.port}`, {
        rejectUnauthorized: false,
        ...anna,
      });
      let body = '';
      for await (const chunk of session.request({ ':path': '/', 'x-ssl-client-dn': 'CN=root' }))
        body += chunk;
      session.close();
      assert.deepEqual(Object.fromEntries(JSON.parse(body)), annaSays);
    });
  });

interface Asked {
  readonly told: Readonly<Record<string, string>> | null;
  readonly session: Buffer | null;
}

function resumed(session: Buffer | null): ConnectionOptions {
  return session ? { session } : {};
}

/** Chunked or not. */
function bodyOf(text: string): string {
  return /\[.*\]/s.exec(text)?.[0] ?? '[]';
}
