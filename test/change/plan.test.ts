import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { viewsOf } from '#change';
import { fiveServers, fourServers, request, shop, type World, world } from '../world/changes.ts';

const protectedSite = `policies:
  - name: the shop reaches its servers
    always: [web]
  - name: a second pair of eyes
    requests: { path: { value: / } }
    approvals: 1
`;
const before = shop(fourServers, protectedSite);
const after = shop(fiveServers, protectedSite);

const gateOf = ({ pipeline }: World, name: string) =>
  pipeline
    .views()
    .at(-1)
    ?.gates.find(({ gate }) => gate === name);
const changeOf = ({ pipeline }: World) => pipeline.views().at(-1);

/** Until it has ended, or waits for approvals. */
async function settle({ clock, pipeline }: World): Promise<void> {
  for (let waited = 0; waited < 600 && pipeline.views().at(-1)?.endedAt === null; waited++) {
    if (pipeline.views().at(-1)?.review.needed !== null && !hasEnough(pipeline.views().at(-1))) return;
    await clock.pass(100);
  }
}

const hasEnough = (view: ReturnType<typeof changeOf>) =>
  view !== undefined && view.review.approvals.length >= (view.review.needed ?? 0);

describe('the plan of a change', () => {
  it('is journalled with a witness, and the gate says the risk', async () => {
    const { apply } = world();
    const { change } = await apply(request(shop(fiveServers)));
    assert.equal(change.plan?.differences[0]?.severity, 'moved');
    const [one] = change.gates.filter(({ gate }) => gate === 'plan');
    assert.match(one?.summary ?? '', /1 class of requests is treated differently; risk medium/);
    assert.match(one?.evidence[0] ?? '', /^moved: GET http:\/\/.* -> pool web \(10\.0\.0\.1:80, .*/);
    assert.equal(change.review.needed, null);
  });

  it('stops a change that breaks a policy, with the policy and its line', async () => {
    const one = world(shop(fourServers, protectedSite));
    const text = shop(fourServers, protectedSite).replace(
      'routes:\n',
      'routes:\n  - { name: away, matches: [{ path: { value: /x } }], redirect: { hostname: other.example } }\n',
    );
    const { change } = await one.apply(request(text));
    assert.equal(change.state, 'refused');
    assert.match(change.why, /the shop reaches its servers/);
    assert.equal(gateOf(one, 'plan')?.diagnostics[0]?.code, 'HF112');
    assert.equal(
      gateOf(one, 'plan')?.diagnostics[0]?.place?.line,
      before.split('\n').findIndex((line) => line.includes('the shop reaches')) + 1,
    );
  });

  it('is held against the policies of the site that runs, not those that it brings', async () => {
    const one = world(before);
    const loose = shop(fiveServers);
    await one.clock.run(one.pipeline.propose(request(loose)));
    await settle(one);
    assert.equal(changeOf(one)?.review.needed, 1);
  });

  it('could not tell is no pass, and a person who ends the change does not wait for it', async () => {
    const one = world(before);
    one.planner.plan = () => Promise.reject(new Error('the plan did not end within 30 s'));
    const { change } = await one.apply(request(after));
    assert.equal(change.state, 'refused');
    assert.match(change.why, /could not tell what it does to requests: the plan did not end/);
    one.planner.plan = () => new Promise(() => {});
    const { id } = await one.clock.run(one.pipeline.propose(request(after)));
    const view = await one.clock.run(one.pipeline.rollback('person:anna', 'not now'));
    assert.equal(view.change?.id, id);
    assert.equal(view.change?.state, 'abandoned');
  });
});

describe('approvals of a change', () => {
  it('it waits; its author is nobody; another one lets it go on; who and when is in the journal', async () => {
    const one = world(before);
    const { id } = await one.clock.run(one.pipeline.propose(request(after)));
    await settle(one);
    assert.equal(changeOf(one)?.state, 'proposed');
    assert.match(changeOf(one)?.review.because[0] ?? '', /a second pair of eyes/);
    await assert.rejects(one.pipeline.approve(id, 'person:anna', ''), { code: 'HF114' });
    await assert.rejects(one.pipeline.approve('c9', 'person:berta', ''), { code: 'HF404' });
    await one.pipeline.approve(id, 'person:berta', 'seen');
    await one.pipeline.approve(id, 'person:berta', 'again');
    await settle(one);
    assert.equal(changeOf(one)?.state, 'promoted');
    assert.match(gateOf(one, 'review')?.summary ?? '', /^approved by person:berta$/);
    const [entry, second] = one.journal.entries().filter(({ event }) => event.kind === 'change.approved');
    assert.equal(entry?.by, 'person:berta');
    assert.equal(second, undefined);
    await assert.rejects(one.pipeline.approve(id, 'person:carla', ''), { code: 'HF114' });
  });

  it('forced: nobody is waited for, and the journal says so', async () => {
    const one = world(before);
    const { change } = await one.apply(request(after, { force: true, reason: 'it burns' }));
    assert.equal(change.state, 'promoted');
    assert.equal(gateOf(one, 'review')?.forced, true);
    assert.match(gateOf(one, 'review')?.summary ?? '', /nobody has approved it/);
  });

  it('a person aborts a waiting change: abandoned, and what runs stays', async () => {
    const one = world(before);
    await one.clock.run(one.pipeline.propose(request(after)));
    await settle(one);
    const { change, balancers } = await one.clock.run(one.pipeline.abort('person:carla', 'no'));
    assert.equal(change?.state, 'abandoned');
    assert.deepEqual(balancers, []);
    assert.equal(one.pipeline.busy(), false);
    await assert.rejects(one.pipeline.abort('person:carla', 'no'), { code: 'HF404' });
  });

  it('a rollback while a change waits takes back what runs: the fault is there', async () => {
    const one = world(before);
    const { change: good } = await one.apply(request(after, { force: true, reason: 'seen by phone' }));
    assert.equal(good.state, 'promoted');
    const { id } = await one.clock.run(one.pipeline.propose(request(before)));
    await settle(one);
    const { change } = await one.clock.run(one.pipeline.rollback('person:carla', 'it burns'));
    assert.deepEqual([change?.id, change?.state], [good.id, 'rolled back']);
    assert.equal(one.pipeline.views().find((view) => view.id === id)?.state, 'abandoned');
  });

  it('what gates said long before the approval is asked again', async () => {
    const one = world(before);
    const { id } = await one.clock.run(one.pipeline.propose(request(after)));
    await settle(one);
    await one.clock.pass(6 * 60_000);
    await one.pipeline.approve(id, 'person:berta', '');
    await settle(one);
    const asked = one.journal
      .entries()
      .filter(({ event }) => event.kind === 'change.gate' && event.report.gate === 'way back');
    assert.equal(asked.length, 2);
    assert.equal(changeOf(one)?.state, 'promoted');
  });

  it('nobody within a day: refused, and the next change may come', async () => {
    const one = world(before);
    await one.clock.run(one.pipeline.propose(request(after)));
    await settle(one);
    for (let hours = 0; hours < 25 && one.pipeline.busy(); hours++) await one.clock.pass(3_600_000);
    assert.equal(changeOf(one)?.state, 'refused');
  });

  it('goes on waiting when the controller is killed, and keeps what was approved', async () => {
    const two = protectedSite.replace('approvals: 1', 'approvals: 2');
    const first = world(shop(fourServers, two));
    const { id } = await first.clock.run(first.pipeline.propose(request(shop(fiveServers, two))));
    await settle(first);
    await first.pipeline.approve(id, 'person:berta', '');
    const left = [...first.journal.entries()];
    await first.clock.run(first.pipeline.rollback('person:nobody', 'this controller is gone'));
    const next = first.restarted(left);
    await next.clock.run(next.pipeline.recover());
    assert.equal(next.pipeline.busy(), true);
    await next.clock.pass(2_000);
    const [view] = viewsOf(next.journal.entries());
    assert.deepEqual(
      [view?.state, view?.review.approvals.map(({ by }) => by)],
      ['proposed', ['person:berta']],
    );
    await next.pipeline.approve(id, 'person:carla', '');
    await settle(next);
    assert.equal(changeOf(next)?.state, 'promoted');
    assert.equal(changeOf(next)?.id, id);
  });
});
