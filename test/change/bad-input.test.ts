import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type GuardRecord, noCounts } from '#events';
import { growingLedger } from '../../src/change/ledger.ts';
import { fiveServers, fourServers, request, shop, world } from '../world/changes.ts';

/** What nobody should send, and somebody does: the journal says so, and the site goes on. */

const dayMs = 86_400_000;

function tookBack(change: string | null): GuardRecord['what'] {
  const evidence = {
    ...{ cause: 'errors', exposedAt: 1, firstBadAt: 2, candidate: noCounts, incumbent: noCounts },
    ...{ serversDown: [], errorLines: [] },
  };
  const times = { decidedAt: 3, doneAt: 4, rung: 1, steps: [] } as const;
  return {
    kind: 'tookBack',
    takeBack: { change, from: 3, to: 1, reason: 'errors', ...times, evidence },
  };
}

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

  it('that says it took back a change that never was: the journal refuses it once, and nothing follows from it', async () => {
    const { apply, balancers, pipeline, clock, sites, journal, restarted } = world();
    const record = { balancer: 'lb-1', number: 1, at: clock.now(), what: tookBack('c9-nobody') };
    const real = { balancer: 'lb-1', number: 2, at: clock.now(), what: tookBack(null) };
    balancers[0].script.records = ({ after }) => [record, real].filter(({ number }) => number > after);
    const { change } = await apply(request(shop(fiveServers)));
    await clock.run(pipeline.tend());
    assert.deepEqual([change.state, pipeline.frozen()], ['promoted', null]);
    assert.equal(sites.current().text, shop(fiveServers));
    const told = () =>
      journal.entries().flatMap(({ by, event }) => {
        if (event.kind === 'guard.refused') return [`${by} ${event.record.number}: ${event.why}`];
        return event.kind === 'guard.acted' ? [`${by} ${event.record.number}`] : [];
      });
    const once = ['agent:lb-1 1: there never was a change c9-nobody', 'agent:lb-1 2'];
    assert.deepEqual(told(), once);
    const next = restarted(journal.entries());
    await clock.run(next.pipeline.tend());
    assert.deepEqual(next.pipeline.views(), pipeline.views());
    assert.equal(next.journal.entries().length, journal.entries().length);
  });

  it('whose take-back of a change that never was stands in a journal of before blames nothing', async () => {
    const { clock } = world();
    const record = { balancer: 'lb-1', number: 1, at: clock.now(), what: tookBack('c9-nobody') };
    const event = { kind: 'guard.acted', record } as const;
    const entry = { sequence: 1, at: clock.now(), by: 'agent:lb-1', event, hash: '' };
    const { now } = growingLedger([entry]);
    assert.deepEqual([[...now.blamed], [...now.changes], now.lastRecord.get('lb-1')], [[], [], 1]);
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
