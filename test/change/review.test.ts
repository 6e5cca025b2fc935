import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ApplyRequest } from '#contract';
import { gateNames } from '#events';
import { fiveServers, fourServers, request, shop, type World, world } from '../world/changes.ts';

const eyes = `policies:
  - { name: "a second pair of eyes", approvals: 1, risk: low }
`;
const short = `  review: { expiresAfter: 2h, waitsAtMost: 12h }\n${eyes}`;
const before = shop(fourServers, eyes);
const after = shop(fiveServers, eyes);

async function proposed(one: World, text = after, more: Partial<ApplyRequest> = {}): Promise<string> {
  const { id } = await one.clock.run(one.pipeline.propose(request(text, more)));
  await one.clock.pass(2_000);
  return id;
}

const viewOf = ({ pipeline }: World, id: string) =>
  pipeline.views().find((view) => view.id === id) ?? assert.fail();
const minutes = (n: number) => n * 60_000;

describe('an approval', () => {
  it('is bound to the exact text: of one with one more character it is void, and the change waits', async () => {
    const one = world(before);
    const first = await proposed(one);
    await one.clock.run(one.pipeline.abort('person:anna', 'a word was missing'));
    const second = await proposed(one, `${after}#`);
    const { of } = viewOf(one, second).review.approvals[0] ?? {};
    assert.equal(of, undefined);
    // What was approved of the first text, as the journal has it, under the name of the second.
    await one.journal.append('person:berta', {
      kind: 'change.approved',
      change: second,
      reason: '',
      of: 'the text before',
    });
    await one.clock.pass(2_000);
    assert.equal(viewOf(one, second).state, 'proposed');
    await one.pipeline.approve(second, 'person:carla', '');
    await one.clock.pass(minutes(2));
    assert.equal(viewOf(one, second).state, 'promoted');
    assert.equal(viewOf(one, first).state, 'abandoned');
  });

  it('expires: one of this morning does not count beside one of this evening', async () => {
    const two = short.replace('approvals: 1', 'approvals: 2');
    const one = world(shop(fourServers, two));
    const id = await proposed(one, shop(fiveServers, two));
    await one.pipeline.approve(id, 'person:berta', '');
    await one.clock.pass(minutes(180));
    await one.pipeline.approve(id, 'person:carla', '');
    await one.clock.pass(minutes(2));
    assert.equal(viewOf(one, id).state, 'proposed');
    await one.pipeline.approve(id, 'person:dora', '');
    await one.clock.pass(minutes(2));
    assert.equal(viewOf(one, id).state, 'promoted');
  });

  it('is waited for as long as the site says, and no longer', async () => {
    const one = world(shop(fourServers, short));
    const id = await proposed(one, shop(fiveServers, short));
    await one.clock.pass(minutes(11 * 60));
    assert.equal(viewOf(one, id).state, 'proposed');
    await one.clock.pass(minutes(61));
    assert.equal(viewOf(one, id).state, 'refused');
  });
});

describe('an emergency', () => {
  const asked = { emergency: true, reason: 'checkout is down' } as const;
  /** With the canary and the bake that a site has which says nothing of them. */
  const unhurried = (servers: readonly string[], more = '') =>
    shop(servers, more)
      .replace('steps: [0.1, 0.5], firstSliceRequests: 20, step: 2s', 'step: 10s')
      .replace('bake: 5s', 'bake: 2m');

  it('goes through every gate, and is promoted within seconds', async () => {
    const one = world(unhurried(fourServers));
    const { change } = await one.apply(request(unhurried(fiveServers), asked));
    assert.equal(change.state, 'promoted');
    assert.deepEqual(
      change.gates.map(({ gate }) => gate),
      gateNames,
    );
    const tookMs = (change.endedAt ?? Number.POSITIVE_INFINITY) - change.proposedAt;
    assert.ok(tookMs < 10_000, `${tookMs} ms`);
    const { change: usual } = await world(unhurried(fourServers)).apply(request(unhurried(fiveServers)));
    assert.ok((usual.endedAt ?? 0) - usual.proposedAt > minutes(2));
  });

  it('needs a reason, and the approvals that any change needs', async () => {
    const { pipeline, clock } = world(before);
    await assert.rejects(clock.run(pipeline.propose(request(after, { emergency: true }))), { code: 'HF110' });
    const one = world(before);
    const id = await proposed(one, after, asked);
    await one.clock.pass(minutes(5));
    assert.equal(viewOf(one, id).state, 'proposed');
  });
});

describe('break-glass', () => {
  const hurry = { breakGlass: true, reason: 'checkout is down' } as const;

  it('needs a reason', async () => {
    const { pipeline, clock } = world(before);
    const asked = pipeline.propose(request(after, { breakGlass: true }));
    await assert.rejects(clock.run(asked), { code: 'HF110' });
  });

  it('goes past the review and past nothing else; it is journalled, and owed a review', async () => {
    const one = world(before);
    const { change } = await one.apply(request(after, hurry));
    assert.equal(change.state, 'promoted');
    const report = change.gates.find(({ gate }) => gate === 'review');
    assert.deepEqual([report?.verdict, report?.forced], ['refused', true]);
    assert.deepEqual(viewOf(one, change.id).review.brokeGlass, {
      by: 'person:anna',
      reason: 'checkout is down',
      owed: true,
    });
    const dead = world(before);
    dead.balancers[0].script.wayBack = () => ({
      ok: false,
      generation: 1,
      tried: [{ what: 'its entrance', ok: false, answered: 'refused' }],
    });
    assert.equal((await dead.apply(request(after, hurry))).change.state, 'refused');
  });

  it('is reviewed afterwards by somebody else, who says what was seen', async () => {
    const one = world(before);
    const { id } = (await one.apply(request(after, hurry))).change;
    await assert.rejects(one.pipeline.approve(id, 'person:anna', 'fine'), { code: 'HF114' });
    await assert.rejects(one.pipeline.approve(id, 'person:berta', ''), { code: 'HF110' });
    const { review } = await one.pipeline.approve(id, 'person:berta', 'web-5 is ours');
    assert.deepEqual(
      [review.brokeGlass?.owed, review.approvals.map(({ by, reason }) => [by, reason])],
      [false, [['person:berta', 'web-5 is ours']]],
    );
    await assert.rejects(one.pipeline.approve(id, 'person:carla', 'too'), { code: 'HF114' });
  });

  it('where nobody had to approve, nothing was broken', async () => {
    const { change } = await world().apply(request(shop(fiveServers), hurry));
    assert.equal(change.review.brokeGlass, undefined);
  });
});
