import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { viewsOf } from '#change';
import { finalStates } from '#events';
import { fiveServers, request, shop, siteText, type World, world } from '../world/changes.ts';

const grown = shop(fiveServers);
const grownHash = siteText(grown).hash;

/** Runs a change until its `n`th journal entry is on disk, and ends the controller there: it neither writes nor asks again. */
async function crashedAfter(
  n: number,
  arrange: (world: World) => void,
): Promise<{ after: World; ended: boolean }> {
  const before = world();
  arrange(before);
  let dead = false;
  const isDead = () => dead;
  for (const balancer of before.balancers) {
    const call = balancer.call.bind(balancer);
    balancer.call = (name, input) => (isDead() ? new Promise<never>(() => {}) : call(name, input));
    before.journal.afterEntry = ({ sequence }) => {
      if (sequence >= n) dead = true;
    };
    revived.set(balancer, () => {
      balancer.call = call;
    });
  }
  await before.clock.run(before.pipeline.propose(request(grown)));
  for (let waited = 0; waited < 300 && !isDead(); waited++) await before.clock.pass(100);
  const left = before.journal.entries().slice(0, n);
  for (const balancer of before.balancers) revived.get(balancer)?.();
  return { after: before.restarted(left), ended: isDead() };
}

const revived = new Map<unknown, () => void>();

/** What must hold after any crash: the journal has an end for the change, and every balancer is where the end says. */
function isSettled({ journal, balancers, sites }: World, where: string): string {
  const [view] = viewsOf(journal.entries());
  if (!view) return 'nothing';
  assert.ok(finalStates.includes(view.state), `${where}: ${view.state}`);
  const wanted = view.state === 'promoted';
  for (const balancer of balancers) {
    assert.equal(balancer.candidate, null, `${where}: ${balancer.name} has no candidate left`);
    assert.equal(
      balancer.lastGood.hash === grownHash,
      wanted,
      `${where}: ${balancer.name} runs what the journal says`,
    );
  }
  assert.equal(sites.current().hash === grownHash, wanted, `${where}: the kept text is what runs`);
  return view.state;
}

describe('the controller ends after any journal entry', () => {
  for (const [what, arrange] of [
    ['of a good change', () => {}],
    [
      'of a change that the guard takes back',
      ({ balancers }: World) => {
        balancers[1].guardActsAfterMs = 900;
      },
    ],
    [
      'of a change that is promoted on one balancer only',
      ({ balancers }: World) => {
        balancers[1].script.promote = () => {
          throw new Error('the holder ended');
        };
      },
    ],
  ] as const) {
    it(what, async () => {
      const ends = new Set<string>();
      let crashes = 0;
      for (let n = 1; ; n++) {
        const { after, ended } = await crashedAfter(n, arrange);
        if (!ended) break;
        crashes += 1;
        await after.clock.run(after.pipeline.recover());
        await after.clock.run(after.pipeline.tend());
        ends.add(isSettled(after, `after entry ${n}`));
        const entries = after.journal.entries().length;
        await after.clock.run(after.pipeline.recover());
        assert.equal(after.journal.entries().length, entries, `recovering twice adds nothing (entry ${n})`);
        const keys = after.journal
          .entries()
          .flatMap(({ event }) =>
            event.kind === 'guard.acted' ? [`${event.record.balancer} ${event.record.number}`] : [],
          );
        assert.equal(new Set(keys).size, keys.length, `each guard record once (entry ${n})`);
      }
      assert.ok(crashes >= 15, `${crashes} places were tried`);
      assert.ok(ends.has('rolled back') && ends.has('abandoned'), [...ends].join());
    });
  }

  it('says during what, and does not blame the text', async () => {
    const { after } = await crashedAfter(12, () => {});
    await after.clock.run(after.pipeline.recover());
    const [view] = after.pipeline.views();
    assert.equal(view?.why, 'the controller ended during canary');
    const again = await after.apply(request(grown));
    assert.equal(again.change.state, 'promoted');
  });
});
