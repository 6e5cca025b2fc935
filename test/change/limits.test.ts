import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChangeView, TrafficSummary } from '#contract';
import { filesAround } from '#model';
import { planWritten } from '#plan';
import { fiveServers, fourServers, request, shop, type World, world } from '../world/changes.ts';

const grown = shop(fiveServers);
const limited = (words: string) => `  limits: { ${words} }\n`;

/** The planner counts so many recent requests. */
function withTraffic(
  { planner }: World,
  told: Pick<TrafficSummary, 'requests' | 'toOthers' | 'unknown'>,
): void {
  planner.plan = async (before, after) => ({
    ...planWritten(before, after, filesAround),
    traffic: { source: '/var/log/shop.log', unread: 0, moved: told.toOthers, ...told },
  });
}

const limitsOf = ({ gates }: ChangeView) => gates.find(({ gate }) => gate === 'limits') ?? assert.fail();

describe('how much traffic a change moves', () => {
  const fifth = limited('movedTrafficShareMax: 0.2');
  const before = shop(fourServers, fifth);
  const after = shop(fiveServers, fifth);

  it('more than the running site allows is refused, with the share and the count', async () => {
    const one = world(before);
    withTraffic(one, { requests: 1_000, toOthers: 400, unknown: 0 });
    const { change } = await one.apply(request(after));
    assert.equal(change.state, 'refused');
    assert.equal(
      limitsOf(change).summary,
      '40 % of 1000 recent requests moved to other servers or answers, and at most 20 % may be at once',
    );
  });

  it('as much as it allows goes on, and is told', async () => {
    const one = world(before);
    withTraffic(one, { requests: 1_000, toOthers: 200, unknown: 0 });
    const { change } = await one.apply(request(after));
    assert.equal(change.state, 'promoted');
    assert.match(limitsOf(change).summary, /1 server added; 20 % of 1000 recent requests moved/);
  });

  it('not known is no pass: without a log, and where more might move than is known', async () => {
    const { change } = await world(before).apply(request(after));
    assert.deepEqual([change.state, limitsOf(change).verdict], ['refused', 'unknown']);
    const one = world(before);
    withTraffic(one, { requests: 1_000, toOthers: 100, unknown: 200 });
    const perhaps = (await one.apply(request(after))).change;
    assert.equal(limitsOf(perhaps).verdict, 'unknown');
    assert.match(
      limitsOf(perhaps).summary,
      /^could not tell: 10 % of 1000 .*where 200 mores? would go is not known/,
    );
  });

  it('without a limit nothing is asked for; without a request there is nothing to move', async () => {
    assert.equal((await world().apply(request(grown))).change.state, 'promoted');
    const quiet = world(before);
    withTraffic(quiet, { requests: 0, toOthers: 0, unknown: 0 });
    assert.equal((await quiet.apply(request(after))).change.state, 'promoted');
  });
});

describe('a text that ran before the one that runs', () => {
  const six = shop([...fiveServers, '10.0.0.6:80']);

  it('is refused as the older one; --older says that it is meant', async () => {
    const { apply } = world();
    await apply(request(grown));
    await apply(request(six));
    const stale = (await apply(request(grown))).change;
    assert.equal(stale.state, 'refused');
    assert.equal(limitsOf(stale).diagnostics[0]?.code, 'HF116');
    const meant = (await apply(request(grown, { older: true }))).change;
    assert.deepEqual([meant.state, meant.asked], ['promoted', { older: true }]);
  });

  it('also the one that the site began with, as the journal says', async () => {
    const { apply, journal, sites } = world();
    const siteHash = sites.current().hash;
    await journal.append('controller', {
      kind: 'site.started',
      site: 'shop',
      siteHash,
      balancers: [],
      version: '1',
    });
    await apply(request(grown));
    assert.equal((await apply(request(shop(fourServers)))).change.state, 'refused');
  });

  it('may be applied where the running site allows it, and after a rollback that is what was newest', async () => {
    const allowing = limited('olderTexts: allowed');
    const free = world(shop(fourServers, allowing));
    await free.apply(request(shop(fiveServers, allowing)));
    await free.apply(request(shop(fourServers.slice(1), allowing)));
    assert.equal((await free.apply(request(shop(fiveServers, allowing)))).change.state, 'promoted');

    const { apply, clock, pipeline } = world();
    await apply(request(grown));
    await clock.run(pipeline.rollback('person:anna', 'slow'));
    const again = (await apply(request(grown, { release: true, reason: 'it was the network' }))).change;
    assert.equal(again.state, 'promoted');
  });
});

describe('balancers that serve beside the one that tries', () => {
  const spare = limited('spareBalancersMin: 1');

  it('are counted: one that does not serve leaves too few', async () => {
    const one = world(shop(fourServers, spare));
    assert.equal((await one.apply(request(shop(fiveServers, spare)))).change.state, 'promoted');
    const two = world(shop(fourServers, spare));
    const [first] = two.balancers;
    const status = await first.call('status', {});
    first.script.status = () => ({ ...status, generations: [] });
    const { change } = await two.apply(request(shop(fiveServers, spare)));
    assert.equal(change.state, 'refused');
    assert.match(limitsOf(change).summary, /leave 0 spare .* at least 1 must serve/);
  });
});

it('a pool that requests are brought to keeps its live servers, though none of them is new', async () => {
  const twoPools = (pool: string) =>
    shop(fourServers)
      .replace(
        'pool: web }',
        `pool: ${pool} }\n  - { name: api, matches: [{ path: { type: PathPrefix, value: /api } }], pool: ${pool === 'web' ? 'other' : 'web'} }`,
      )
      .replace(
        'balancers:',
        '  - name: other\n    servers: [{ name: o-1, address: "10.0.1.1:80" }]\nbalancers:',
      );
  const { apply, balancers } = world(twoPools('web'));
  for (const balancer of balancers)
    balancer.script.probe = ({ servers }) =>
      servers.map((server) => ({
        ...server,
        address: '10.0.1.1:80',
        ok: server.pool !== 'other',
        tried: 'TCP connect',
        answered: 'connection refused',
        tookMs: 1,
      }));
  const { change } = await apply(request(twoPools('other')));
  assert.equal(change.state, 'refused');
  assert.match(change.why, /pool "other" would have 0 of 1 server live/);
});
