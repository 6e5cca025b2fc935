import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GuardRecord } from '#events';
import { fiveServers, fourServers, request, shop, world } from '../world/changes.ts';

/** What nobody should send, and somebody does: the journal says so, and the site goes on. */

const dayMs = 86_400_000;

describe('a balancer', () => {
  it('that reports a record of a site that never was: nothing is taken back for it', async () => {
    const { apply, balancers, pipeline, clock, sites } = world();
    const what: GuardRecord['what'] = {
      kind: 'coldStart',
      siteHash: 'f'.repeat(64),
      ok: false,
      why: 'of nobody',
    };
    balancers[0].script.records = ({ after }) =>
      after > 0
        ? []
        : [{ balancer: 'lb-1', number: 1, at: clock.now(), deliveredAt: null, what } as GuardRecord];
    const { change } = await apply(request(shop(fiveServers)));
    assert.deepEqual([change.state, pipeline.frozen()], ['promoted', null]);
    assert.equal(sites.current().text, shop(fiveServers));
  });

  it('that has seen a candidate of another change is no answer: the change ends, and the site goes on', async () => {
    const { apply, balancers, sites } = world();
    balancers[0].script.observe = () => {
      throw new Error('there is no candidate of that change');
    };
    const { change } = await apply(request(shop(fiveServers)));
    assert.ok(change.state === 'rolled back' || change.state === 'abandoned', change.state);
    assert.equal(sites.current().text, shop(fourServers));
    assert.deepEqual(
      balancers.map(({ candidate }) => candidate),
      [null, null],
    );
  });
});

describe('a clock that goes back by a day', () => {
  it('in the middle of a change: it is promoted, and the journal keeps its order', async () => {
    const one = world();
    const now = one.clock.now.bind(one.clock);
    let backMs = 0;
    Object.assign(one.clock, { now: () => now() - backMs });
    one.clock.at(3_000, () => {
      backMs = dayMs;
    });
    const { change } = await one.apply(request(shop(fiveServers)));
    assert.equal(change.state, 'promoted', change.why);
    assert.equal(backMs, dayMs);
    const entries = one.journal.entries();
    assert.deepEqual(
      entries.map(({ sequence }) => sequence),
      entries.map((_, index) => index + 1),
    );
    const next = await one.apply(request(shop([...fiveServers, '10.0.0.6:80'])));
    assert.equal(next.change.state, 'promoted', next.change.why);
  });
});

describe('two controllers that both think they lead', () => {
  it('one change of the two is promoted, the other ends, and both balancers have the same text', async () => {
    const one = world();
    const other = one.restarted([]);
    const [six, five] = [shop([...fiveServers, '10.0.0.6:80']), shop(fiveServers)];
    const both = await one.clock.run(
      Promise.all([one.pipeline.propose(request(five)), other.pipeline.propose(request(six))]),
    );
    await one.clock.pass(120_000);
    const states = both.map(
      ({ id }, index) => [one, other][index]?.pipeline.views().find((view) => view.id === id)?.state,
    );
    assert.ok(states.filter((state) => state === 'promoted').length <= 1, states.join());
    assert.ok(
      states.every((state) => state !== undefined && !['canary', 'baking'].includes(state)),
      states.join(),
    );
    const [a, b] = one.balancers.map(({ lastGood }) => lastGood.text);
    assert.equal(a, b);
  });
});
