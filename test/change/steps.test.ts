import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { noCounts } from '#events';
import { exposureSteps } from '../../src/change/steps.ts';
import { fiveServers, fourServers, request, shop, world } from '../world/changes.ts';

const stepMs = 2_000;
const firstSliceRequests = 20;
const sharesOf = (steps: readonly number[], first = false) =>
  exposureSteps({ steps, firstSliceRequests, stepMs }, first).map(({ share }) => share);

const anyShare = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 0.0001, 0.5, 1, 2, -1, Number.NaN, Number.POSITIVE_INFINITY),
);

describe('the steps of one balancer', () => {
  const table: readonly (readonly [string, readonly number[], readonly number[]])[] = [
    ['that end with all', [0.05, 0.25, 0.5, 1], [0.05, 0.25, 0.5, 1]],
    ['that end before all', [0.1, 0.5], [0.1, 0.5, 1]],
    ['of one small share', [0.0001], [0.0001, 1]],
    ['of all at once', [1], [1]],
    ['that are none', [], [1]],
    ['in no order, some twice', [0.5, 0.1, 0.5, 1, 0.2], [0.1, 0.2, 0.5, 1]],
    ['that are no shares', [0, -1, Number.NaN, 2], [1]],
  ];
  for (const [what, stated, wanted] of table)
    it(what, () => {
      assert.deepEqual(sharesOf(stated), wanted);
      assert.deepEqual(sharesOf(stated, true), [wanted[0], ...wanted]);
    });

  it('rise to all and never fall, whatever the site states; only the first slice is sized in requests', () => {
    fc.assert(
      fc.property(fc.array(anyShare, { maxLength: 20 }), fc.boolean(), (stated, first) => {
        const steps = exposureSteps({ steps: stated, firstSliceRequests, stepMs }, first);
        const shares = steps.map(({ share }) => share);
        const rising = first ? shares.slice(1) : shares;
        assert.equal(shares.at(-1), 1);
        assert.ok(rising.every((share, index) => share > (rising[index - 1] ?? 0)));
        assert.equal(shares[0], rising[0]);
        assert.deepEqual(
          steps.map(({ requestsMax }) => requestsMax),
          steps.map((_, index) => (first && index === 0 ? firstSliceRequests : null)),
        );
        for (const share of stated) if (share > 0 && share < 1) assert.ok(shares.includes(share));
      }),
    );
  });
});

describe('the steps of a change over its balancers', () => {
  it('climb to all on one balancer, and are judged there, before the next has anything; all have all only at the end', async () => {
    const shares = fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(shares, async (stated) => {
        const steps = stated.sort((a, b) => a - b).map((n) => n / 10_000);
        const site = (servers: readonly string[]) =>
          shop(servers).replace('steps: [0.1, 0.5]', `steps: [${steps.join(', ')}]`);
        const { apply, journal } = world(site(fourServers));
        const { change } = await apply(request(site(fiveServers)));
        assert.equal(change.state, 'promoted', change.why);
        const entries = journal.entries();
        const bakes = entries.findIndex(
          ({ event }) => event.kind === 'change.state' && event.state === 'baking',
        );
        const given = entries
          .slice(0, bakes)
          .flatMap(({ event, at }) => (event.kind === 'change.exposed' ? [{ ...event, at }] : []));
        const one = sharesOf(steps);
        assert.deepEqual(
          given.map(({ balancer, share }) => `${balancer} ${share}`),
          [one[0], ...one].map((share) => `lb-1 ${share}`).concat(one.map((share) => `lb-2 ${share}`)),
        );
        const whole = given.findLast(({ balancer }) => balancer === 'lb-1')?.at ?? 0;
        const next = given.find(({ balancer }) => balancer === 'lb-2')?.at ?? 0;
        assert.ok(next - whole >= stepMs, 'lb-1 was looked at with all of its connections first');
        const baking = entries[bakes]?.at ?? 0;
        assert.ok(baking - (given.at(-1)?.at ?? 0) >= stepMs, 'and so was lb-2');
      }),
      { numRuns: 5 },
    );
  });

  it('a fault that shows only with all connections of a balancer is seen on the first, and the second never has it', async () => {
    const { apply, journal, balancers, clock } = world();
    const [first] = balancers;
    first.script.observe = () => {
      const observedShare = first.candidate?.share ?? 0;
      return {
        candidate: { ...noCounts, requests: clock.monotonicMs() },
        incumbent: noCounts,
        observedShare,
        eValue: observedShare === 1 ? 1e9 : 1,
        takenBack: null,
        exposedMs: 0,
      };
    };
    const { change } = await apply(request(shop(fiveServers)));
    assert.equal(change.state, 'rolled back');
    const given = journal
      .entries()
      .flatMap(({ event }) => (event.kind === 'change.exposed' ? [`${event.balancer} ${event.share}`] : []));
    assert.deepEqual(given, ['lb-1 0.1', 'lb-1 0.1', 'lb-1 0.5', 'lb-1 1']);
  });
});
