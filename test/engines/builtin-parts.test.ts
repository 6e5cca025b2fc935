import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BuiltinPool } from '#dialects';
import { type Choosable, choosers } from '../../src/engines/builtin/process/algorithm.ts';
import { ErrorLog } from '../../src/engines/builtin/process/counters.ts';
import { judge, PoolState } from '../../src/engines/builtin/process/pool.ts';
import { parseProxy, proxyHeader } from '../../src/engines/builtin/process/proxy-protocol.ts';
import { poolOf } from '../world/sites.ts';

const { place: _, tls: __, ...usual } = poolOf('web', []);
const pool: BuiltinPool = {
  ...usual,
  tls: null,
  servers: ['a', 'b', 'c'].map((name, i) => ({
    name,
    at: { kind: 'tcp', host: '127.0.0.1', port: 1_000 + i },
    weight: 1,
    connectionsMax: null,
    tlsName: null,
    spare: false,
  })),
};

describe('algorithms', () => {
  const servers = (weights: readonly number[], active: readonly number[] = []): Choosable[] =>
    weights.map((weight, i) => ({ key: `web/${i}`, weight, active: active[i] ?? 0, turn: 0 }));
  const counts = (chosen: readonly (Choosable | null)[]) => {
    const result: Record<string, number> = {};
    for (const server of chosen) if (server) result[server.key] = (result[server.key] ?? 0) + 1;
    return result;
  };
  const choice = { source: '10.0.0.1', hashKey: null, random: Math.random };
  const times = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i));

  test('every one gives nothing for no servers, and the only one for one', () => {
    for (const choose of Object.values(choosers)) {
      assert.equal(choose([], choice), null);
      const [only, ...none] = servers([3]);
      assert.equal(
        choose(
          [only, ...none].filter((s) => s !== undefined),
          choice,
        ),
        only,
      );
    }
  });

  test('roundrobin: exact shares, spread out', () => {
    const three = servers([5, 1, 1]);
    const chosen = times(7, () => choosers.roundrobin(three, choice)?.key.slice(-1)).join('');
    assert.equal(chosen, '0010200');
  });

  test('leastconn: the least loaded for its weight; equals take turns', () => {
    assert.equal(choosers.leastconn(servers([1, 4, 1], [2, 4, 2]), choice)?.key, 'web/1');
    const equal = servers([1, 1, 1]);
    assert.deepEqual(counts(times(9, () => choosers.leastconn(equal, choice))), {
      'web/0': 3,
      'web/1': 3,
      'web/2': 3,
    });
  });

  test('random: shares near the weights, the loaded one least', () => {
    const shares = counts(times(4_000, () => choosers.random(servers([1, 1, 1], [0, 0, 50]), choice)));
    assert.ok((shares['web/2'] ?? 0) < 700, JSON.stringify(shares));
  });

  test('source: the same client, the same server; when one goes, only its clients move', () => {
    const all = servers([1, 1, 2]);
    const of = (list: readonly Choosable[]) =>
      times(600, (i) => choosers.source(list, { ...choice, source: `10.0.${i >> 8}.${i & 255}` })?.key);
    const before = of(all);
    assert.deepEqual(of(all), before);
    const [, ...rest] = all;
    const after = of(rest);
    assert.ok(before.every((key, i) => key === 'web/0' || key === after[i]));
    const heavy = before.filter((key) => key === 'web/2').length;
    assert.ok(heavy > 240 && heavy < 360, `${heavy} of 600 for half of the weight`);
  });
});

describe('health', () => {
  test('the first check decides, then fall and rise; a check that decides alone takes it out at once', () => {
    const state = new PoolState(pool, 10);
    const [server] = state.servers;
    assert.ok(server);
    const say = (ok: boolean, alone = false) => {
      judge(state, server, ok, ok ? 'L4OK' : 'L4CON', alone);
      return server.state;
    };
    assert.deepEqual([say(false), say(true), say(true)], ['down', 'down', 'up']);
    assert.deepEqual([say(false), say(false), say(true), say(false), say(false), say(false)].at(-2), 'up');
    assert.equal(server.state, 'down');
    assert.deepEqual([say(true, true), say(true), say(false, true)], ['down', 'up', 'down']);
    assert.equal(state.live, 2);
  });

  test('whoever waits for room is told when the last server goes down', async () => {
    const [first] = pool.servers;
    assert.ok(first);
    const state = new PoolState({ ...pool, servers: [{ ...first, connectionsMax: 1 }] }, 10);
    const gone = { gone: false, whenGone() {} };
    const nothing = { source: '', hashKey: null, sticky: null };
    const lease = await state.acquire(nothing, new Set(), gone);
    assert.equal(lease.kind, 'server');
    const waiting = state.acquire(nothing, new Set(), gone);
    const [server] = state.servers;
    assert.ok(server);
    judge(state, server, false, 'L4CON');
    assert.equal((await waiting).kind, 'none');
  });
});

describe('the PROXY protocol', () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6();
  const port = fc.integer({ min: 0, max: 65_535 });

  test('version 2 comes back as it went, cut anywhere it is incomplete', () => {
    const both = fc.oneof(fc.tuple(v4, v4), fc.tuple(v6, v6));
    fc.assert(
      fc.property(both, port, port, ([from, to], fromPort, toPort) => {
        const bytes = proxyHeader({ address: from, port: fromPort }, { address: to, port: toPort });
        const parsed = parseProxy(Buffer.concat([bytes, Buffer.from('GET')]));
        assert.equal(parsed.kind, 'header');
        if (parsed.kind !== 'header') return;
        const { header } = parsed;
        assert.equal(header.length, bytes.length);
        assert.deepEqual([header.client?.port, header.local?.port], [fromPort, toPort]);
        assert.equal(plain(header.client?.address), plain(from));
        assert.equal(plain(header.local?.address), plain(to));
        for (let cut = 0; cut < bytes.length; cut += 1)
          assert.equal(parseProxy(bytes.subarray(0, cut)).kind, 'incomplete', `cut at ${cut}`);
      }),
    );
  });

  test('any bytes give an answer, never an exception', () => {
    const start = fc.constantFrom(
      '',
      'PROXY ',
      'PROXY TCP4 ',
      '\r\n\r\n\0\r\nQUIT\n',
      '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x20',
    );
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 200 }), (first, rest) => {
        const parsed = parseProxy(Buffer.concat([Buffer.from(first, 'latin1'), rest]));
        assert.ok(['header', 'incomplete', 'wrong'].includes(parsed.kind));
      }),
    );
  });

  /** One way of writing an address, through the platform's own parser. */
  function plain(address = ''): string {
    return address.includes(':') ? new URL(`http://[${address}]/`).hostname : address;
  }
});

test('the error log keeps the newest lines, each with eight fields', () => {
  const log = new ErrorLog(3);
  for (let i = 0; i < 20; i += 1)
    log.add({
      status: 503,
      why: `no ${i}`,
      pool: '',
      server: '',
      retries: 0,
      method: 'GET',
      path: '/ä b',
      host: 'a',
    });
  assert.deepEqual(
    log.newest(10),
    ['17', '18', '19'].map((i) => `503 no-${i} - - 0 GET /-b a`),
  );
  assert.deepEqual(log.newest(0), []);
});
