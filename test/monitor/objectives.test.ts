import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { noCounts, type Tick } from '#events';
import {
  type Act,
  burningFault,
  Monitor,
  type Objective,
  objectiveBook,
  readMonitoring,
  storedName,
} from '#monitor';
import { openTicks } from '#store';
import { poolOf, routeTo, siteOf } from '../world/sites.ts';

const noon = Date.UTC(2026, 0, 5, 12);
const minuteMs = 60_000;
const site = siteOf({
  pools: [poolOf('web', [1]), poolOf('api', [11])],
  routes: [routeTo('api', { path: { type: 'PathPrefix', value: '/api' } }), routeTo('web')],
});

function objectives(text: string): readonly Objective[] {
  const { monitoring, diagnostics } = readMonitoring(`objectives:\n${text}`, 'monitor.yaml', site);
  assert.deepEqual(diagnostics, []);
  return monitoring?.objectives ?? [];
}

/** One second of a site with both pools. */
function tickOf(at: number, requests: number, errors: number, meanMs = 5): Tick {
  const nothing = { connectionErrors: 0, retries: 0, responseErrors: 0, queued: 0 };
  const pool = { requests: requests / 2, ...nothing, serversLive: 1, serversAll: 1 };
  const timed = { timedRequests: requests / 2, timeMs: (meanMs * requests) / 2 };
  return {
    number: 1,
    at,
    forMs: 1_000,
    balancer: 'lb-1',
    generation: 1,
    answered: true,
    counts: { ...noCounts, requests, errors },
    connections: 1,
    inHand: 0,
    pools: [
      { pool: 'web', errors: 0, ...pool, timedRequests: requests / 2, timeMs: requests },
      { pool: 'api', errors, ...pool, ...timed },
    ],
  };
}

const all = `
  - { name: shop, availability: 99.9% }
  - { name: web, pool: web, availability: 99.9% }
  - { name: api, route: to-api, availability: 99% }
  - { name: fast, pool: api, latency: { within: 100ms, share: 99% } }
  - { name: home, probe: home, latency: { within: 500ms, share: 99% } }
probes:
  - { name: home, http: { url: "https://shop.example/" } }
`;

describe('objectives', () => {
  it('count whose requests they are, and say when their budget burns', () => {
    const book = objectiveBook(objectives(all), site, () => []);
    let at = noon;
    const run = (minutes: number, errors: number, meanMs: number, isHomeFast: boolean) => {
      for (const end = at + minutes * minuteMs; at < end; at += 1_000) {
        book.add(tickOf(at, 100, errors, meanMs));
        book.probed('home', at, true, isHomeFast ? 100 : 900);
      }
    };
    run(60, 0, 5, true);
    assert.deepEqual(
      book.states(at).map(({ requests, bad, budgetLeft, burning }) => [requests, bad, budgetLeft, burning]),
      [
        [360_000, 0, 1, null],
        [180_000, 0, 1, null],
        [180_000, 0, 1, null],
        [180_000, 0, 1, null],
        [3_600, 0, 1, null],
      ],
    );
    run(30, 5, 200, false);
    const states = book.states(at);
    assert.deepEqual(
      states.map(({ objective, bad, burning }) => [objective.name, bad, burning?.window.severity]),
      [
        ['shop', 9_000, 'critical'],
        ['web', 0, undefined],
        // One of ten requests to this pool is bad, one of a hundred may be: a budget of 30 days lasts nine.
        ['api', 9_000, 'warning'],
        ['fast', 90_000, 'critical'],
        ['home', 1_800, 'critical'],
      ],
    );
    const fault = states[0] && burningFault(states[0]);
    assert.equal(fault?.usersSee, '2.54 % of the requests of 1 h went wrong, where 0.1 % may');
    // An hour after, the short windows of a page are clean: nobody is woken for what is over. That the
    // budget of the month is spent stays a ticket until its short window of six hours is clean too.
    run(60, 0, 5, true);
    assert.equal(book.states(at)[0]?.burning?.window.severity, 'warning');
    assert.ok((book.states(at)[0]?.budgetLeft ?? 1) < 0);
  });

  it('say nothing of a few bad requests among a few', () => {
    const book = objectiveBook(objectives('  - { name: shop, availability: 99.9% }'), site, () => []);
    for (let i = 0; i < 9; i += 1) book.add(tickOf(noon + i * 1_000, 2, 1));
    assert.equal(book.states(noon + 10_000)[0]?.burning, null);
  });

  it('are kept: engines count for those of before, own minutes are read back', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hf-objectives-'));
    try {
      const ticks = openTicks(folder);
      const stated = objectives(all);
      const first = objectiveBook(stated, site, () => []);
      for (let at = noon; at < noon + 3 * minuteMs; at += 1_000) {
        const tick = tickOf(at, 100, 1, 200);
        ticks.add(tick);
        first.add(tick);
        first.probed('home', at, true, 900);
      }
      const later = noon + 10 * minuteMs;
      for (const { name, minute } of first.minutes(later)) ticks.count(name, minute);
      ticks.close();
      const again = openTicks(folder);
      const second = objectiveBook(stated, site, (objective, past) =>
        past.kind === 'engines'
          ? again.minutes(noon, past.pools)
          : again.countedBy(storedName(objective), noon),
      );
      const seen = (book: typeof first) => book.states(later).map(({ requests, bad }) => [requests, bad]);
      assert.deepEqual(seen(second), seen(first));
      assert.deepEqual(seen(second)[0], [18_000, 180]);
      again.close();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('of what the site does not have say so', () => {
    const [gone] = objectives('  - { name: web, pool: web, availability: 99.9% }');
    assert.ok(gone);
    const book = objectiveBook([gone], siteOf({ pools: [poolOf('other', [1])] }), () => []);
    assert.equal(book.states(noon)[0]?.idle, 'the site has no pool "web"');
  });

  it('become one fault each while they burn, and none while its cause is told', () => {
    const monitor = new Monitor({ site, falseAlarmsPerMonth: 1, tickMs: 100, lastFault: 4 });
    const book = objectiveBook(objectives('  - { name: shop, availability: 99.9% }'), site, () => []);
    for (let at = noon; at < noon + 10 * minuteMs; at += 1_000) book.add(tickOf(at, 100, 5));
    const end = noon + 10 * minuteMs;
    const burning = book.states(end).flatMap((one) => burningFault(one) ?? []);
    const kinds = (acts: readonly Act[]) =>
      acts.map((act) => (act.kind === 'tell' ? `${act.event.kind} ${act.event.fault}` : act.kind));
    assert.deepEqual(kinds(monitor.state(end, burning)), ['fault.seen fault-5', 'fault.located fault-5']);
    assert.deepEqual(kinds(monitor.state(end + 1_000, burning)), []);
    assert.deepEqual(kinds(monitor.state(end + 2_000, [])), ['fault.ended fault-5']);

    const busy = new Monitor({ site, falseAlarmsPerMonth: 1, tickMs: 100, lastFault: 0 });
    for (let i = 0; i < 20; i += 1) busy.tick(tickOf(end + i * 100, 100, 90));
    assert.ok(busy.open.some(({ seenAt }) => seenAt !== null));
    assert.deepEqual(busy.state(end + 2_000, burning), []);
  });
});
