import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '#base';
import { viewsOf } from '#change';
import { noCounts } from '#events';
import { fiveServers, fourServers, request, shop, siteText, world } from '../world/changes.ts';

const grown = shop(fiveServers);
const grownHash = siteText(grown).hash;

describe('a good change', () => {
  it('passes every gate in order, and is promoted on every balancer', async () => {
    const { apply, balancers, sites, journal } = world();
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'promoted');
    assert.deepEqual(
      change.gates.map(({ gate, verdict }) => `${gate} ${verdict}`),
      [
        'parse passed',
        'plan passed',
        'limits passed',
        'engine check passed',
        'existence passed',
        'rehearsal passed',
        'way back passed',
        'review passed',
        'canary passed',
        'bake passed',
      ],
    );
    assert.deepEqual(
      balancers.map(({ lastGood }) => lastGood.hash),
      [grownHash, grownHash],
    );
    assert.equal(sites.current().hash, grownHash);
    assert.deepEqual(viewsOf(journal.entries()), [change], 'the journal alone says the same');
  });

  it('is exposed step by step: the first slice and the steps up to all on one balancer, then the next, then both', async () => {
    const { apply, journal } = world();
    await apply(request(grown));
    const exposed = journal
      .entries()
      .flatMap(({ event }) => (event.kind === 'change.exposed' ? [`${event.balancer} ${event.share}`] : []));
    assert.deepEqual(exposed, [
      'lb-1 0.1',
      'lb-1 0.1',
      'lb-1 0.5',
      'lb-1 1',
      'lb-2 0.1',
      'lb-2 0.5',
      'lb-2 1',
      'lb-1 1',
      'lb-2 1',
    ]);
  });

  it('bakes for as long as the policy says, with every lease renewed', async () => {
    const { apply, journal, balancers } = world();
    await apply(request(grown));
    const at = (wanted: string) =>
      journal.entries().find(({ event }) => event.kind === 'change.state' && event.state === wanted)?.at ?? 0;
    assert.ok(at('promoted') - at('baking') >= 5_000);
    assert.equal(balancers[0].takeBacks() + balancers[1].takeBacks(), 0, 'no lease ran out');
  });

  it('without traffic: says plainly that it was not judged by traffic, and what synthetic requests got', async () => {
    const { apply, balancers } = world();
    for (const balancer of balancers) {
      balancer.requestsPerSecond = 0;
      balancer.script.tryRoutes = () => ({ asked: [homePage(200), homePage(404)], unasked: [] });
    }
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'promoted');
    const canary = change.gates.find(({ gate }) => gate === 'canary');
    assert.equal(
      canary?.summary,
      'could not be judged by traffic: 0 real requests on lb-1, 0 real requests on lb-2; 4 synthetic requests were answered with 2 x 200, 2 x 404',
    );
    assert.match(canary?.evidence.join('\n') ?? '', /too few to judge by/);
  });

  it('without traffic on one of two balancers: says which', async () => {
    const { apply, balancers } = world();
    balancers[1].requestsPerSecond = 0;
    balancers[1].script.tryRoutes = () => ({ asked: [homePage(200), homePage(0)], unasked: [] });
    const { change } = await apply(request(grown));
    const canary = change.gates.find(({ gate }) => gate === 'canary');
    assert.match(
      canary?.summary ?? '',
      /^\d+ real requests on lb-1 with 0 errors; lb-2 could not be judged by traffic: 0 real requests on lb-2; 2 synthetic requests were answered with 200, no answer$/,
    );
  });
});

describe('what stands in the place of traffic', () => {
  it('a route that fails with the candidate and not with the incumbent takes it back, and its text is not tried again', async () => {
    const { apply, balancers } = world();
    const asked = [homePage(200), { ...homePage(503), worse: true, incumbent: 200 }];
    balancers[1].script.tryRoutes = () => ({ asked, unasked: [] });
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'rolled back');
    assert.match(
      change.why,
      /^worse than the incumbent on lb-2: 1 route of 2, asked by the private entrance: GET http:\/\/shop\.example\/: 503, with the incumbent 200$/,
    );
    assert.equal(change.gates.at(-1)?.gate, 'bake');
    assert.deepEqual([balancers[0].takeBacks(), balancers[1].takeBacks()], [1, 1]);
  });

  it('a bake goes on while the parked generation could not take over, and ends; it is not taken back to it', async () => {
    const { apply, balancers, journal } = world();
    balancers[0].script.wayBack = ({ parked }) => ({
      ok: parked === undefined,
      generation: 1,
      tried: [{ what: 'its pools have live servers', ok: parked === undefined, answered: 'no live server' }],
    });
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'promoted');
    const bake = change.gates.find(({ gate }) => gate === 'bake');
    assert.match(bake?.summary ?? '', /; NO WAY BACK: lb-1: its pools have live servers: no live server$/);
    const at = (wanted: string) =>
      journal.entries().find(({ event }) => event.kind === 'change.state' && event.state === wanted)?.at ?? 0;
    assert.ok(at('promoted') - at('baking') >= 15_000);
  });
});

const homePage = (status: number) => ({ request: 'GET http://shop.example/', status, worse: false });

describe('force', () => {
  it('passes gates that refuse before the canary, and the journal says why', async () => {
    const { apply, balancers, journal } = world();
    balancers[0].script.check = () => ({
      accepted: false,
      engine: 'x',
      version: '1',
      output: 'no',
      diagnostics: [],
      tookMs: 1,
    });
    const { change } = await apply(request(grown, { force: true, reason: 'the check is wrong' }));
    assert.equal(change.state, 'promoted');
    const report = change.gates.find(({ gate }) => gate === 'engine check');
    assert.deepEqual([report?.verdict, report?.forced], ['refused', true], 'the verdict stays');
    const [proposed] = journal.entries();
    assert.equal(proposed?.event.kind === 'change.proposed' && proposed.event.reason, 'the check is wrong');
  });

  it('needs a reason', async () => {
    const { clock, pipeline, journal } = world();
    await assert.rejects(clock.run(pipeline.propose(request(grown, { force: true }))), hasCode('HF110'));
    assert.equal(journal.entries().length, 0);
  });

  const threeDown = ['web-5', 'web-6', 'web-7'].map((server) => ({
    pool: 'web',
    server,
    lastCheck: 'L4CON Connection refused',
  }));
  const forced = { force: true, reason: 'hurry' } as const;

  it('is refused by the canary when no traffic judges it and its own servers are down', async () => {
    const { apply, balancers, pipeline } = world();
    const mostlyDead = shop([...fourServers.slice(2), '10.0.0.5:80', '10.0.0.6:80', '10.0.0.7:80'])
      .replace('web-3, address: "10.0.0.5', 'web-5, address: "10.0.0.5')
      .replace('web-4, address: "10.0.0.6', 'web-6, address: "10.0.0.6')
      .replace('web-5, address: "10.0.0.7', 'web-7, address: "10.0.0.7');
    for (const balancer of balancers) {
      balancer.requestsPerSecond = 0;
      balancer.candidateSays = { serversDown: threeDown, witnesses: [homePage(200)] };
    }
    const { change } = await apply(request(mostlyDead, forced));
    assert.equal(change.state, 'rolled back');
    assert.match(
      change.why,
      /^no traffic speaks for it, and on lb-1 pool "web" has 2 of 5 servers live, at least 50 % must be$/,
    );
    const canary = change.gates.at(-1);
    assert.deepEqual([canary?.gate, canary?.verdict, canary?.forced], ['canary', 'refused', false]);
    assert.match(canary?.evidence[0] ?? '', /pool "web" server "web-5" is down: L4CON/);
    assert.equal(balancers[0].candidate, null);
    assert.ok(!balancers[1].asked.includes('candidate'), 'the second balancer never saw it');
    assert.equal(pipeline.frozen(), null);
  });

  it('with traffic the guard decides, not the count of servers', async () => {
    const { apply, balancers } = world();
    for (const balancer of balancers) balancer.candidateSays = { serversDown: threeDown };
    const seven = shop([...fiveServers, '10.0.0.6:80', '10.0.0.7:80']);
    assert.equal((await apply(request(seven, forced))).change.state, 'promoted');
  });

  it('does not switch the guard off', async () => {
    const { apply, balancers } = world();
    balancers[0].guardActsAfterMs = 700;
    const { change } = await apply(request(grown, { force: true, reason: 'hurry' }));
    assert.equal(change.state, 'rolled back');
    assert.equal(change.gates.at(-1)?.forced, false);
  });
});

describe('a change that the guard takes back', () => {
  it('is rolled back everywhere, quarantined, frozen; the record is journalled exactly once', async () => {
    const { apply, balancers, journal, pipeline, clock, sites } = world();
    balancers[1].guardActsAfterMs = 900;
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'rolled back');
    assert.match(change.why, /the guard of lb-2 took it back: nine of ten requests failed/);
    assert.deepEqual(
      balancers.map(({ candidate, lastGood }) => [candidate, lastGood.hash === grownHash]),
      [
        [null, false],
        [null, false],
      ],
    );
    await clock.run(pipeline.tend());
    const records = journal
      .entries()
      .flatMap(({ event }) => (event.kind === 'guard.acted' ? [event.record] : []));
    assert.deepEqual(records.map(({ balancer }) => balancer).sort(), ['lb-1', 'lb-2']);
    assert.notEqual(sites.current().hash, grownHash);
    await assert.rejects(clock.run(pipeline.propose(request(grown))), hasCode('HF109'));
  });

  it('stays in quarantine when the freeze ends, until it is released', async () => {
    const { apply, balancers } = world();
    balancers[0].guardActsAfterMs = 900;
    await apply(request(grown));
    balancers[0].guardActsAfterMs = null;
    const again = await apply(request(`${grown}# the same site\n`, { unfreeze: true }));
    assert.equal(again.change.gates.find(({ gate }) => gate === 'limits')?.diagnostics[0]?.code, 'HF106');
    const released = await apply(request(grown, { release: true, reason: 'the network was at fault' }));
    assert.equal(released.change.state, 'promoted');
  });

  it('during the bake of the last balancer: those that could be promoted go back too', async () => {
    const { apply, balancers } = world();
    const [, second] = balancers;
    second.script.promote = () => {
      throw new Error('the holder ended');
    };
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'rolled back');
    assert.notEqual(balancers[0].lastGood.hash, grownHash, 'lb-1 had promoted it');
  });

  it('by the evidence of the comparison', async () => {
    const { apply, balancers } = world();
    balancers[0].script.observe = () => ({
      candidate: { ...noCounts, requests: 50, errors: 9 },
      incumbent: noCounts,
      observedShare: 0.1,
      eValue: 2e6,
      takenBack: null,
      exposedMs: 100,
    });
    const { change } = await apply(request(grown));
    assert.match(change.why, /worse than the incumbent on lb-1/);
    assert.equal(change.state, 'rolled back');
  });
});

describe('faults around a change', () => {
  it('an agent that falls silent during the canary: its lease runs out, the change is over, the text is not blamed', async () => {
    const { apply, balancers, pipeline, clock, journal } = world();
    clock.at(8_000, () => {
      balancers[0].silent = true;
    });
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'rolled back');
    assert.match(change.why, /lb-1 does not answer/);
    assert.equal(pipeline.frozen(), null);
    assert.ok(!journal.kinds().includes('quarantine.added'));
    balancers[0].silent = false;
    await clock.run(pipeline.tend());
    assert.equal(balancers[0].candidate, null, 'it was told as soon as it answered again');
  });

  it('a short silence is borne', async () => {
    const { apply, balancers, clock } = world();
    clock.at(3_000, () => {
      balancers[0].silent = true;
    });
    clock.at(4_000, () => {
      balancers[0].silent = false;
    });
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'promoted');
  });

  it('two applies at once: the second is told which change is ahead of it', async () => {
    const { pipeline, clock } = world();
    const first = clock.run(pipeline.propose(request(grown)));
    await assert.rejects(
      clock.run(pipeline.propose(request(grown, { by: 'person:ben', file: 'other.yaml' }))),
      /a change of shop\.yaml is being read, proposed by person:anna/,
    );
    const { id } = await first;
    await clock.pass(1_000);
    await assert.rejects(
      clock.run(pipeline.propose(request(grown, { by: 'person:ben' }))),
      (error: unknown) =>
        hasCode('HF108')(error) &&
        new RegExp(`change ${id} of shop\\.yaml is canary, proposed by person:anna 1 s ago`).test(
          String(error),
        ),
    );
  });

  it('a journal on a full disk: the change is refused, nothing was asked of any balancer', async () => {
    const { pipeline, clock, journal, balancers } = world();
    journal.full = true;
    await assert.rejects(clock.run(pipeline.propose(request(grown))), hasCode('HF203'));
    assert.deepEqual(balancers[0].asked, []);
  });

  it('a disk that fills up in the middle: taken back everywhere; the next change finds it ended', async () => {
    const { apply, pipeline, clock, journal, balancers } = world();
    clock.at(6_000, () => {
      journal.full = true;
    });
    const { change } = await apply(request(grown));
    assert.equal(change.state, 'rolled back');
    assert.equal(balancers[0].candidate, null);
    assert.equal(pipeline.inFlight()?.id, change.id, 'the disk does not know it yet');
    journal.full = false;
    const next = await apply(request(grown));
    assert.equal(next.change.state, 'promoted');
    assert.equal(pipeline.views()[0]?.state, 'rolled back');
  });
});

describe('a person takes a change back', () => {
  it('while it is in flight', async () => {
    const { pipeline, clock, balancers } = world();
    await clock.run(pipeline.propose(request(grown)));
    await clock.pass(3_000);
    assert.ok(balancers[0].candidate);
    const began = clock.monotonicMs();
    const { change } = await clock.run(pipeline.rollback('person:ben', 'support says so'));
    assert.equal(change?.state, 'rolled back');
    assert.equal(change?.why, 'person:ben took it back: support says so');
    assert.ok(clock.monotonicMs() - began < 600);
    assert.equal(balancers[0].candidate, null);
    assert.equal(pipeline.frozen(), null);
  });

  it('while it is just being proposed: that one ends, the good one before it stays', async () => {
    const { apply, pipeline, clock, balancers } = world();
    await apply(request(grown));
    const proposing = clock.run(pipeline.propose(request(shop([...fiveServers, '10.0.0.6:80']))));
    const back = clock.run(pipeline.rollback('person:ben', ''));
    const { id } = await proposing;
    assert.equal((await back).change?.id, id);
    assert.equal((await back).change?.state, 'abandoned');
    assert.equal(balancers[0].lastGood.hash, grownHash);
  });

  it('before it had any traffic: abandoned', async () => {
    const { pipeline, clock, balancers } = world();
    balancers[0].script.check = () => {
      void pipeline.rollback('person:ben', '');
      return { accepted: true, engine: 'x', version: '1', output: '', diagnostics: [], tookMs: 1 };
    };
    const { id } = await clock.run(pipeline.propose(request(grown)));
    await clock.pass(1_000);
    assert.equal(pipeline.views().find((view) => view.id === id)?.state, 'abandoned');
  });

  it('after it was promoted: every balancer goes back, and so does the text', async () => {
    const { apply, pipeline, clock, balancers, sites } = world();
    const before = sites.current().hash;
    const { change } = await apply(request(grown));
    const back = await clock.run(pipeline.rollback('person:ben', 'slow'));
    assert.equal(back.change?.id, change.id);
    assert.equal(back.change?.state, 'rolled back');
    assert.deepEqual(
      balancers.map(({ lastGood }) => lastGood.hash),
      [before, before],
    );
    assert.equal(sites.current().hash, before);
  });

  for (const [which, deaf] of [
    ['one balancer is deaf', ['lb-1']],
    ['both are', ['lb-1', 'lb-2']],
  ] as const)
    it(`after it was promoted, while ${which}: the text goes back as soon as one has gone back`, async () => {
      const { apply, pipeline, clock, balancers, sites } = world();
      const before = sites.current().hash;
      await apply(request(grown));
      for (const { name, script } of balancers)
        if (deaf.some((one) => one === name))
          script.rollback = () => {
            throw new Failure('HF304', 'no answer');
          };
      await clock.run(pipeline.rollback('person:ben', 'slow'));
      assert.equal(sites.current().hash, deaf.length === balancers.length ? grownHash : before);
      for (const { script } of balancers) delete script.rollback;
      await clock.run(pipeline.tend());
      assert.deepEqual(
        [...balancers.map(({ lastGood }) => lastGood.hash), sites.current().hash],
        [before, before, before],
      );
    });

  it('with a full disk all the same', async () => {
    const { apply, pipeline, clock, balancers, journal } = world();
    await apply(request(grown));
    journal.full = true;
    await clock.run(pipeline.rollback('person:ben', 'slow'));
    assert.notEqual(balancers[0].lastGood.hash, grownHash);
  });
});

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof Failure && error.code === code;
}
