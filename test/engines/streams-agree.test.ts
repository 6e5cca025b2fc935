import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineNames } from '#model';
import { until } from '../world/haproxy.ts';
import { agreedOn, greet, openStreamField, type StreamField, waitMsMax } from '../world/stream-field.ts';
import { talkTo } from '../world/streams.ts';

/** Pipes and TLS break what a reset is; only that it is over counts. */
async function over(socket: Socket): Promise<string> {
  socket.resume();
  return await new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    socket.on('close', () => resolve('end'));
    socket.on('end', () => socket.end());
    if (socket.destroyed) resolve('end');
  });
}
let ran = 0;

for (const engine of engineNames)
  describe(`what is passed on byte by byte: ${engine}`, () => {
    let field: StreamField;
    before(async () => {
      field = await openStreamField(engine);
      ran += 1;
    });
    after(() => field.close());
    const agreed = agreedOn(engine, () => field);

    agreed('a server may speak first, and last', async () => {
      field.serve = (socket) => {
        socket.write('220 ready\r\n');
        socket.once('data', () => socket.end('221 bye\r\n'));
      };
      const talk = talkTo(field.portOf('plain'));
      await talk.until('220 ready\r\n');
      talk.socket.write('QUIT\r\n');
      await talk.until('221 bye\r\n');
      assert.equal(await talk.ended, 'end');
      talk.socket.destroy();
    });

    agreed('a client that has said all still hears the answer', async () => {
      field.serve = (socket) => {
        let heard = '';
        socket.on('data', (bytes) => {
          heard += bytes.toString();
        });
        socket.on('end', () => socket.end(`heard ${heard}`));
      };
      const talk = talkTo(field.portOf('plain'));
      talk.socket.end('all of it');
      await talk.until('heard all of it');
      assert.equal(await talk.ended, 'end');
    });

    agreed('a server that has said all still hears its client', async () => {
      let heard = '';
      field.serve = (socket) => {
        socket.end('all of it');
        socket.on('data', (bytes) => {
          heard += bytes.toString();
        });
      };
      const talk = talkTo(field.portOf('plain'));
      await talk.until('all of it');
      assert.equal(await talk.ended, 'end');
      talk.socket.end('and this');
      await until('the server hears it', () => heard === 'and this', waitMsMax);
    });

    agreed('a server that breaks off ends its client, and is seen to', async () => {
      const served = field.nextServed();
      const talk = talkTo(field.portOf('plain'));
      talk.socket.write('begin');
      const server = await served;
      server.write('half');
      await talk.until('half');
      server.resetAndDestroy();
      assert.notEqual(await talk.ended, '');
      talk.socket.destroy();
    });

    agreed('a client that breaks off ends its server', async () => {
      const ended = new Promise((resolve) => {
        field.serve = (socket) =>
          socket
            .on('data', () => {})
            .on('close', resolve)
            .on('end', resolve);
      });
      const talk = talkTo(field.portOf('plain'));
      talk.socket.write('begin');
      await once(talk.socket, 'connect');
      talk.socket.resetAndDestroy();
      await ended;
    });

    agreed('who reads slowly is waited for, and gets every byte', async () => {
      const bytesAll = 64 * 1024 * 1024;
      const chunk = Buffer.alloc(64 * 1024, 'x');
      let written = 0;
      field.serve = (socket) => {
        const write = () => {
          while (written < bytesAll) {
            written += chunk.length;
            if (!socket.write(chunk)) return;
          }
          socket.end();
        };
        // Health checks say nothing.
        socket.once('data', (said: Buffer) => {
          if (!said.toString().endsWith('go')) return;
          socket.on('drain', write);
          write();
        });
      };
      const client = connect(field.portOf('plain'), '127.0.0.1');
      client.pause();
      client.write('go');
      let before = -1;
      await until(
        'the server waits',
        async () => {
          const now = written;
          const waits = now > 0 && now === before;
          before = now;
          await sleep(200);
          return waits;
        },
        waitMsMax,
      );
      assert.ok(written < bytesAll / 2, `${written} bytes went on their way before anybody read`);
      let heard = 0;
      client.on('data', (bytes) => {
        heard += bytes.length;
      });
      client.resume();
      await once(client, 'close');
      assert.equal(heard, bytesAll);
    });

    agreed('nobody speaks: the connection ends', async () => {
      field.serve = greet;
      const talk = talkTo(field.portOf('idle'));
      assert.notEqual(await talk.ended, '');
      talk.socket.destroy();
    });

    agreed('parked, it takes nobody, and those who are there go on', async () => {
      field.serve = (socket) => {
        socket.write('hello\n');
        socket.pipe(socket);
      };
      const talk = talkTo(field.portOf('plain'));
      await talk.until('hello\n');
      await field.generation.control.park(waitMsMax);
      const { requests } = await field.evidence();
      talk.socket.write('still here\n');
      await talk.until('still here\n');
      const waiting = talkTo(field.portOf('plain'));
      await once(waiting.socket, 'connect');
      assert.equal((await field.evidence()).requests, requests);
      await field.generation.control.resume(waitMsMax);
      await waiting.until('hello\n');
      for (const one of [talk, waiting]) one.socket.destroy();
      await Promise.all([over(talk.socket), over(waiting.socket)]);
    });
  });

after(() => assert.equal(ran, engineNames.length, 'every engine was asked'));
