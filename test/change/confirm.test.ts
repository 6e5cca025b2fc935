import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fiveServers, request, shop, type World, world } from '../world/changes.ts';

const grown = shop(fiveServers);
const withinMs = 10 * 60_000;

/** Proposed with ten minutes to confirm it, until it has all traffic and has baked. */
async function waiting(one: World): Promise<string> {
  const { id } = await one.clock.run(one.pipeline.propose(request(grown, { confirmWithinMs: withinMs })));
  for (let s = 0; s < 60 && !viewOf(one, id).confirm; s++) await one.clock.pass(1_000);
  await one.clock.pass(60_000);
  return id;
}

const viewOf = ({ pipeline }: World, id: string) =>
  pipeline.views().find((view) => view.id === id) ?? assert.fail();

describe('a change that asks to be confirmed', () => {
  it('is not good until somebody confirms it, though it has baked; then it is promoted at once', async () => {
    const one = world();
    const id = await waiting(one);
    assert.equal(viewOf(one, id).state, 'baking');
    assert.notEqual(one.balancers[0].lastGood.text, grown, 'a reboot comes up with what was good before');
    await one.pipeline.confirm(id, 'person:anna', 'I can still log in');
    await one.clock.pass(2_000);
    const { state, confirm, gates } = viewOf(one, id);
    assert.deepEqual([state, confirm?.by], ['promoted', 'person:anna']);
    assert.match(gates.at(-1)?.summary ?? '', /confirmed by person:anna$/);
  });

  it('nobody does: it is taken back everywhere, and its text does not come again by itself', async () => {
    const one = world();
    const id = await waiting(one);
    await one.clock.pass(withinMs);
    const { state, why } = viewOf(one, id);
    assert.deepEqual([state, why], ['rolled back', 'nobody confirmed it within 600 s']);
    assert.deepEqual(
      one.balancers.map(({ candidate }) => candidate),
      [null, null],
    );
    assert.equal(one.pipeline.frozen(), null);
    await assert.rejects(one.pipeline.confirm(id, 'person:anna', ''), { code: 'HF117' });
    const again = (await one.apply(request(grown))).change;
    const limits = again.gates.find(({ gate }) => gate === 'limits');
    assert.deepEqual([again.state, limits?.diagnostics[0]?.code], ['refused', 'HF106']);
  });

  it('the controller is killed while it waits: the next one takes it back', async () => {
    const one = world();
    const id = await waiting(one);
    const left = [...one.journal.entries()];
    await one.clock.run(one.pipeline.rollback('person:nobody', 'this controller is gone'));
    const next = one.restarted(left);
    await next.clock.run(next.pipeline.recover());
    assert.equal(viewOf(next, id).state, 'rolled back');
    assert.ok(
      next.balancers.every(({ candidate, lastGood }) => candidate === null && lastGood.text !== grown),
    );
  });

  it('confirmed before its bake is over, it still bakes', async () => {
    const one = world();
    const { id } = await one.clock.run(one.pipeline.propose(request(grown, { confirmWithinMs: withinMs })));
    for (let s = 0; s < 60 && !viewOf(one, id).confirm; s++) await one.clock.pass(1_000);
    await one.pipeline.confirm(id, 'person:anna', '');
    await one.clock.pass(1_000);
    assert.equal(viewOf(one, id).state, 'baking');
    await one.clock.pass(6_000);
    assert.equal(viewOf(one, id).state, 'promoted');
  });

  it('a change that waits for none cannot be confirmed', async () => {
    const one = world();
    const { change } = await one.apply(request(grown));
    await assert.rejects(one.pipeline.confirm(change.id, 'person:anna', ''), { code: 'HF117' });
    await assert.rejects(one.pipeline.confirm('c9', 'person:anna', ''), { code: 'HF404' });
  });
});
