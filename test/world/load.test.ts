import assert from 'node:assert/strict';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerReader } from '../../src/main/replay/load/answer.ts';
import { selfSigned } from './certificate.ts';
import {
  type Load,
  type LoadCounts,
  type LoadPlan,
  type LoadResult,
  startLoad,
  startLoadProcess,
  usualLoad,
} from './load.ts';
import { freePort, startOrigin } from './origins.ts';

const tls = selfSigned();
/** The time-out is far off: whoever tests one sets it. */
const small: LoadPlan = { ...usualLoad, ratePerSecond: 200, connections: 4, timeoutMs: 20_000 };

async function until(load: Load, holds: (counts: LoadCounts) => boolean): Promise<LoadResult> {
  while (!holds(await load.counts())) await sleep(2);
  return load.stop();
}

const ended =
  (atLeast: number) =>
  (counts: LoadCounts): boolean =>
    counts.ended >= atLeast;

function listen(server: Server | Http2SecureServer): Promise<number> {
  return new Promise((done) =>
    server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port)),
  );
}

describe('against a server that is right', () => {
  for (const [title, plan, isTls] of [
    ['a new connection for each request', { kind: 'new' }, false],
    ['kept-alive connections', { kind: 'kept' }, false],
    ['a new TLS connection for each request', { kind: 'new', tls: true, ratePerSecond: 40 }, true],
    ['kept-alive TLS connections', { kind: 'kept', tls: true, ratePerSecond: 40 }, true],
  ] as const) {
    test(`${title}: all are ok, none twice`, async () => {
      const origin = await startOrigin({ name: 'web-1', tls: isTls ? tls : null });
      try {
        const load = await startLoad({ ...small, port: origin.port, expectBody: 'web-1', ...plan });
        const { counts, records } = await until(load, ended(60));
        assert.equal(counts.ok, counts.sent, JSON.stringify(counts));
        assert.equal(records.length, counts.sent);
        assert.equal(origin.requests(), counts.sent);
        assert.deepEqual(counts.byStatus, { 200: counts.sent });
        assert.equal(records[0]?.marker, 'web-1\n');
        const fresh = records.filter((r) => !r.reused).length;
        if (plan.kind === 'kept') assert.ok(fresh < counts.sent, `${fresh} fresh of ${counts.sent}`);
        else assert.equal(fresh, counts.sent);
      } finally {
        await origin.close();
      }
    });
  }

  test('HTTP/2: all are ok, over as many sessions as wanted', async () => {
    const server = createSecureServer(tls, (_, response) => {
      response.setHeader('x-gen', '7');
      response.end('hello');
    });
    let sessions = 0;
    server.on('session', () => sessions++);
    const port = await listen(server);
    try {
      const { counts, records } = await until(await startLoad({ ...small, port, kind: 'h2' }), ended(60));
      assert.equal(counts.ok, counts.sent, JSON.stringify(counts));
      assert.equal(sessions, 4);
      assert.equal(records.filter(({ reused }) => !reused).length, 4);
      assert.ok(records.every(({ marker }) => marker === '7'));
    } finally {
      server.close();
    }
  });

  test('the rate is steady and waits for nobody: a server 300 ms slow gets just as many', async () => {
    const origin = await startOrigin({ name: 'web-1', delayMs: 300 });
    try {
      const load = await startLoad({ ...small, port: origin.port, kind: 'kept' });
      const { counts, records, startedAt } = await until(load, ({ sent }) => sent >= 100);
      const lastDueAt = Math.max(...records.map(({ dueAt }) => dueAt));
      assert.equal(Math.round((lastDueAt - startedAt) / 5), counts.sent - 1);
      assert.equal(counts.ok, counts.sent, JSON.stringify(counts));
      const latencies = records.map(({ dueAt, endedAt }) => endedAt - dueAt);
      assert.ok(Math.min(...latencies) >= 295, 'the server is slow, and nobody waited for it');
      assert.ok(origin.atOnce() > 30, `${origin.atOnce()} at once over 4 connections opened before`);
    } finally {
      await origin.close();
    }
  });
});

describe('against a server that fails', () => {
  for (const [way, kind, expected] of [
    ['errors', 'new', 'bad status'],
    ['wrong', 'kept', 'wrong answer'],
    ['resets', 'new', 'reset'],
    ['half', 'new', 'reset'],
    ['blackhole', 'new', 'timed out'],
    ['blackhole', 'kept', 'timed out'],
    ['refuses', 'new', 'refused'],
  ] as const) {
    test(`${way}, ${kind}: ${expected}`, async () => {
      const origin = await startOrigin({ name: 'web-1', way });
      try {
        const load = await startLoad({
          ...small,
          port: origin.port,
          kind,
          expectBody: 'web-1',
          timeoutMs: way === 'blackhole' ? 100 : small.timeoutMs,
        });
        const { counts, records } = await until(load, ended(20));
        assert.equal(counts.byOutcome[expected], counts.sent, JSON.stringify(counts));
        if (way !== 'refuses') assert.equal(origin.requests(), counts.sent);
        if (expected === 'timed out') {
          const tookMs = records.map(({ sentAt, endedAt }) => endedAt - sentAt);
          assert.ok(Math.min(...tookMs) >= 100, `${Math.min(...tookMs)} ms`);
        }
      } finally {
        await origin.close();
      }
    });
  }

  test('a reset on a connection that was used before is told apart from one on a fresh connection', async () => {
    // Answers the first request of each connection and resets at the second.
    const server = createServer((socket) => {
      let requests = 0;
      socket.on('error', () => {});
      socket.on('data', () => {
        requests += 1;
        if (requests === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      });
    });
    const port = await listen(server);
    try {
      const { counts } = await until(await startLoad({ ...small, port, kind: 'kept' }), ended(40));
      assert.equal(counts.brokenFresh, 0);
      assert.ok(counts.brokenReused > 5);
      assert.equal(counts.ok + counts.brokenReused, counts.sent);
      assert.equal(counts.byOutcome.reset, counts.brokenReused);
    } finally {
      server.close();
    }
  });

  test('HTTP/2: a refused stream and a reset stream are not the same', async () => {
    const server = createSecureServer(tls);
    let streams = 0;
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      streams += 1;
      if (streams % 2 === 0) stream.respond({ ':status': 503 }, { endStream: true });
      else stream.close(7);
    });
    const port = await listen(server);
    try {
      const load = await startLoad({ ...small, port, kind: 'h2' });
      const { counts } = await until(load, ended(40));
      assert.equal(counts.byOutcome['refused stream'] + counts.byOutcome['bad status'], counts.sent);
      assert.equal(counts.byOutcome['refused stream'], Math.ceil(streams / 2), JSON.stringify(counts));
      assert.equal(counts.byStatus[503], Math.floor(streams / 2));
    } finally {
      server.close();
    }
  });

  test('HTTP/2: every request of a server that dies is counted, and stop does not hang', async () => {
    const server = createSecureServer(tls, () => {});
    const sessions = new Set<{ destroy(): void }>();
    server.on('session', (session) => sessions.add(session));
    const port = await listen(server);
    const load = await startLoad({ ...small, port, kind: 'h2', timeoutMs: 200 });
    while ((await load.counts()).sent < 10) await sleep(2);
    server.close();
    for (const session of sessions) session.destroy();
    const { counts } = await until(load, ended(40));
    assert.equal(counts.ok, 0);
    assert.equal(counts.ended, counts.sent);
    assert.ok(counts.byOutcome.refused > 0, JSON.stringify(counts));
  });

  test('a first connection that cannot be opened is an error, not a load of nothing', async () => {
    const port = await freePort();
    await assert.rejects(startLoad({ ...small, port, kind: 'kept' }), { code: 'ECONNREFUSED' });
    await assert.rejects(startLoad({ ...small, port, kind: 'h2' }), { code: 'ECONNREFUSED' });
    await assert.rejects(startLoadProcess({ ...small, port, kind: 'kept' }), /ECONNREFUSED/);
  });
});

describe('in its own process', () => {
  test('1,000 requests a second, kept and new, and the stall beside', async () => {
    const origin = await startOrigin({ name: 'web-1' });
    try {
      for (const kind of ['kept', 'new'] as const) {
        const load = await startLoadProcess({ ...small, port: origin.port, kind, ratePerSecond: 1_000 });
        const { counts, stall, startedAt, records } = await until(load, ({ sent }) => sent >= 1_000);
        assert.equal(counts.ok, counts.sent, JSON.stringify(counts));
        const spanMs = Math.max(...records.map(({ dueAt }) => dueAt)) - startedAt;
        assert.ok(Math.abs(counts.sent - spanMs) <= 2, `${counts.sent} in ${spanMs} ms`);
        assert.ok(stall.samples > 100 && stall.maxMs >= stall.p99Ms && stall.p99Ms >= stall.p50Ms);
      }
    } finally {
      await origin.close();
    }
  });

  test('it is gone after stop', async () => {
    const origin = await startOrigin({ name: 'web-1' });
    const load = await startLoadProcess({ ...small, port: origin.port });
    await load.stop();
    assert.throws(() => process.kill(load.pid, 0), { code: 'ESRCH' });
    await assert.rejects(
      load.stop(),
      /the load process has ended/,
      'whoever asks it again does not wait for ever',
    );
    await origin.close();
  });
});

describe('the reader of answers', () => {
  const chunked =
    'HTTP/1.1 200 OK\r\nX-Gen: 3\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nx: y\r\n\r\n';
  const early = `HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${chunked}`;
  for (const [name, text] of Object.entries({ chunked, early })) {
    test(`${name}, cut anywhere, is whole at its last byte`, () => {
      for (let cut = 1; cut < text.length; cut++) {
        const reader = answerReader('x-gen');
        assert.equal(reader.push(Buffer.from(text.slice(0, cut))), 'more', `cut at ${cut}`);
        const answer = reader.push(Buffer.from(text.slice(cut)));
        assert.deepEqual(answer, { status: 200, marker: '3', body: 'hello world', keepAlive: true });
      }
    });
  }

  test('an answer without a length ends with its connection; what is not HTTP is broken', () => {
    const reader = answerReader('x-gen');
    assert.equal(reader.push(Buffer.from('HTTP/1.1 200 OK\r\n\r\nhello')), 'more');
    assert.deepEqual(reader.end(), { status: 200, marker: 'hello', body: 'hello', keepAlive: false });
    assert.equal(answerReader('x-gen').push(Buffer.from('SSH-2.0-x\r\n\r\n')), 'broken');
    assert.equal(answerReader('x-gen').push(Buffer.alloc(70_000, 'x')), 'broken');
  });
});
