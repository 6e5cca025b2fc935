import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApplyRequest } from '#contract';
import { closedAt } from '../../src/change/windows.ts';
import { fiveServers, fourServers, request, shop, type World, world } from '../world/changes.ts';

const six = [...fiveServers, '10.0.0.6:80'];
const seven = [...six, '10.0.0.7:80'];
const eyes = 'policies:\n  - { name: "a second pair of eyes", approvals: 1, risk: low }\n';

const propose = (one: World, text: string, more: Partial<ApplyRequest> = {}) =>
  one.clock.run(one.pipeline.propose(request(text, more)));
const stateOf = ({ pipeline }: World, id: string) => pipeline.views().find((view) => view.id === id)?.state;

async function pass(one: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await one.clock.pass(500);
    await one.clock.run(one.pipeline.tend());
  }
}

describe('the queue', () => {
  it('a second change that asks for it waits for its turn, and is judged on what runs then', async () => {
    const one = world();
    const first = await propose(one, shop(fiveServers));
    const second = await propose(one, shop(six), { queue: true, by: 'person:berta' });
    assert.equal(second.why, `waits: behind ${first.id}`);
    assert.deepEqual(
      one.pipeline.queue().map(({ id }) => id),
      [second.id],
    );
    await pass(one, 60_000);
    assert.deepEqual([stateOf(one, first.id), stateOf(one, second.id)], ['promoted', 'promoted']);
    const limits = one.pipeline.views()[1]?.gates.find(({ gate }) => gate === 'limits');
    assert.match(limits?.summary ?? '', /^1 server added/, 'not two, as when it was proposed');
  });

  it('without --queue it is refused, as ever', async () => {
    const one = world();
    await propose(one, shop(fiveServers));
    await assert.rejects(propose(one, shop(six)), { code: 'HF108' });
  });

  it('keeps the order; of one file and one person only the newest waits', async () => {
    const one = world();
    await propose(one, shop(fiveServers));
    const older = await propose(one, shop(six), { queue: true });
    const other = await propose(one, shop(six), { queue: true, file: 'other.yaml' });
    const newer = await propose(one, shop(seven), { queue: true });
    assert.equal(stateOf(one, older.id), 'superseded');
    assert.deepEqual(
      one.pipeline.queue().map(({ id }) => id),
      [other.id, newer.id],
    );
    await pass(one, 90_000);
    const ended = (id: string) => one.pipeline.views().find((view) => view.id === id)?.endedAt ?? 0;
    assert.deepEqual([stateOf(one, other.id), stateOf(one, newer.id)], ['promoted', 'promoted']);
    assert.ok(ended(other.id) < ended(newer.id));
  });

  it('outlives the controller', async () => {
    const one = world();
    await propose(one, shop(fiveServers));
    const second = await propose(one, shop(six), { queue: true });
    const left = [...one.journal.entries()];
    await one.clock.run(one.pipeline.rollback('person:nobody', 'this controller is gone'));
    const next = one.restarted(left);
    await next.clock.run(next.pipeline.recover());
    await pass(next, 60_000);
    assert.equal(stateOf(next, second.id), 'promoted');
  });

  it('a rollback does not wait in it, and nothing begins by itself after one', async () => {
    const one = world();
    const first = await propose(one, shop(fiveServers));
    const second = await propose(one, shop(six), { queue: true });
    const { change } = await one.clock.run(one.pipeline.rollback('person:anna', 'it burns'));
    assert.equal(change?.id, first.id);
    await pass(one, 5_000);
    assert.equal(stateOf(one, second.id), 'abandoned');
    assert.equal(one.pipeline.busy(), false);
  });

  it('one that waits can be ended by its name', async () => {
    const one = world();
    const first = await propose(one, shop(fiveServers));
    const second = await propose(one, shop(six), { queue: true });
    const { change } = await one.clock.run(one.pipeline.abort('person:berta', 'not today', second.id));
    assert.deepEqual([change?.id, change?.state], [second.id, 'abandoned']);
    await assert.rejects(one.pipeline.abort('person:berta', '', second.id), { code: 'HF404' });
    await pass(one, 60_000);
    assert.equal(stateOf(one, first.id), 'promoted');
  });
});

describe('a change that waits for people', () => {
  it('lets an urgent one pass, and goes on waiting; what was approved for another site is void', async () => {
    const one = world(shop(fourServers, eyes));
    const two = eyes.replace('approvals: 1', 'approvals: 2');
    const waiting = await propose(one, shop(six, two));
    await pass(one, 2_000);
    const urgent = await propose(one, shop(fiveServers, eyes), { breakGlass: true, reason: 'it burns' });
    assert.equal(stateOf(one, waiting.id), 'proposed');
    await pass(one, 60_000);
    assert.deepEqual([stateOf(one, urgent.id), stateOf(one, waiting.id)], ['promoted', 'proposed']);
    assert.equal(one.pipeline.busy(), true);
    await one.pipeline.approve(waiting.id, 'person:berta', '');
    await pass(one, 60_000);
    assert.equal(stateOf(one, waiting.id), 'promoted');
  });

  it('one that is not urgent does not pass it', async () => {
    const one = world(shop(fourServers, eyes));
    await propose(one, shop(six, eyes));
    await pass(one, 2_000);
    assert.equal(one.pipeline.waits(), true);
    await assert.rejects(propose(one, shop(fiveServers, eyes)), { code: 'HF108' });
    await assert.rejects(one.pipeline.abort('person:anna', '', 'c9'), { code: 'HF404' });
  });
});

describe('change windows and freezes', () => {
  // The simulated clock begins on Thursday, 2026-01-01, 00:00 UTC.
  const nine = '  changes: { windows: [{ days: [Thu], from: "09:00", to: "17:00" }] }\n';

  it('outside of a window a change is refused, with the time of the next; urgent ones and rollbacks go on', async () => {
    const one = world(shop(fourServers, nine));
    await assert.rejects(propose(one, shop(fiveServers, nine)), {
      code: 'HF118',
      message: /it is Thu 00:00 UTC.*may begin at 2026-01-01T09:00:00.000Z/,
    });
    const urgent = await propose(one, shop(fiveServers, nine), { breakGlass: true, reason: 'it burns' });
    await pass(one, 60_000);
    assert.equal(stateOf(one, urgent.id), 'promoted');
    const back = await one.clock.run(one.pipeline.rollback('person:anna', 'no better'));
    assert.equal(back.change?.state, 'rolled back');
  });

  it('--queue waits for it', async () => {
    const one = world(shop(fourServers, nine));
    const { id } = await propose(one, shop(fiveServers, nine), { queue: true });
    assert.equal(one.pipeline.busy(), false);
    await one.clock.pass(8.9 * 3_600_000);
    await pass(one, 1_000);
    assert.equal(stateOf(one, id), 'proposed');
    await one.clock.pass(0.2 * 3_600_000);
    await pass(one, 60_000);
    assert.equal(stateOf(one, id), 'promoted');
  });

  it('while a series of the team speaks against it; what is urgent goes on, and going back always', async () => {
    const one = world();
    one.against.push('series team/errors is bad (bad is > 5): 7');
    await assert.rejects(propose(one, shop(fiveServers)), { code: 'HF118', message: /series team\/errors/ });
    const urgent = await propose(one, shop(fiveServers), { breakGlass: true, reason: 'it mends them' });
    await pass(one, 60_000);
    assert.equal(stateOf(one, urgent.id), 'promoted');
    const { id } = await propose(one, shop(six), { queue: true });
    await pass(one, 60_000);
    assert.equal(stateOf(one, id), 'proposed');
    one.against.length = 0;
    await pass(one, 60_000);
    assert.equal(stateOf(one, id), 'promoted');
    one.against.push('series team/errors is bad (bad is > 5): 7');
    const back = await one.clock.run(one.pipeline.rollback('person:anna', 'no better'));
    assert.equal(back.change?.state, 'rolled back');
  });

  it('during an incident, where the site says so', async () => {
    const calm = '  changes: { duringIncidents: refused }\n';
    const one = world(shop(fourServers, calm));
    const incident = { incident: 'i1', title: 'x', change: null, balancers: [] } as const;
    await one.journal.append('controller', { kind: 'incident.opened', ...incident });
    await assert.rejects(propose(one, shop(fiveServers, calm)), { code: 'HF118', message: /incident i1/ });
    const { id } = await propose(one, shop(fiveServers, calm), { queue: true });
    await one.journal.append('controller', { kind: 'incident.resolved', incident: 'i1', how: 'mended' });
    await pass(one, 60_000);
    assert.equal(stateOf(one, id), 'promoted');
  });

  const berlin = (more: object) =>
    ({ timeZone: 'Europe/Berlin', windows: [], freezes: [], duringIncidents: 'allowed', ...more }) as const;
  const at = (iso: string) => Date.parse(iso);

  it('a window is told in the time of the site, over its clock changes', () => {
    const policy = berlin({ windows: [{ days: ['Sun'], from: '10:00', to: '12:00' }] });
    const open = (iso: string) => closedAt(policy, at(iso)) === null;
    // Summer time began on 2026-03-29: ten o'clock is 9 UTC the Sunday before, and 8 UTC on that day.
    assert.deepEqual(
      ['2026-03-22T09:00Z', '2026-03-22T08:59Z', '2026-03-29T08:00Z', '2026-03-29T10:00Z'].map(open),
      [true, false, true, false],
    );
    assert.equal(closedAt(policy, at('2026-03-23T00:00Z'))?.opensAt, at('2026-03-29T08:00Z'));
  });

  it('one that ends before it begins goes on after midnight, into the next day', () => {
    const policy = berlin({ windows: [{ days: ['Fri'], from: '22:00', to: '04:00' }] });
    const open = (iso: string) => closedAt(policy, at(iso)) === null;
    assert.deepEqual(
      [
        '2026-01-02T20:59Z',
        '2026-01-02T21:00Z',
        '2026-01-03T02:59Z',
        '2026-01-03T03:00Z',
        '2026-01-02T02:00Z',
      ].map(open),
      [false, true, true, false, false],
    );
  });

  it('a freeze holds for whole days, whatever the windows', () => {
    const policy = berlin({ freezes: [{ from: '2026-12-24', to: '2026-12-26', why: 'holidays' }] });
    assert.equal(closedAt(policy, at('2026-12-23T22:59Z')), null);
    const closed = closedAt(policy, at('2026-12-23T23:00Z'));
    assert.deepEqual(
      [closed?.why, closed?.opensAt],
      ['frozen from 2026-12-24 to 2026-12-26: holidays', at('2026-12-26T23:00Z')],
    );
  });
});
