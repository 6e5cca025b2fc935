import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FaultScope, scopeWords } from '#events';
import type { Site } from '#model';
import type { Stated } from '#monitor';
import { siteDifferenceOf } from './differences.ts';
import { type Manner, simulated, twoByTwo, type World } from './simulated.ts';

/** Half a minute of good traffic, then the fault; what was told, with the milliseconds since. */
function after(
  act: (world: World) => void,
  options: { seed?: number; rate?: number; forMs?: number; site?: Site } = {},
) {
  const world = simulated(options);
  world.run(30_000);
  const quiet = world.told.filter(({ kind }) => kind !== 'fault.suspected');
  const beganAt = world.now;
  act(world);
  world.run(options.forMs ?? 3_000);
  const of = (kind: string) => world.told.filter((event) => event.kind === kind);
  const located = world.told.flatMap((event) => (event.kind === 'fault.located' ? [event] : [])).at(-1);
  return {
    world,
    quiet,
    beganAt,
    seen: of('fault.seen'),
    located,
    verdict: located?.verdict,
    culprits: located?.verdict.culprits.map(scopeWords) ?? [],
  };
}

/** s1 of every pool is on a machine of its own, s2 of every pool on another, and so on. */
function sharedMachines(): Site {
  const site = twoByTwo();
  const pools = site.pools.map((pool) => ({
    ...pool,
    servers: pool.servers.map((server, at) => ({ ...server, host: `10.0.0.${at + 1}` })),
  }));
  return { ...site, pools };
}

/** One server of it has another weight. */
function heavier(): Site {
  const site = twoByTwo();
  const [web, ...others] = site.pools;
  assert.ok(web);
  const servers = web.servers.map((server, at) => (at === 0 ? { ...server, weight: 2 } : server));
  return { ...site, pools: [{ ...web, servers }, ...others] };
}

const faults: readonly {
  readonly name: string;
  readonly manners: readonly (readonly [string, Manner])[];
  readonly culprits: readonly string[];
}[] = [
  { name: 'one of three servers refuses', manners: [['web/s2', 'refuses']], culprits: ['server web/s2'] },
  { name: 'a server answers 500', manners: [['web/s2', 'wrong']], culprits: ['server web/s2'] },
  { name: 'a server is slow', manners: [['api/s3', 'slow']], culprits: ['server api/s3'] },
  {
    name: 'a pool refuses as a whole',
    manners: [
      ['api/s1', 'refuses'],
      ['api/s2', 'refuses'],
      ['api/s3', 'refuses'],
    ],
    culprits: ['pool api'],
  },
  {
    name: 'one balancer does not reach a pool',
    manners: [
      ['lb-2>web/s1', 'silent'],
      ['lb-2>web/s2', 'silent'],
      ['lb-2>web/s3', 'silent'],
    ],
    culprits: ['the network from lb-2 to pool web'],
  },
  {
    name: 'two faults at once',
    manners: [
      ['web/s1', 'refuses'],
      ['api/s2', 'wrong'],
    ],
    culprits: ['server web/s1', 'server api/s2'],
  },
];

for (const { name, manners, culprits } of faults)
  test(`${name}: seen, and located within two seconds of it`, () => {
    const {
      world,
      seen,
      verdict,
      quiet,
      culprits: named,
      beganAt,
    } = after((w) => {
      for (const [server, manner] of manners) w.manners.set(server, manner);
    });
    assert.deepEqual(quiet, []);
    assert.equal(seen.length, 1, 'one cause is one fault');
    assert.deepEqual(named.toSorted(), [...culprits].toSorted(), verdict?.sentence ?? '');
    assert.equal(verdict?.certain, true);
    const [first] = world.told.filter(({ kind }) => kind === 'fault.located');
    assert.ok(
      first !== undefined && first.toldAt - beganAt <= 2_000,
      `after ${(first?.toldAt ?? 0) - beganAt} ms`,
    );
  });

test('servers that take requests and do not answer are seen in seconds, though nothing ever fails', () => {
  const { culprits, seen } = after(
    (world) => {
      for (const server of ['s1', 's2', 's3']) world.manners.set(`api/${server}`, 'hangs');
    },
    { forMs: 8_000 },
  );
  assert.equal(seen[0]?.series, 'hung');
  assert.deepEqual(culprits, ['pool api']);
});

test('what hangs first and is answered 503 later, when its checks have failed, is one fault', () => {
  const world = simulated({ rate: 60 });
  world.run(30_000);
  const all = world.site.pools.flatMap(({ name, servers }) => servers.map((one) => `${name}/${one.name}`));
  for (const manner of ['hangs', 'silent'] as const) {
    for (const server of all) world.manners.set(server, manner);
    world.run(8_000);
  }
  const seen = world.told.filter(({ kind }) => kind === 'fault.seen');
  assert.deepEqual(
    seen.map((event) => event.kind === 'fault.seen' && event.series),
    ['hung'],
  );
});

test('a server that answers its check and nothing else is named, though the request of a balancer met it and that of another did not', () => {
  const { culprits, verdict } = after((world) => void world.manners.set('web/s2', 'stuck'), {
    forMs: 12_000,
  });
  assert.deepEqual(culprits, ['server web/s2'], verdict?.sentence ?? '');
});

test('engines that name the servers of bad answers only blame no server that has none, and find the one that has', () => {
  const { culprits, verdict, seen } = after(
    (world) => {
      world.namesBadOnly = true;
      world.manners.set('web/s1', 'wrong');
    },
    { forMs: 30_000 },
  );
  assert.equal(seen.length, 1);
  assert.deepEqual(culprits, ['server web/s1'], verdict?.sentence ?? '');
});

test('a server that is slow to visitors and not to its check is named', () => {
  const { culprits, verdict } = after((world) => void world.manners.set('web/s2', 'late'), { forMs: 8_000 });
  assert.deepEqual(culprits, ['server web/s2'], verdict?.sentence ?? '');
});

test('servers of several pools that are on one machine are that machine', () => {
  const { culprits, verdict } = after(
    (world) => {
      for (const pool of ['web', 'api']) world.manners.set(`${pool}/s2`, 'silent');
    },
    { site: sharedMachines() },
  );
  assert.deepEqual(culprits, ['zone 10.0.0.2'], verdict?.sentence ?? '');
});

test('a balancer that reaches no pool is one fault', () => {
  const { verdict, culprits } = after((world) => {
    for (const pool of ['web', 'api'])
      for (const server of ['s1', 's2', 's3']) world.manners.set(`lb-2>${pool}/${server}`, 'silent');
  });
  assert.deepEqual(culprits, ['the network from lb-2 to pool web', 'the network from lb-2 to pool api']);
  assert.doesNotMatch(verdict?.sentence ?? '', /faults at once/);
});

test('a balancer that answers 503 while its servers are healthy is named', () => {
  const { culprits, verdict } = after((world) => world.broken.add('lb-2'));
  assert.deepEqual(culprits, ['balancer lb-2']);
  assert.match(
    verdict?.sentence ?? '',
    /healthy when asked directly; lb-2 answers status 503 .* lb-1 answers them well/,
  );
});

test('an engine that says nothing is no engine without trouble', () => {
  const { culprits } = after((world) => world.mute.add('lb-1'), { forMs: 5_000 });
  assert.deepEqual(culprits, ['balancer lb-1']);
});

test('an engine that is replaced before anybody could be asked is named all the same', () => {
  const world = simulated();
  world.run(30_000);
  world.mute.add('lb-1');
  while (world.told.every(({ kind }) => kind !== 'fault.seen')) world.run(100);
  world.mute.clear();
  world.run(3_000);
  const located = world.told.find((event) => event.kind === 'fault.located');
  assert.ok(located?.kind === 'fault.located');
  assert.deepEqual(located.verdict.culprits.map(scopeWords), ['balancer lb-1'], located.verdict.sentence);
});

test('an engine that was silent for a moment explains no server that does not answer', () => {
  const { site } = simulated();
  const world = simulated({ site: { ...site, balancers: site.balancers.slice(0, 1) } });
  world.run(30_000);
  world.mute.add('lb-1');
  while (world.told.every(({ kind }) => kind !== 'fault.seen')) world.run(100);
  world.manners.set('web/s2', 'refuses');
  world.run(3_000);
  world.mute.clear();
  world.run(15_000);
  const named = world.told.flatMap((event) =>
    event.kind === 'fault.located' ? event.verdict.culprits.map(scopeWords) : [],
  );
  assert.ok(named.includes('balancer lb-1') && named.includes('server web/s2'), named.join(', '));
});

test('traffic that stops is seen, and is in front of balancers that answer', () => {
  const world = simulated({ rate: 50 });
  world.run(400_000);
  world.rate = 0;
  world.run(5_000);
  const located = world.told.findLast((event) => event.kind === 'fault.located');
  assert.ok(located?.kind === 'fault.located');
  assert.deepEqual(located.verdict.culprits.map(scopeWords), ['clients']);
});

test('servers that a change added and that never answered are the change, with its line', () => {
  const { verdict, culprits } = after((world) => {
    const change = 'change-42';
    world.journal({
      kind: 'change.proposed',
      change,
      file: 'site.yaml',
      siteHash: '',
      text: '',
      force: true,
      reason: 'more room',
      difference: siteDifferenceOf([{ pool: 'web', server: 's3', line: 17 }]),
    });
    world.journal({ kind: 'change.exposed', change, balancer: 'lb-1', share: 1 });
    world.run(1_400);
    world.manners.set('web/s3', 'refuses');
  });
  assert.deepEqual(culprits, ['change change-42']);
  assert.equal(verdict?.place?.line, 17);
  assert.match(verdict?.sentence ?? '', /never answered; change change-42 added it 1\.\d s before/);
});

test('a fault ends when its server is back, and is told once', () => {
  const { world } = after((w) => void w.manners.set('web/s2', 'refuses'));
  world.manners.clear();
  world.run(60_000);
  const ended = world.told.filter(({ kind }) => kind === 'fault.ended');
  assert.equal(ended.length, 1);
  assert.ok(ended[0]?.kind === 'fault.ended' && !ended[0].wasFalse);
  assert.deepEqual(world.monitor.open, []);
});

function failingProbe(scope: FaultScope): Stated {
  const sentence = 'probe home has asked https://shop.example/ 3 times and got: status 503';
  const told = { usersSee: 'https://shop.example/ gets: status 503', evidence: [sentence] };
  const verdict = { sentence, culprits: [scope], certain: false, change: null, place: null, advice: '' };
  return { key: 'home', series: 'probes', scope, severity: 'critical', isSymptom: true, verdict, ...told };
}

test('a probe of a quiet site that fails is asked after like anything that is counted: its cause is named', () => {
  const world = simulated({ rate: 0 });
  world.broken.add('lb-1');
  world.state([failingProbe({ kind: 'site' })]);
  world.run(3_000);
  assert.deepEqual(
    world.told.flatMap((one) => (one.kind === 'fault.seen' ? [one.usersSee] : [])),
    ['https://shop.example/ gets: status 503'],
  );
  const located = world.told.flatMap((one) => (one.kind === 'fault.located' ? [one.verdict] : []));
  assert.deepEqual(located.at(-1)?.culprits.map(scopeWords), ['balancer lb-1']);
});

test('a probe that fails while a fault is open is of that fault, which lasts until it is well', () => {
  const { world } = after((w) => void w.manners.set('web/s2', 'refuses'));
  world.state([failingProbe({ kind: 'site' })]);
  world.manners.clear();
  world.run(60_000);
  assert.equal(world.monitor.open.length, 1);
  world.state([]);
  world.run(1_000);
  assert.deepEqual(world.monitor.open, []);
  assert.equal(world.told.filter(({ kind }) => kind === 'fault.seen').length, 1);
});

test('a probe that fails while everything else answers says itself what it is, and was no false alarm', () => {
  const world = simulated();
  world.run(1_000);
  world.state([failingProbe({ kind: 'site' })]);
  world.run(3_000);
  world.state([]);
  world.run(1_000);
  const located = world.told.flatMap((one) => (one.kind === 'fault.located' ? [one.verdict.sentence] : []));
  assert.deepEqual(located, ['probe home has asked https://shop.example/ 3 times and got: status 503']);
  assert.deepEqual(
    world.told.flatMap((one) => (one.kind === 'fault.ended' ? [one.wasFalse] : [])),
    [false],
  );
});

test('a fault that is open while the site becomes another one is the same fault, and ends when its server is back', () => {
  const { world } = after((w) => void w.manners.set('web/s2', 'refuses'));
  const open = world.monitor.open.map(({ fault }) => fault);
  assert.equal(open.length, 1);
  world.monitor.siteIs(heavier());
  world.run(20_000);
  assert.deepEqual(
    world.monitor.open.map(({ fault }) => fault),
    open,
  );
  world.manners.clear();
  world.run(60_000);
  assert.deepEqual(world.monitor.open, []);
  const told = world.told.filter(({ kind }) => kind === 'fault.seen' || kind === 'fault.ended');
  assert.deepEqual(
    told.map(({ kind, fault }) => [kind, fault]),
    [
      ['fault.seen', open[0]],
      ['fault.ended', open[0]],
    ],
  );
});

test('a fault of a pool that the site has no more ends', () => {
  const { world } = after((w) => void w.manners.set('web/s2', 'refuses'));
  const { monitor, site } = world;
  assert.equal(monitor.open.length, 1);
  world.manners.clear();
  monitor.siteIs({ ...site, pools: site.pools.filter(({ name }) => name !== 'web') });
  world.run(60_000);
  assert.deepEqual(monitor.open, []);
});

test('at 100 requests a second of which nine of ten fail it is seen within 0.3 s', () => {
  const { seen, beganAt } = after((world) => world.broken.add('lb-1'), { rate: 100 });
  assert.equal(seen.length, 1);
  const [first] = seen;
  assert.ok(first !== undefined && first.toldAt - beganAt <= 300);
});
