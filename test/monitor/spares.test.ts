import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tick } from '#events';
import { parseSite, type Site, siteHash, withoutJoined, withSpare } from '#model';
import { Spares, type SpareTurn } from '#monitor';

const block = `site: t # kept
listeners: [{ name: http, address: "*:8080" }]
routes: [{ name: web, pool: web }]
pools:
  - name: web
    servers:
      - { address: "10.0.0.1:80", connectionsMax: 10 }
      - { address: "10.0.0.2:80", connectionsMax: 10 }
      - address: "10.0.0.9:80"   # a spare
        connectionsMax: 10
        spare: true
balancers: [{ name: lb-1, engine: haproxy, address: 127.0.0.1 }]
guard: { spares: { leavesAfter: 60s } }
`;

function siteOf(text: string): Site {
  const { site, diagnostics } = parseSite(text, 'site.yaml', '/tmp');
  assert.ok(site, JSON.stringify(diagnostics));
  return site;
}

function turned(text: string, joins: boolean): string {
  const [pool] = siteOf(text).pools;
  const server = pool?.servers.at(-1);
  assert.ok(server);
  const changed = withSpare(text, 'web', server, joins);
  assert.ok(changed, text);
  return changed;
}

describe('the text of a site whose spare server comes in', () => {
  const flow = block.replace(
    /- address: "10.0.0.9:80".*\n.*\n.*true/,
    '- { name: s9, address: "10.0.0.9:80", spare: true }',
  );
  for (const [name, text] of Object.entries({ block, flow }))
    test(`${name}: only its entry changes, and it means what it did when it has left`, () => {
      const joined = turned(text, true);
      const server = siteOf(joined).pools[0]?.servers.at(-1);
      assert.equal(server?.spare, false);
      assert.match(server?.name ?? '', /-joined$/);
      assert.match(joined, /# kept/);
      assert.equal(siteHash(withoutJoined(siteOf(joined))), siteHash(siteOf(text)));
      assert.equal(siteHash(siteOf(turned(joined, false))), siteHash(siteOf(text)));
    });

  test('a server that is not written out there cannot be turned', () => {
    const server = siteOf(block).pools[0]?.servers.at(-1);
    assert.ok(server);
    assert.equal(withSpare(block.replace(/spare: true/, 'weight: 1'), 'web', server, true), null);
  });
});

/** One balancer, ten ticks a second. */
function field(text = block) {
  const spares = new Spares(siteOf(text));
  let now = 1_000_000;
  let site = text;
  const turns: (SpareTurn & { readonly at: number })[] = [];
  const faulty = new Set<string>();
  return {
    turns,
    faulty,
    /** What it does with a turn: as main does, when `works`. */
    run(seconds: number, inHand: number, queued = 0, works = true) {
      for (let tick = 0; tick < seconds * 10; tick += 1) {
        now += 100;
        spares.tick(tickOf(now, inHand, queued));
        for (const turn of spares.look(now, faulty)) {
          turns.push({ ...turn, at: now });
          if (!works) {
            spares.failed(turn, now);
            continue;
          }
          spares.begun(turn, now);
          site = turned(site, turn.kind === 'joins');
          spares.siteIs(siteOf(site));
        }
      }
      return turns.map(({ kind }) => kind).join(' ');
    },
  };
}

function tickOf(at: number, inHand: number, queued: number): Tick {
  const counts = { requests: 10, errors: 0, clientErrors: 0, connectionErrors: 0, retries: 0 };
  const pool = {
    ...{ pool: 'web', requests: 10, errors: 0, connectionErrors: 0, retries: 0, responseErrors: 0 },
    ...{ serversLive: 2, serversAll: 2, queued, inHand, timedRequests: 0, timeMs: 0 },
  };
  return {
    ...{ number: 1, at, forMs: 100, balancer: 'lb-1', generation: 1, answered: true, connections: 1 },
    counts: { ...counts, responseErrors: 0, netUses: 0 },
    inHand,
    pools: [pool],
  };
}

describe('when a spare server comes in and leaves', () => {
  test('requests wait for a second: it comes in; a moment of a full queue is none', () => {
    const { run } = field();
    assert.equal(run(0.5, 20, 3), '');
    assert.equal(run(10, 5), '');
    assert.equal(run(2, 20, 3), 'joins');
  });

  test('the reason has figures', () => {
    const { run, turns } = field();
    run(2, 26, 6);
    assert.equal(turns[0]?.because, 'pool web is full on lb-1: 6 requests wait, 2 of 2 servers live');
  });

  test('connections used up, and connections that will be, are full too', () => {
    const { run } = field();
    assert.equal(run(10, 20), 'joins');
    const rising = field();
    for (let level = 0; level < 16; level += 0.5) rising.run(1, level);
    assert.match(rising.turns[0]?.because ?? '', /full in \d+ s/);
  });

  test('it leaves after a minute of quiet, not while a fault is open, and stays while it is needed', () => {
    const { run, faulty } = field();
    run(2, 20, 3);
    assert.equal(run(300, 15), 'joins', 'without it 75 % would be used');
    faulty.add('web');
    assert.equal(run(300, 2), 'joins', 'a fault is open');
    faulty.clear();
    assert.equal(run(1, 2), 'joins leaves');
  });

  test('an hour of load that swings around what is full turns it a few times, not all the time', () => {
    const { run, turns } = field();
    for (let minute = 0; minute < 60; minute += 2) {
      run(60, 20, 3);
      run(60, 2);
    }
    assert.ok(turns.length <= 10, `${turns.length} turns`);
  });

  test('no more than the site says; one that cannot come is asked for later, and later again', () => {
    const { run } = field();
    assert.equal(run(120, 20, 9), 'joins');
    const failing = field();
    failing.run(300, 20, 9, false);
    const gaps = failing.turns.slice(1).map(({ at }, index) => at - (failing.turns[index]?.at ?? 0));
    assert.ok(gaps.length >= 2 && gaps.length <= 4, `${gaps.length} tries`);
    assert.ok(
      gaps.every((gap, index) => index === 0 || gap > (gaps[index - 1] ?? 0)),
      gaps.join(),
    );
  });

  test('without guard.spares nothing is ever asked for', () => {
    const { run } = field(block.replace(/guard:.*\n/, ''));
    assert.equal(run(30, 20, 9), '');
  });
});
