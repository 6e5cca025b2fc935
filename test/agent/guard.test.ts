import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { silentLog } from '#base';
import type { Evidence, PoolEvidence } from '#engines';
import { noCounts } from '#events';
import { type Detections, decide } from '../../src/agent/guard/decide.ts';
import { openAlarms, openRecords } from '../../src/agent/guard/records.ts';
import { watchSteady } from '../../src/agent/guard/steady.ts';
import { watchCandidate } from '../../src/agent/guard/watch.ts';
import { simulatedClock } from '../world/clock.ts';

const quiet: Detections = {
  errors: false,
  serverTrouble: false,
  netUses: false,
  comparison: false,
  hung: null,
  slower: null,
};

function pool(name: string, serversLive: number, serversAll: number): PoolEvidence {
  return {
    pool: name,
    serversLive,
    serversAll,
    requests: 0,
    errors: 0,
    connectionErrors: 0,
    retries: 0,
    responseErrors: 0,
    queued: 0,
  };
}

function evidence(counts: Partial<Evidence>): Evidence {
  return { ...noCounts, entranceRequests: 0, connections: 0, pools: [pool('web', 2, 2)], ...counts };
}

describe('decide: whether a candidate has to go', () => {
  const tick = {
    detections: quiet,
    counts: { ...noCounts, requests: 10 },
    candidatePools: [pool('web', 4, 4)],
    incumbentPools: [pool('web', 4, 4)],
    liveServersShareMin: 0.5,
  };
  const cases: readonly (readonly [string, Partial<typeof tick>, string | null])[] = [
    ['all is well', {}, null],
    ['the net was used', { detections: { ...quiet, netUses: true, errors: true } }, 'netUses'],
    ['errors', { detections: { ...quiet, errors: true } }, 'errors'],
    ['retries before any error', { detections: { ...quiet, serverTrouble: true } }, 'serverTrouble'],
    ['worse than the incumbent', { detections: { ...quiet, comparison: true } }, 'comparison'],
    ['no answers', { detections: { ...quiet, hung: { requests: 20, ms: 1_000 } } }, 'hung'],
    [
      'late answers',
      { detections: { ...quiet, slower: { pool: 'web', candidateMs: 900, incumbentMs: 10 } } },
      'slower',
    ],
    ['one of four servers lives', { candidatePools: [pool('web', 1, 4)] }, 'liveServers'],
    ['just enough live', { candidatePools: [pool('web', 2, 4)] }, null],
    [
      'a new pool without a live server',
      { candidatePools: [pool('web', 4, 4), pool('new', 0, 2)] },
      'liveServers',
    ],
    [
      'the incumbent has lost its servers too',
      { candidatePools: [pool('web', 0, 4)], incumbentPools: [pool('web', 0, 4)] },
      null,
    ],
    [
      'a pool that was down and is still',
      { candidatePools: [pool('web', 1, 4)], incumbentPools: [pool('web', 1, 4)] },
      null,
    ],
  ];
  for (const [name, over, cause] of cases)
    test(`${name}: ${cause ?? 'stays'}`, () =>
      assert.equal(decide({ ...tick, ...over })?.cause ?? null, cause));
});

describe('the watch on a candidate', () => {
  const start = evidence({});
  const begin = () =>
    watchCandidate({
      candidateStart: start,
      incumbentStart: start,
      history: [],
      liveServersShareMin: 0.5,
      clock: null,
    });

  test('while nothing is known of the incumbent, its own errors are errors', () => {
    const watch = begin();
    const causes = Array.from({ length: 50 }, (_, i) =>
      watch.tick(evidence({ requests: 10 * (i + 1), errors: 10 * (i + 1) }), null),
    );
    assert.equal(causes.find((found) => found !== null)?.cause, 'errors');
  });

  test('both silent: a stall of half a second is none of its faults, three seconds end the exposure', () => {
    const watch = begin();
    for (let tick = 1; tick < 30; tick += 1) assert.equal(watch.tick(null, null), null);
    assert.equal(watch.tick(null, null)?.cause, 'silent');
  });

  test('an hour of good answers is no reason', () => {
    const watch = begin();
    for (let i = 1; i <= 36_000; i += 1)
      assert.equal(watch.tick(evidence({ requests: 10 * i }), evidence({ requests: 90 * i })), null);
    assert.ok(watch.eValue <= 1);
  });

  test('three requests caught by the net are enough', () => {
    const watch = begin();
    assert.equal(watch.tick(evidence({ requests: 3, netUses: 3 }), start)?.cause, 'netUses');
    assert.equal(watch.firstBad, true);
  });

  test('retries are seen before the first bad answer', () => {
    const watch = begin();
    assert.equal(watch.tick(evidence({ requests: 0, retries: 4 }), start)?.cause, 'serverTrouble');
  });

  test('one bad answer among many is not enough', () => {
    const watch = begin();
    assert.equal(watch.tick(evidence({ requests: 100, errors: 1 }), evidence({ requests: 900 })), null);
  });

  test('more 404s than the incumbent at the same moment: the comparison speaks', () => {
    const watch = begin();
    let verdict = null;
    for (let i = 1; i <= 20 && !verdict; i += 1)
      verdict = watch.tick(
        evidence({ requests: 5 * i, clientErrors: 5 * i }),
        evidence({ requests: 95 * i }),
      );
    assert.equal(verdict?.cause, 'comparison');
  });

  test('silence is not OK: half a second of it and the candidate goes', () => {
    const watch = begin();
    const verdicts = Array.from({ length: 5 }, () => watch.tick(null, start));
    assert.deepEqual(
      verdicts.map((v) => v?.cause),
      [undefined, undefined, undefined, undefined, 'silent'],
    );
  });
});

describe('the watch on what is active', () => {
  test('an alarm, and its end once good answers have followed', () => {
    const watch = watchSteady([]);
    let requests = 0;
    let errors = 0;
    const told: string[] = [];
    const run = (ticks: number, bad: number) => {
      for (let i = 0; i < ticks; i += 1) {
        requests += 100;
        errors += bad;
        told.push(...watch.tick(1, evidence({ requests, errors })).map((what) => what.kind));
      }
    };
    run(100, 0);
    assert.deepEqual(told, []);
    run(10, 90);
    assert.deepEqual(told, ['alarm']);
    run(100, 0);
    assert.deepEqual(told, ['alarm', 'recovered']);
  });

  test('counters of another generation are no spike', () => {
    const watch = watchSteady([]);
    watch.tick(1, evidence({ requests: 1_000 }));
    assert.deepEqual(watch.tick(2, evidence({ requests: 9_000, errors: 5_000 })), []);
  });

  test('an alarm that was told before a restart is told to be over', () => {
    const watch = watchSteady(['errors']);
    const told = Array.from({ length: 50 }, (_, i) => watch.tick(1, evidence({ requests: 100 * i })));
    assert.deepEqual(told.flat(), [{ kind: 'recovered', series: 'errors' }]);
  });
});

describe('records', () => {
  test('numbered without a gap over a restart and a torn last line', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'hf-records-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const options = {
      file: join(folder, 'guard.jsonl'),
      balancer: 'lb-1',
      clock: simulatedClock(),
      log: silentLog,
    };
    const first = openRecords(options);
    first.add({ kind: 'alarm', series: 'errors', requests: 1, bad: 1, score: 30 });
    first.add({ kind: 'recovered', series: 'errors' });
    first.add({ kind: 'alarm', series: 'serverTrouble', requests: 1, bad: 1, score: 30 });
    appendFileSync(options.file, '\n{"number": 4, "at"');
    const second = openRecords(options);
    assert.equal(second.last, 3);
    assert.deepEqual(
      second.after(1).map((record) => record.number),
      [2, 3],
    );
    assert.deepEqual(openAlarms(second.after(0)), ['serverTrouble']);
    second.add({ kind: 'recovered', series: 'serverTrouble' });
    assert.deepEqual(
      openRecords(options)
        .after(0)
        .map((record) => record.number),
      [1, 2, 3, 4],
    );
  });

  test('a disk that takes nothing costs no record', () => {
    const records = openRecords({
      file: '/proc/no/such/file',
      balancer: 'lb-1',
      clock: simulatedClock(),
      log: silentLog,
    });
    records.add({ kind: 'recovered', series: 'errors' });
    assert.equal(records.after(0).length, 1);
  });
});
