import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startOrigin, startOrigins } from './origins.ts';

const ask = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } })).text();

test('each says its name, and becomes bad and good again on the same port', async () => {
  const origins = await startOrigins(3);
  const [first, second] = origins;
  assert.ok(first && second);
  try {
    assert.equal(await ask(first.port), 'web-1\n');
    assert.equal(await ask(second.port), 'web-2\n');
    const { port } = first;
    await first.become('wrong');
    assert.equal(await ask(port), 'somebody else\n');
    for (const way of ['refuses', 'resets', 'half'] as const) {
      await first.become(way);
      await assert.rejects(ask(port), `${way} answers`);
    }
    await first.become('right');
    assert.equal(first.port, port);
    assert.equal(await ask(port), 'web-1\n');
  } finally {
    await Promise.all(origins.map((o) => o.close()));
  }
});

test('one that leaves gives one more answer, and is not there for anybody else', async () => {
  const origin = await startOrigin({ name: 'old' });
  try {
    await origin.become('leaves');
    const last = await fetch(`http://127.0.0.1:${origin.port}/`);
    assert.equal(last.headers.get('connection'), 'close');
    assert.equal(await last.text(), 'old\n');
    await assert.rejects(ask(origin.port));
    await origin.become('right');
    assert.equal(await ask(origin.port), 'old\n');
  } finally {
    await origin.close();
  }
});

test('a bottleneck: two at once, the others wait in line, all are answered', async () => {
  const origin = await startOrigin({ name: 'narrow', delayMs: 30, atOnceMax: 2 });
  try {
    const began = performance.now();
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(origin.port)));
    assert.deepEqual(answers, Array(8).fill('narrow\n'));
    assert.equal(origin.atOnce(), 2);
    assert.ok(performance.now() - began >= 4 * 29, 'eight requests, two at once, take four rounds');
  } finally {
    await origin.close();
  }
});

test('a request whose client has gone leaves the line', async () => {
  const origin = await startOrigin({ name: 'narrow', delayMs: 50, atOnceMax: 1 });
  try {
    const gone = Array.from({ length: 5 }, () =>
      fetch(`http://127.0.0.1:${origin.port}/`, { signal: AbortSignal.timeout(20) }),
    );
    const ends = await Promise.allSettled(gone);
    assert.ok(ends.every(({ status }) => status === 'rejected'));
    assert.equal(await ask(origin.port), 'narrow\n');
  } finally {
    await origin.close();
  }
});
