import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineNames } from '#model';
import { clientHello } from '#probe';
import { until } from '../world/haproxy.ts';
import { agreedOn, greet, openStreamField, type StreamField, waitMsMax } from '../world/stream-field.ts';
import type { Listener } from '../world/stream-site.ts';
import { talkTo, whoIsAt } from '../world/streams.ts';

let ran = 0;

for (const engine of engineNames)
  describe(`who gets to which server: ${engine}`, () => {
    let field: StreamField;
    before(async () => {
      field = await openStreamField(engine);
      ran += 1;
    });
    after(() => field.close());
    const agreed = agreedOn(engine, () => field);

    for (const [listener, version] of [
      ['told', 'v1'],
      ['two', 'v2'],
    ] as const)
      agreed(
        `a PROXY header says whom a connection is for, and is passed on: ${version}`,
        async () => {
          const heard = new Promise<Buffer>((resolve) => {
            field.serve = (socket) => {
              let all: Buffer = Buffer.alloc(0);
              socket.on('data', (bytes) => {
                all = Buffer.concat([all, Buffer.from(bytes)]);
                if (all.includes('hello')) resolve(all);
              });
            };
          });
          const client = connect(field.portOf(listener), '127.0.0.1');
          client.on('error', () => {});
          client.write('PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\nhello');
          const bytes = await heard;
          if (version === 'v1') assert.match(bytes.toString('latin1'), /^PROXY TCP4 192\.0\.2\.7 /);
          else assert.equal(bytes.subarray(16, 20).join('.'), '192.0.2.7');
          assert.ok(bytes.toString('latin1').endsWith('hello'));
          client.destroy();
        },
        listener,
      );

    agreed('more connections than may be at once are closed, and later ones are not', async () => {
      field.serve = greet;
      const first = talkTo(field.portOf('most'));
      const second = talkTo(field.portOf('most'));
      await Promise.all([first.until('hello\n'), second.until('hello\n')]);
      const third = talkTo(field.portOf('most'));
      await assert.rejects(third.until('hello\n'));
      first.socket.destroy();
      await until(
        'there is room again',
        () =>
          whoIsAt(field.portOf('most')).then(
            () => true,
            () => false,
          ),
        waitMsMax,
      );
      second.socket.destroy();
    });

    agreed('more connections of one client than it may have are closed', async () => {
      field.serve = greet;
      const first = talkTo(field.portOf('each'));
      await first.until('hello\n');
      await assert.rejects(talkTo(field.portOf('each')).until('hello\n'));
      first.socket.destroy();
      await until(
        'there is room again',
        () =>
          whoIsAt(field.portOf('each')).then(
            () => true,
            () => false,
          ),
        waitMsMax,
      );
    });

    agreed('who may not connect is closed, and counts as a client in error', async () => {
      field.serve = greet;
      const before = await field.evidence();
      await assert.rejects(whoIsAt(field.portOf('shut')));
      assert.equal(await whoIsAt(field.portOf('open')), 'hello');
      await until(
        'it is counted',
        async () => (await field.evidence()).clientErrors > before.clientErrors,
        waitMsMax,
      );
      assert.equal((await field.evidence()).errors, before.errors);
    });

    agreed('a server that does not exist is no failed connection where another one does', async () => {
      const before = await field.evidence();
      for (let i = 0; i < 8; i += 1) assert.equal(await whoIsAt(field.portOf('half')), 'one');
      assert.equal((await field.evidence()).errors, before.errors);
    });

    agreed('a connection that no server takes is an error', async () => {
      const before = await field.evidence();
      await assert.rejects(whoIsAt(field.portOf('gone')));
      await until('it is counted', async () => (await field.evidence()).errors > before.errors, waitMsMax);
      const { pools, requests } = await field.evidence();
      assert.ok(requests > before.requests);
      assert.ok((pools.find(({ pool }) => pool === 'gone')?.errors ?? 0) > 0);
    });

    agreed('a spare server takes over', async () => {
      await until(
        'the spare one answers',
        () =>
          whoIsAt(field.portOf('alone')).then(
            (who) => who === 'two',
            () => false,
          ),
        waitMsMax,
      );
    });

    agreed('pools share by weight', async () => {
      const seen = { one: 0, two: 0 } as Record<string, number>;
      for (let i = 0; i < 60; i += 1) {
        const who = await whoIsAt(field.portOf('share'));
        seen[who] = (seen[who] ?? 0) + 1;
      }
      assert.deepEqual(Object.keys(seen).toSorted(), ['one', 'two']);
      assert.ok((seen.one ?? 0) > (seen.two ?? 0), JSON.stringify(seen));
    });

    agreed('the name that a client asks for decides, and the handshake is with its server', async () => {
      assert.equal(await whoIsAt(field.portOf('names'), 'ONE.shop.example'), 'exact');
      assert.equal(await whoIsAt(field.portOf('names'), 'a.b.shop.example'), 'wild');
      assert.equal(await whoIsAt(field.portOf('strict'), 'x.shop.example'), 'wild');
    });

    /** The bytes as they are sent, each part by itself; resolves with what is heard, or '' when it is closed. */
    const send = async (listener: Listener, parts: readonly Buffer[]) => {
      const talk = talkTo(field.portOf(listener));
      talk.socket.setNoDelay(true);
      for (const [i, part] of parts.entries()) {
        if (i > 0) await sleep(20);
        talk.socket.write(part);
      }
      const heard = await talk.until('\n').then(talk.heard, () => '');
      talk.socket.destroy();
      return heard.split('\n')[0];
    };

    agreed('another name, or none, goes where the route without names leads, or is closed', async () => {
      for (const name of ['other.example', 'shop.example', null]) {
        assert.equal(await send('names', [await clientHello(name)]), 'rest');
        assert.equal(await send('strict', [await clientHello(name)]), '');
      }
    });

    agreed('a message may come in pieces', async () => {
      const hello = await clientHello('other.example');
      const parts = [0, 1, 5, 40, 200].map((at, i, all) => hello.subarray(at, all[i + 1]));
      assert.equal(await send('names', parts), 'rest');
    });

    agreed('what is no TLS is closed, and so is what is not whole in time', async () => {
      const before = await field.evidence();
      const hello = await clientHello('other.example');
      assert.equal(await send('names', [Buffer.from('GET / HTTP/1.1\r\n\r\n')]), '');
      assert.equal(await send('late', [hello.subarray(0, 60)]), '');
      assert.equal(await send('late', []), '');
      await until(
        'they are counted',
        async () => (await field.evidence()).clientErrors >= before.clientErrors + 3,
        waitMsMax,
      );
    });

    // Published in docs/site.md: HAProxy reads the first record only, and takes such a message for one without a name.
    agreed('a message in several records', async () => {
      const message = (await clientHello('x.shop.example')).subarray(5);
      const record = (part: Buffer) => {
        const head = Buffer.from([22, 3, 1, 0, 0]);
        head.writeUInt16BE(part.length, 3);
        return Buffer.concat([head, part]);
      };
      const talk = talkTo(field.portOf('names'));
      talk.socket.write(Buffer.concat([record(message.subarray(0, 50)), record(message.subarray(50))]));
      if (engine === 'haproxy') await talk.until('rest\n');
      // A server of TLS answers with a record of its own: a handshake, or that it does not like the pieces.
      else await until('a server of TLS answers', () => talk.heard().charCodeAt(1) === 3, waitMsMax);
      talk.socket.destroy();
    });
  });

after(() => assert.equal(ran, engineNames.length, 'every engine was asked'));
