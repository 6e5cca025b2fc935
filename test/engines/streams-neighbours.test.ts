import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { siteOf } from '../model/site.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { freePort } from '../world/stack.ts';
import { type Greeter, startGreeter, talkTo, whoIsAt } from '../world/streams.ts';

const waitMsMax = 20_000;
const pairs = [
  ['haproxy', 'haproxy'],
  ['haproxy', 'builtin'],
  ['builtin', 'haproxy'],
  ['builtin', 'builtin'],
] as const;

const textFor = (port: number, server: number) => `site: streams
listeners: [{ name: mail, address: "127.0.0.1:${port}", protocol: TCP }]
routes: [{ listeners: [mail], pool: mail }]
pools: [{ name: mail, servers: ["127.0.0.1:${server}"], retries: { max: 1 } }]
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`;

for (const [good, bad] of pairs)
  describe(`connections are led from ${bad} to ${good}`, () => {
    const worlds: EngineWorld[] = [];
    let greeter: Greeter | undefined;
    let socket: PublicSocket;
    let candidate: Generation;
    let lastGood: Generation;

    before(async () => {
      greeter = await startGreeter('good');
      for (const engine of [good, bad]) worlds.push(await everyEngineWorld[engine]());
      const [first, second] = worlds;
      assert.ok(first && second);
      socket = await first.socket();
      const sockets = { mail: socket };
      const nobody = await freePort();
      lastGood = await first.start(siteOf(textFor(socket.port, greeter.port)), {
        name: 'good',
        sockets,
        parked: true,
        // The two are each other's: what a net has led once is led no further.
        neighbour: `${second.folder}/bad/entrance.sock`,
      });
      candidate = await second.start(siteOf(textFor(socket.port, nobody)), {
        name: 'bad',
        sockets,
        neighbour: lastGood.entrance,
      });
    });

    after(async () => {
      // First who listens in this process: it would not end while one of them is open, whatever goes wrong below.
      await greeter?.close();
      await Promise.all(worlds.toReversed().map((world) => world.close()));
    });

    test('the net: who finds no server in one gets one of the other, and it is counted', async () => {
      for (let i = 0; i < 5; i += 1) assert.equal(await whoIsAt(socket.port), 'good');
      await until(
        'the net is counted',
        async () => (await candidate.control.evidence(2_000)).netUses >= 5,
        waitMsMax,
      );
      const { errors } = await candidate.control.evidence(2_000);
      const { entranceRequests } = await lastGood.control.evidence(2_000);
      assert.equal(errors, 0);
      assert.ok(entranceRequests >= 5);
    });

    test('without the net it is an error; with it again, none', async () => {
      await candidate.control.net(false, waitMsMax);
      await assert.rejects(whoIsAt(socket.port));
      await candidate.control.net(true, waitMsMax);
      assert.equal(await whoIsAt(socket.port), 'good');
    });

    test('taken back: new connections are led, whatever servers there are; open ones stay', async () => {
      const kept = talkTo(socket.port);
      try {
        await kept.until('good\n');
        await candidate.control.net(false, waitMsMax);
        await candidate.control.takeBack(true, waitMsMax);
        assert.equal(await whoIsAt(socket.port), 'good');
        kept.socket.write('still here\n');
        await kept.until('still here\n');
      } finally {
        kept.socket.destroy();
      }
      await candidate.control.takeBack(false, waitMsMax);
      await candidate.control.net(true, waitMsMax);
    });

    test('when neither has a server, a connection ends: there is no loop', async () => {
      await greeter?.close();
      await assert.rejects(whoIsAt(socket.port));
      const counts = await lastGood.control.evidence(2_000);
      assert.ok(counts.entranceRequests < 50, `${counts.entranceRequests} came by the entrance`);
    });
  });
