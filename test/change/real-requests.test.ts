import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ActionView, RealAnswer, RealAnswers, RecentRequest, RehearsalResult } from '#contract';
import { fourServers, request, shop, world } from '../world/changes.ts';

/** What the gate "rehearsal" says of recent real requests, from what two balancers answered. */

const wants = '  rehearsal: { realRequests: { sample: 5 } }\n';
const grown = shop([...fourServers, '10.0.0.5:80'], wants);
const nothing = { ok: true, startMs: 60, memoryBytes: 15e6, witnesses: [], replaced: ['sockets'] };

const pool = (name: string, port = 80): ActionView => ({
  kind: 'pool',
  pool: name,
  servers: [`10.0.0.1:${port}`],
  sent: {},
});
const web = pool('web');
const api = pool('api', 81);

function recent(before: ActionView, after = before): RecentRequest {
  const where = { scheme: 'http', host: 'shop.example', port: 8080, sni: null } as const;
  const witness = { method: 'GET', ...where, path: '/cart', query: '', headers: {}, sourceAddress: null };
  return { witness, before, after, same: before === after };
}

function answer(status: number, from: string | null = null, location: string | null = null): RealAnswer {
  const server =
    from === null ? null : { pool: from, server: 's1', address: `10.0.0.1:${from === 'api' ? 81 : 80}` };
  return { status, location, server, ...(status === 0 ? { why: 'socket hang up' } : {}) };
}

/** The gate's report for one request, asked so many times as there are rounds. */
async function judged(told: RecentRequest, ...rounds: readonly Pair[]) {
  const { witness } = told;
  const asked = rounds.map(([candidate, incumbent]) => ({ candidate, incumbent }));
  return await gate([told], { asked: [{ witness, rounds: asked }], replaced: ['the access log by none'] });
}

async function gate(requests: readonly RecentRequest[] | Error, real: RealAnswers | null) {
  const { apply, balancers, planner } = world(shop(fourServers, wants));
  planner.sample = async () => {
    if (requests instanceof Error) throw requests;
    return { source: 'access.log', requests, leftOut: 3 };
  };
  const result: RehearsalResult = { ...nothing, ...(real ? { real } : {}) };
  balancers[1].script.rehearse = () => result;
  balancers[0].script.rehearse = balancers[1].script.rehearse;
  const { change } = await apply(request(grown));
  const report = change.gates.find((one) => one.gate === 'rehearsal');
  assert.ok(report, change.why);
  return { ...report, state: change.state };
}

type Pair = readonly [candidate: RealAnswer, incumbent: RealAnswer];
const thrice = (one: Pair): readonly Pair[] => [one, one, one];

describe('recent real requests', () => {
  it('are answered as by what runs', async () => {
    const { verdict, summary, evidence } = await judged(recent(web), [
      answer(200, 'web'),
      answer(200, 'web'),
    ]);
    assert.equal(verdict, 'passed');
    assert.match(summary, /lb-2: 1 recent real request answered as by what runs$/);
    assert.ok(evidence.includes('lb-1: for real requests: replaced the access log by none'));
  });

  it('that go elsewhere, as planned, are fine, and told', async () => {
    const { verdict, evidence } = await judged(
      recent(web, api),
      ...thrice([answer(200, 'api'), answer(200, 'web')]),
    );
    assert.equal(verdict, 'passed');
    assert.match(evidence.join('\n'), /as planned: GET http:\/\/shop.example:8080\/cart: 200 from api\/s1/);
  });

  const refusals: readonly (readonly [
    name: string,
    told: RecentRequest,
    candidate: RealAnswer,
    incumbent: RealAnswer,
  ])[] = [
    ['another pool that nobody planned', recent(web), answer(200, 'api'), answer(200, 'web')],
    ['the same pool where another was planned', recent(web, api), answer(200, 'web'), answer(200, 'web')],
    ['500 where what runs answers 200', recent(web), answer(500, 'web'), answer(200, 'web')],
    ['404 behind a move that was planned', recent(web, api), answer(404, 'api'), answer(200, 'web')],
    ['no answer', recent(web), answer(0), answer(200, 'web')],
    ['no server, where one was planned', recent(web), answer(503), answer(200, 'web')],
    [
      'another target of a redirect',
      recent({ kind: 'redirect', status: 302, location: '/a' }),
      answer(302, null, '/b'),
      answer(302, null, '/a'),
    ],
    ['another redirect by a server', recent(web), answer(302, 'web', '/b'), answer(302, 'web', '/a?nonce=1')],
    [
      'an answer that the plan does not know',
      recent({ kind: 'unknown', why: 'a script', text: 'lua' }),
      answer(403),
      answer(200, 'web'),
    ],
  ];
  for (const [name, told, candidate, incumbent] of refusals)
    it(`refuses ${name}`, async () => {
      const { verdict, state, evidence } = await judged(told, ...thrice([candidate, incumbent]));
      assert.deepEqual([verdict, state], ['refused', 'refused'], evidence.join('\n'));
      assert.match(evidence[0] ?? '', /^lb-1: GET http:\/\/shop.example:8080\/cart: /);
    });

  it('that were otherwise once are told, and refuse nothing', async () => {
    const [bad, good] = [answer(500, 'web'), answer(200, 'web')];
    const { verdict, evidence } = await judged(recent(web), [bad, good], [good, good]);
    assert.equal(verdict, 'passed');
    assert.match(evidence.join('\n'), /once 500 from web\/s1, with what runs 200/);
  });

  it('that only what runs fails are fine', async () => {
    const { verdict } = await judged(recent(web), ...thrice([answer(200, 'web'), answer(503)]));
    assert.equal(verdict, 'passed');
  });

  it('of which nothing can be told are no pass', async () => {
    const told = recent(web);
    const neither = await judged(told, ...thrice([answer(0), answer(0)]));
    const somewhere = await judged(told, ...thrice([answer(200), answer(200, 'web')]));
    const late = {
      asked: [{ witness: told.witness, rounds: [], unasked: 'the time was over' }],
      replaced: [],
    };
    for (const report of [
      neither,
      somewhere,
      await gate([told], late),
      await gate([told], null),
      await gate([], null),
      await gate(new Error('there is no access log'), null),
    ])
      assert.deepEqual([report.verdict, report.state], ['unknown', 'refused'], report.summary);
  });

  it('are not asked where nobody wants them', async () => {
    const { apply, planner } = world(shop(fourServers));
    planner.sample = () => assert.fail('nobody wants one');
    assert.equal((await apply(request(shop([...fourServers, '10.0.0.5:80'])))).change.state, 'promoted');
  });
});
