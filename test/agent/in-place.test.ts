import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { SiteText } from '#contract';
import { haproxyEngine } from '#engines';
import { startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/**
 * Changes without a new generation: the running HAProxys are told, the parked one too; what they do, what is kept as good,
 * and what the next boot would start are the same before and after, whoever is killed in between.
 */
interface Wanted {
  readonly weight?: number;
  readonly maintenance?: boolean;
}

let origins: Origin[];
let stack: Stack;
let port: number;
let turn = 0;

/** Servers by their number, each with what differs. */
function siteText(servers: Readonly<Record<number, Wanted>>): string {
  const lines = Object.entries(servers).map(([number, { weight = 1, maintenance = false }]) => {
    const address = `127.0.0.1:${origins[Number(number)]?.port}`;
    return `{ name: s${number}, address: "${address}", weight: ${weight}, maintenance: ${maintenance} }`;
  });
  return `site: t
listeners: [{ name: http, address: "*:${port}" }]
routes: [{ name: web, pool: web }]
pools: [{ name: web, servers: [${lines.join(', ')}], healthCheck: ${patientCheck} }]
balancers: [{ name: lb-1, engine: haproxy, address: 127.0.0.1 }]
guard: { canary: { steps: [1], step: 1s }, bake: 1s, drainTimeout: 1m }
`;
}

const visitors = (ratePerSecond: number) =>
  startLoadProcess({
    ...{ ...usualLoad, kind: 'kept', tls: false, connections: 8 },
    ...{ port, ratePerSecond, hostname: 'shop.example' },
  });

const two = { 0: {}, 1: {} };
const textFor = (servers: Readonly<Record<number, Wanted>>) => textOf(siteText(servers), stack.folder);

before(async () => {
  origins = await Promise.all([0, 1, 2].map((number) => startOrigin({ name: `o${number}` })));
  port = await freePort();
  stack = await startStack({ siteText: () => siteText(two), engine: 'haproxy' });
});

after(async () => {
  await stack.stop();
  for (const origin of origins) await origin.close();
});

/** `s0 1`, `s1 1 away`: of each generation that lives, from the engine itself. */
async function tables(): Promise<readonly (readonly string[])[]> {
  const { generations } = await stack.call('status', {});
  return await Promise.all(
    generations
      .filter(({ role }) => role !== 'draining')
      .map(async ({ generation, pid }) => {
        const socket = join(stack.run, `g${generation}`, 'control.sock');
        const control = haproxyEngine.control({ pid, control: socket });
        try {
          const said = (await control.ask?.('show servers state web', 5_000)) ?? '';
          return said
            .split('\n')
            .map((line) => line.split(' '))
            .filter(([, pool, , name]) => pool === 'web' && !name?.startsWith('holdfast'))
            .map((row) => `${row[3]} ${row[7]}${Number(row[6]) & 1 ? ' away' : ''}`)
            .toSorted();
        } finally {
          control.close();
        }
      }),
  );
}

/** What the file of the next boot says of the pool. */
function bootServers(): string[] {
  const text = readFileSync(join(stack.state, 'last-good', 'haproxy.cfg'), 'utf8');
  return [...text.matchAll(/^ {2}server (s\d) \S+ weight (\d+)( disabled)?/gm)]
    .map(([, name, weight, away]) => `${name} ${weight}${away ? ' away' : ''}`)
    .toSorted();
}

async function goodHash(): Promise<string> {
  return (await stack.call('status', {})).lastGoodHash;
}

/** Engines, what is good, and the next boot all say this. */
async function isEverywhere(site: SiteText, servers: readonly string[]): Promise<void> {
  await until(
    `${servers.join(', ')} in every generation`,
    async () => {
      const all = await tables();
      return all.length === 2 && all.every((table) => table.join() === servers.join());
    },
    60_000,
  );
  await until('a parked generation', async () =>
    (await stack.call('status', {})).generations.some((g) => g.role === 'standby' && g.state === 'parked'),
  );
  assert.equal(await goodHash(), site.hash);
  assert.deepEqual(bootServers(), servers);
  await until(
    'the intent to be forgotten',
    async () => !existsSync(join(stack.state, 'in-place.json')),
    20_000,
  );
}

async function tell(site: SiteText): Promise<string> {
  turn += 1;
  const change = `c${turn}`;
  await stack.call('candidateInPlace', { site, change }, 30_000);
  await stack.call('expose', { change, share: 1, leaseMs: 60_000, requestsMax: null }, 30_000);
  return change;
}

async function promote(site: SiteText): Promise<void> {
  await stack.call('promote', { change: await tell(site) }, 30_000);
}

describe('a change without a new generation', () => {
  test('comes and goes back under load, in every generation, and no request fails', async (t) => {
    const load = await visitors(100);
    t.after(() => load.kill());
    const ids = async () => (await stack.call('status', {})).generations.map((g) => g.generation).toSorted();
    const generations = await ids();
    const three = textFor({ ...two, 2: { weight: 4 } });
    assert.deepEqual(await stack.call('inPlace', { site: three }), { changes: ['web/s2 comes'] });
    await promote(three);
    await isEverywhere(three, ['s0 1', 's1 1', 's2 4']);
    const seen = origins[2]?.requests() ?? 0;
    await until('requests of the new server', async () => (origins[2]?.requests() ?? 0) > seen + 20, 20_000);
    const less = textFor({ 0: { weight: 3 }, 2: { weight: 4, maintenance: true } });
    await promote(less);
    await isEverywhere(less, ['s0 3', 's2 4 away']);
    await stack.call('rollback', { change: null, reason: 'a test' }, 30_000);
    await isEverywhere(three, ['s0 1', 's1 1', 's2 4']);
    const first = textFor(two);
    await promote(first);
    await isEverywhere(first, ['s0 1', 's1 1']);
    const { records } = await load.stop();
    assert.ok(records.length > 0);
    assert.deepEqual(
      records.filter((r) => r.outcome !== 'ok'),
      [],
    );
    assert.deepEqual(await ids(), generations, 'the same processes all the time');
  });

  test('is taken back by the guard when the server that came is worse than the others', async () => {
    const [, , bad] = origins;
    assert.ok(bad);
    const load = await visitors(200);
    try {
      await bad.become('errors');
      const change = await tell(textFor({ ...two, 2: {} }));
      const taken = await until(
        'the guard',
        async () => (await stack.call('observe', { change })).takenBack,
        30_000,
      );
      assert.match(taken.reason, /5xx|fails more|down|broken/);
      await isEverywhere(textFor(two), ['s0 1', 's1 1']);
    } finally {
      await load.stop();
      await bad.become('right');
    }
  });

  test('is not taken back for what went wrong before the server came', async () => {
    const [broken] = origins;
    assert.ok(broken);
    const load = await visitors(100);
    try {
      await broken.become('errors');
      await until(
        'the alarm',
        async () => {
          const records = await stack.call('records', { after: 0 });
          const told = records
            .map(({ what }) => what)
            .findLast((w) => w.kind === 'alarm' || w.kind === 'recovered');
          return told?.kind === 'alarm';
        },
        60_000,
      );
      const change = await tell(textFor({ ...two, 2: {} }));
      // So many bad answers that the absolute detectors would have spoken long ago.
      const seen = await until(
        'bad answers and good ones of the new server',
        async () => {
          const now = await stack.call('observe', { change });
          return now.takenBack !== null || (now.candidate.requests > 30 && now.incumbent.errors > 10)
            ? now
            : null;
        },
        60_000,
      );
      assert.equal(seen.takenBack?.reason, undefined);
      await stack.call('rollback', { change, reason: 'seen enough' }, 30_000);
      await isEverywhere(textFor(two), ['s0 1', 's1 1']);
    } finally {
      await load.stop();
      await broken.become('right');
    }
  });

  test('ends with its lease', async () => {
    turn += 1;
    const change = `c${turn}`;
    await stack.call('candidateInPlace', { site: textFor({ ...two, 2: {} }), change });
    await stack.call('expose', { change, share: 1, leaseMs: 500, requestsMax: null }, 30_000);
    const taken = await until(
      'its end',
      async () => (await stack.call('observe', { change })).takenBack,
      30_000,
    );
    assert.match(taken.reason, /lease/);
    await isEverywhere(textFor(two), ['s0 1', 's1 1']);
  });

  test('a generation that starts later has it, and so has one that takes over', async () => {
    const weighed = textFor({ 0: { weight: 7 }, 1: {} });
    await promote(weighed);
    process.kill(await stack.pidOf('active'), 'SIGKILL');
    await isEverywhere(weighed, ['s0 7', 's1 1']);
    await promote(textFor(two));
    await isEverywhere(textFor(two), ['s0 1', 's1 1']);
  });

  test('needs a new generation where more than servers changes, and where somebody set the server by hand', async () => {
    const other = textOf(siteText(two).replace('path: /health', 'path: /healthy'), stack.folder);
    const said = await stack.call('inPlace', { site: other });
    assert.ok(said.changes === null);
    assert.match(said.why, /more than servers/);
  });
});

test('what the engine would refuse goes the usual way: it is tried on the parked generation first', async () => {
  const three = textFor({ ...two, 2: {} });
  // One that is just starting cannot be asked yet.
  await until('it can be asked', async () => (await stack.call('inPlace', { site: three })).changes !== null);
  const { generations } = await stack.call('status', {});
  const { generation, pid } = generations.find(({ role }) => role === 'standby') ?? { generation: 0, pid: 0 };
  const control = haproxyEngine.control({ pid, control: join(stack.run, `g${generation}`, 'control.sock') });
  try {
    assert.deepEqual(await stack.call('inPlace', { site: three }), { changes: ['web/s2 comes'] });
    await control.ask?.('add server web/s2 127.0.0.1:9 weight 1', 5_000);
    const said = await stack.call('inPlace', { site: three });
    assert.ok(said.changes === null);
    assert.match(said.why, /haproxy does not take it while it runs: .*s2 is there already/);
    await control.ask?.('del server web/s2', 5_000);
    assert.deepEqual(await stack.call('inPlace', { site: three }), { changes: ['web/s2 comes'] });
  } finally {
    control.close();
  }
  await isEverywhere(textFor(two), ['s0 1', 's1 1']);
});

describe('kill -9 in the middle: all as before, or all as told', () => {
  const moments = ['in hand', 'told', 'promoted'] as const;
  for (const moment of moments)
    test(`of the agent, ${moment}`, async () => {
      const next = textFor({ ...two, 2: { weight: 2 } });
      turn += 1;
      const change = `c${turn}`;
      await stack.call('candidateInPlace', { site: next, change });
      if (moment !== 'in hand')
        await stack.call('expose', { change, share: 1, leaseMs: 60_000, requestsMax: null }, 30_000);
      if (moment === 'promoted') await stack.call('promote', { change }, 30_000);
      stack.agent().kill('SIGKILL');
      await stack.startAgent();
      if (moment === 'promoted') {
        await isEverywhere(next, ['s0 1', 's1 1', 's2 2']);
        await promote(textFor(two));
      }
      await isEverywhere(textFor(two), ['s0 1', 's1 1']);
    });

  test('of the agent, at any instant', async () => {
    for (const waitMs of [2, 12]) {
      const next = textFor({ 0: {}, 2: { weight: 2 } });
      turn += 1;
      const change = `c${turn}`;
      const all = (async () => {
        await stack.call('candidateInPlace', { site: next, change });
        await stack.call('expose', { change, share: 1, leaseMs: 60_000, requestsMax: null }, 30_000);
        await stack.call('promote', { change }, 30_000);
      })().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      stack.agent().kill('SIGKILL');
      await all;
      await stack.startAgent();
      const isNew = (await goodHash()) === next.hash;
      if (isNew) await isEverywhere(next, ['s0 1', 's2 2']);
      else await isEverywhere(textFor(two), ['s0 1', 's1 1']);
      if (isNew) await promote(textFor(two));
      await isEverywhere(textFor(two), ['s0 1', 's1 1']);
    }
  });

  for (const who of ['active', 'standby', 'holder'] as const)
    test(`of the ${who}, while it is tried`, async () => {
      await tell(textFor({ ...two, 2: {} }));
      process.kill(await stack.pidOf(who), 'SIGKILL');
      if (who !== 'active') await stack.call('rollback', { change: `c${turn}`, reason: 'a test' }, 30_000);
      await isEverywhere(textFor(two), ['s0 1', 's1 1']);
    });
});
