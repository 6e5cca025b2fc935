import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EngineName } from '#model';
import { selfSigned } from '../world/certificate.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';
import { type Greeter, startGreeter, startStreamLoad, talkTo, whoIsAt } from '../world/streams.ts';

/** A machine may be very busy. */
const waitMsMax = 60_000;

interface Servers {
  readonly mail: readonly { readonly port: number }[];
  readonly shop: { readonly port: number };
  readonly api: { readonly port: number };
}

const engines: readonly EngineName[] = ['haproxy', 'builtin', 'nginx'];

for (const engine of engines)
  describe(`TCP and TLS listeners under the guard: ${engine}`, () => {
    const greeters: Record<string, Greeter> = {};
    let stack: Stack;
    let [mailPort, tlsPort] = [0, 0];
    const loads: ReturnType<typeof startStreamLoad>[] = [];
    const startLoad = (atOnce: number) => {
      const load = startStreamLoad(mailPort, atOnce);
      loads.push(load);
      return load;
    };

    const textFor = ({ mail, shop, api }: Servers) => `site: streams
listeners:
  - { name: mail, address: "127.0.0.1:${mailPort}", protocol: TCP }
  - { name: tls, address: "127.0.0.1:${tlsPort}", protocol: TLS }
routes:
  - { name: mail, listeners: [mail], pool: mail }
  - { name: api, listeners: [tls], hostnames: ["*.api.example"], pool: api }
  - { name: shop, listeners: [tls], hostnames: [shop.example], pool: shop }
pools:
  - name: mail
    servers: [${mail.map(({ port }) => `"127.0.0.1:${port}"`).join(', ')}]
  - { name: shop, servers: ["127.0.0.1:${shop.port}"] }
  - { name: api, servers: ["127.0.0.1:${api.port}"] }
balancers:
  - { name: lb-1, engine: ${engine}, address: 127.0.0.1 }
guard: { drainTimeout: 2s }
`;
    const greeter = (name: string): Greeter => {
      const found = greeters[name];
      assert.ok(found);
      return found;
    };
    const servers = (mail: string): Servers => ({
      mail: [greeter(mail)],
      shop: greeter('shop'),
      api: greeter('api'),
    });
    const siteOf = (all: Servers) => textOf(textFor(all), stack.folder);

    before(async () => {
      for (const name of ['one', 'two']) greeters[name] = await startGreeter(name);
      for (const name of ['shop', 'api']) greeters[name] = await startGreeter(name, { tls: selfSigned() });
      [mailPort, tlsPort] = [await freePort(), await freePort()];
      stack = await startStack({ siteText: () => textFor(servers('one')), engine });
    });

    after(async () => {
      for (const load of loads) await load.stop();
      await stack.stop();
      for (const one of Object.values(greeters)) await one.close();
    });

    test('connections reach the server of their listener and name', async () => {
      assert.equal(await whoIsAt(mailPort), 'one');
      assert.equal(await whoIsAt(tlsPort, 'shop.example'), 'shop');
      assert.equal(await whoIsAt(tlsPort, 'a.b.api.example'), 'api');
      await assert.rejects(whoIsAt(tlsPort, 'other.example'));
      await assert.rejects(whoIsAt(tlsPort, ''));
    });

    test('status names the addresses', async () => {
      assert.deepEqual((await stack.call('status', {})).addresses, [
        `tcp://127.0.0.1:${mailPort}`,
        `tls://127.0.0.1:${tlsPort}`,
      ]);
    });

    test('the rehearsal asks every route', async () => {
      const { ok, witnesses } = await stack.call('rehearse', { site: siteOf(servers('two')) });
      assert.deepEqual(
        witnesses.map(({ request, expected, got }) => [request, expected, got]),
        [
          [`TCP connection to port ${mailPort}`, 'pool mail', 'pool mail'],
          [`TLS connection to port ${tlsPort} for shop.example`, 'pool shop', 'pool shop'],
          [`TLS connection to port ${tlsPort} for www.api.example`, 'pool api', 'pool api'],
        ],
      );
      assert.ok(ok);
    });

    test('the way back is tried with a connection', async () => {
      const { ok, tried } = await stack.call('wayBack', {});
      assert.ok(ok, JSON.stringify(tried));
      assert.ok(tried.some(({ what }) => what === `TCP connection to port ${mailPort} on the public socket`));
    });

    test('a server that does not exist is found before', async () => {
      const nobody = { port: await freePort() };
      const site = siteOf({ ...servers('one'), mail: [nobody] });
      const name = `127.0.0.1-${nobody.port}`;
      const [found] = await stack.call('probe', { site, servers: [{ pool: 'mail', server: name }] });
      assert.equal(found?.ok, false);
    });

    test('a good change goes live without a failed connection, and kept ones go on until the limit', async () => {
      const kept = talkTo(mailPort);
      await kept.until('one\n');
      const load = startLoad(4);
      const started = await stack.call('candidate', { site: siteOf(servers('two')), change: 'good' });
      assert.deepEqual(
        started.witnesses.map(({ status }) => status),
        ['connected', 'handshake', 'handshake'],
      );
      await stack.call('expose', { change: 'good', share: 1, leaseMs: 60_000, requestsMax: null });
      await until(
        'connections to the candidate',
        async () => {
          const { candidate } = await stack.call('observe', { change: 'good' });
          return candidate.requests > 20;
        },
        waitMsMax,
      );
      await stack.call('promote', { change: 'good' });
      kept.socket.write('still here\n');
      await kept.until('still here\n');
      const { failed, byAnswer } = await load.stop();
      assert.deepEqual(failed, []);
      assert.ok((byAnswer.two ?? 0) > 0);
      assert.notEqual(await kept.ended, '', 'the drain limit ends what is still open');
      assert.equal(await whoIsAt(mailPort), 'two');
    });

    test('a forced bad change is taken back, and the net serves meanwhile', async () => {
      const nobody = { port: await freePort() };
      const load = startLoad(4);
      await stack.call('candidate', {
        site: siteOf({ ...servers('two'), mail: [nobody] }),
        change: 'bad',
      });
      await stack.call('expose', { change: 'bad', share: 1, leaseMs: 60_000, requestsMax: null });
      const takenBack = await until(
        'the taking back',
        async () => (await stack.call('observe', { change: 'bad' })).takenBack,
        waitMsMax,
      );
      assert.ok(['netUses', 'liveServers'].includes(takenBack.evidence.cause), takenBack.reason);
      const { failed, byAnswer } = await load.stop();
      assert.deepEqual(failed, []);
      assert.deepEqual(Object.keys(byAnswer), ['two']);
    });

    test('without a net, connections that no server takes are errors', async () => {
      const nobody = { port: await freePort() };
      const text = `${textFor({ ...servers('two'), mail: [nobody] }).replace(
        'guard: {',
        'guard: { net: false,',
      )}`;
      await stack.call('candidate', { site: textOf(text, stack.folder), change: 'bare' });
      const load = startLoad(2);
      await stack.call('expose', { change: 'bare', share: 1, leaseMs: 60_000, requestsMax: null });
      const { evidence } = await until(
        'the taking back',
        async () => (await stack.call('observe', { change: 'bare' })).takenBack,
        waitMsMax,
      );
      await load.stop();
      assert.equal(evidence.candidate.netUses, 0);
      assert.ok(evidence.cause !== 'comparison', evidence.cause);
      assert.equal(await whoIsAt(mailPort), 'two');
    });
  });
