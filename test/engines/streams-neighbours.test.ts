import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, readdirSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { streamDoors } from '#dialects';
import { siteOf } from '../model/site.ts';
import { selfSigned } from '../world/certificate.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { freePort } from '../world/stack.ts';
import { type Greeter, startGreeter, talkTo, whoIsAt } from '../world/streams.ts';

const waitMsMax = 20_000;
const pairs = [
  ['haproxy', 'haproxy'],
  ['haproxy', 'builtin'],
  ['haproxy', 'nginx'],
  ['builtin', 'haproxy'],
  ['builtin', 'builtin'],
  ['builtin', 'nginx'],
  ['nginx', 'haproxy'],
  ['nginx', 'builtin'],
] as const;
const listeners = ['mail', 'told', 'tls'] as const;
type Of<T> = Readonly<Record<(typeof listeners)[number], T>>;

const textFor = (at: Of<PublicSocket>, servers: Of<number>) => `site: streams
listeners:
  - { name: mail, address: "127.0.0.1:${at.mail.port}", protocol: TCP }
  - { name: told, address: "127.0.0.1:${at.told.port}", protocol: TCP }
  - { name: tls, address: "127.0.0.1:${at.tls.port}", protocol: TLS }
routes:
  - { listeners: [mail], pool: mail }
  - { listeners: [told], pool: told }
  - { listeners: [tls], hostnames: ["*.example"], pool: tls }
pools:
  - { name: mail, servers: ["127.0.0.1:${servers.mail}"], retries: { max: 1 } }
  - { name: told, servers: ["127.0.0.1:${servers.told}"], retries: { max: 1 }, proxyProtocol: v1 }
  - { name: tls, servers: ["127.0.0.1:${servers.tls}"], retries: { max: 1 } }
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`;

/** Sends back the line that it is told first. */
async function startTold(): Promise<Server> {
  const server = createServer((socket) =>
    socket
      .on('error', () => socket.destroy())
      .once('data', (bytes) => socket.end(`${bytes.toString().split('\r\n')[0]}\n`)),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

for (const [good, bad] of pairs)
  describe(`connections are led from ${bad} to ${good}`, () => {
    const worlds: EngineWorld[] = [];
    const servers: { close(): unknown }[] = [];
    let greeter: Greeter | undefined;
    let at: Of<PublicSocket>;
    let candidate: Generation;
    let lastGood: Generation;

    before(async () => {
      greeter = await startGreeter('good');
      const secure = await startGreeter('secure', { tls: selfSigned() });
      const told = await startTold();
      servers.push(greeter, secure, told);
      for (const engine of [good, bad]) worlds.push(await everyEngineWorld[engine]());
      const [first, second] = worlds;
      assert.ok(first && second);
      at = { mail: await first.socket(), told: await first.socket(), tls: await first.socket() };
      const ports = { mail: greeter.port, told: (told.address() as AddressInfo).port, tls: secure.port };
      const nobody = await freePort();
      lastGood = await first.start(siteOf(textFor(at, ports)), {
        name: 'good',
        sockets: at,
        parked: true,
        // The two are each other's: what a net has led once is led no further.
        neighbour: `${second.folder}/bad/entrance.sock`,
      });
      const { entrance } = lastGood;
      // As the agent does beside each link to a neighbour.
      symlinkSync(dirname(entrance), streamDoors(entrance));
      // Here, unlike for real, the engines are not all run by one user.
      for (const name of readdirSync(dirname(entrance)))
        if (/^(?:entrance|tcp-)/.test(name)) chmodSync(join(dirname(entrance), name), 0o777);
      candidate = await second.start(siteOf(textFor(at, { mail: nobody, told: nobody, tls: nobody })), {
        name: 'bad',
        sockets: at,
        neighbour: entrance,
      });
    });

    after(async () => {
      // First who listens in this process: it would not end while one of them is open, whatever goes wrong below.
      for (const server of servers) server.close();
      await Promise.all(worlds.toReversed().map((world) => world.close()));
    });

    test('the net: who finds no server in one gets one of the other, and it is counted', async () => {
      for (let i = 0; i < 5; i += 1) assert.equal(await whoIsAt(at.mail.port), 'good');
      await until(
        'the net is counted',
        async () => (await candidate.control.evidence(2_000)).netUses >= 5,
        waitMsMax,
      );
      assert.equal((await candidate.control.evidence(2_000)).errors, 0);
      await until(
        'the other one counts whom it was led',
        async () => (await lastGood.control.evidence(2_000)).entranceRequests >= 5,
        waitMsMax,
      );
    });

    test('the name that a client asks for goes with it', async () => {
      assert.equal(await whoIsAt(at.tls.port, 'shop.example'), 'secure');
    });

    test('a server that is told of its client is told by the other one', async () => {
      const talk = talkTo(at.told.port);
      talk.socket.write('hello\r\n');
      // NGINX passes on no header that comes by its own entrance.
      await talk.until(good === 'nginx' ? 'PROXY UNKNOWN\n' : 'PROXY TCP4 127.0.0.1 127.0.0.1 ');
      talk.socket.destroy();
    });

    test('without the net it is an error; with it again, none', async () => {
      await candidate.control.net(false, waitMsMax);
      await assert.rejects(whoIsAt(at.mail.port));
      await candidate.control.net(true, waitMsMax);
      assert.equal(await whoIsAt(at.mail.port), 'good');
    });

    const takenBack = async () => {
      const kept = talkTo(at.mail.port);
      try {
        await kept.until('good\n');
        await candidate.control.net(false, waitMsMax);
        await candidate.control.takeBack(true, waitMsMax);
        assert.equal(await whoIsAt(at.mail.port), 'good');
        kept.socket.write('still here\n');
        await kept.until('still here\n');
      } finally {
        kept.socket.destroy();
      }
      await candidate.control.takeBack(false, waitMsMax);
      await candidate.control.net(true, waitMsMax);
    };
    // Of NGINX parking alone is what ends new ones: docs/engines.md.
    if (bad !== 'nginx')
      test('taken back: new connections are led, whatever servers there are; open ones stay', takenBack);

    test('when neither has a server, a connection ends: there is no loop', async () => {
      const before = (await lastGood.control.evidence(2_000)).entranceRequests;
      await greeter?.close();
      await assert.rejects(whoIsAt(at.mail.port));
      const { entranceRequests } = await lastGood.control.evidence(2_000);
      assert.ok(entranceRequests - before < 20, `${entranceRequests - before} came by the entrance`);
    });
  });
