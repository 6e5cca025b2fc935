import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { silentLog } from '#base';
import { foundingReport } from '../../src/main/replay/founding.ts';
import { durationOf, renderReplay, tableOf } from '../../src/main/replay/report.ts';
import { type ReplayRun, runOf } from '../../src/main/replay/run.ts';
import { playAll, type Replay, settle } from '../../src/main/replay.ts';

const bin = join(import.meta.dirname, '../../bin/holdfast.js');

function holdfast(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { env, maxBuffer: 64 * 1024 * 1024 }, (error, out, err) =>
      resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
}

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('hf-replay-'));

test('holdfast replay --quick --json: four runs, the report, nothing else on standard output, nothing left', async () => {
  const before = folders();
  const { code, out, err } = await holdfast('replay', '--quick', '--rate', '50', '--json');
  assert.equal(code, 0, err);
  const { runs, report, speed, rate, postmortem } = JSON.parse(out) as Replay;
  assert.deepEqual(report, { ...foundingReport });
  assert.equal(speed, 'tuned');
  assert.equal(rate, 50);
  assert.match(postmortem ?? '', /^# Postmortem Report/);
  assert.deepEqual(
    runs.map(({ name }) => name),
    ['usual stack', 'Holdfast, as proposed', 'Holdfast, forced', 'Holdfast, forced, no net'],
  );
  for (const run of runs) assertShape(run);
  const [usual, proposed, forced] = runs;
  assert.ok(usual && proposed && forced);
  assert.ok(usual.failed > 0 && usual.simulated.length === 2, JSON.stringify(usual));
  assert.deepEqual([proposed.refused, proposed.failed], [true, 0]);
  assert.deepEqual([forced.refused, forced.failed], [false, 0]);
  assert.deepEqual(
    runs.slice(1).flatMap(({ simulated }) => simulated),
    [],
  );
  assert.ok((forced.seenMs ?? Number.NaN) < (usual.seenMs ?? Number.NaN), 'the guard saw it first');
  const knew = (run: ReplayRun) => run.people.map(({ role, atMs }) => [role, atMs !== null]);
  assert.deepEqual(knew(proposed), [
    ['customer', false],
    ['support', false],
    ['engineering', false],
    ['vendor', false],
  ]);
  assert.deepEqual(
    knew(forced).filter(([, hasKnown]) => hasKnown),
    [
      ['support', true],
      ['engineering', true],
      ['vendor', true],
    ],
    'no customer, and everybody else by the escalation',
  );
  const times = forced.people.flatMap(({ atMs }) => (atMs === null ? [] : [atMs]));
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.deepEqual(folders(), before);
});

function assertShape(run: ReplayRun): void {
  const isFigure = (value: unknown) =>
    value === null || (typeof value === 'number' && Number.isFinite(value));
  for (const key of ['firstErrorMs', 'seenMs', 'causeNamedMs', 'restoredMs', 'failedShare'] as const)
    assert.ok(key in run && isFigure(run[key]), `${run.name} ${key}: ${run[key]}`);
  for (const key of ['requests', 'failed'] as const)
    assert.ok(Number.isInteger(run[key]), `${run.name} ${key}`);
  assert.ok(run.requests > 0 && run.failed <= run.requests);
  assert.equal(typeof run.refused, 'boolean');
  for (const key of ['simulated', 'leftOut', 'words'] as const)
    assert.ok(run[key].every((line) => typeof line === 'string'));
  assert.ok(run.timeline.length > 0);
  assert.deepEqual(Object.keys(run).toSorted(), Object.keys(runOf('')).toSorted());
}

test('without HAProxy and Prometheus it says what is left out, and goes on with the built-in engine', async () => {
  const said: string[] = [];
  const log = { ...silentLog, warn: (line: string) => said.push(line) };
  const binaries = { haproxy: null, prometheus: null, alertmanager: null };
  const { signal } = new AbortController();
  const { runs } = await playAll({ speed: 'tuned', rate: 50, log, signal, binaries });
  const [usual, proposed, forced] = runs;
  assert.ok(usual && proposed && forced);
  assert.equal(usual.requests, 0);
  assert.match(usual.leftOut.join('\n'), /HAProxy is not installed[\s\S]*Prometheus is not installed/);
  assert.match(proposed.leftOut.join('\n'), /the built-in engine serves here.*apt-get install haproxy/);
  assert.deepEqual([proposed.refused, forced.refused, forced.failed], [true, false, 0]);
  assert.ok(said.length >= 2, said.join('\n'));
  assert.match(tableOf(runs).join('\n'), /^usual stack +left out$/m);
});

describe('the report', () => {
  const outage: ReplayRun = {
    ...runOf('usual stack'),
    ...{ requests: 1_000, failed: 800, failedShare: 0.87, firstErrorMs: 3_100, seenMs: 108_000 },
    restoredMs: 113_000,
    simulated: ['the rollback is withheld'],
    timeline: [{ atMs: 0, what: 'reload' }],
  };
  const refused: ReplayRun = { ...runOf('as proposed'), requests: 700, refused: true };
  const taken: ReplayRun = { ...runOf('forced'), requests: 400, seenMs: 100, causeNamedMs: 350 };
  const replay: Replay = {
    runs: [outage, refused, taken],
    report: foundingReport,
    speed: 'default',
    rate: 200,
    postmortem: '# Postmortem Report\n',
  };

  test('is one table beside the founding figures, and says what is simulated', () => {
    const rows = tableOf(replay.runs).map((row) => row.split(/ {2,}/));
    assert.deepEqual(rows[2], [
      'the report, 2023',
      '0, a customer',
      '10 min',
      '30 min',
      '3 h',
      '90 % of users',
    ]);
    assert.deepEqual(rows[3], [
      ...['usual stack', '3.1 s', '108 s', 'never', '113 s simulated'],
      '800 of 1,000, 87 % while it lasted',
    ]);
    assert.deepEqual(rows[4], ['as proposed', 'none', 'refused', 'by the gates', 'never live', '0 of 700']);
    assert.deepEqual(rows[5], ['forced', 'none', '100 ms', '350 ms', 'no outage', '0 of 400']);
  });

  test('draws a lane a run, on one scale, marks in the order of time', () => {
    const lines = renderReplay(replay, 100).split('\n');
    const lane = (name: string) => lines.findLast((line) => line.startsWith(`${name}  `)) ?? '';
    assert.match(lane('the report, 2023'), /^the report, 2023 +E\u2588+S\u2588+C\u2588+R\u00b7*$/);
    assert.match(lane('usual stack'), /^usual stack +\u00b7+E\u2588+SR\u00b7+$/);
    assert.match(lane('forced'), /^forced +\u00b7+S\u00b7+C\u00b7+ no request failed$/);
    assert.match(lane('as proposed'), /refused before any request$/);
    const at = (name: string) => lane(name).indexOf('S');
    assert.ok(at('forced') < at('usual stack') && at('usual stack') < at('the report, 2023'));
  });

  test('ends with the postmortem and names its sources', () => {
    const text = renderReplay(replay, 100);
    assert.match(text, /simulated, usual stack: the rollback is withheld/);
    assert.match(text, /May 5th, 2023/);
    assert.match(text.trimEnd(), /# Postmortem Report$/);
  });

  for (const [ms, text] of [
    [0, '0'],
    [96.4, '96 ms'],
    [4_210, '4.2 s'],
    [120_000, '120 s'],
    [600_000, '10 min'],
    [10_800_000, '3 h'],
  ] as const)
    test(`${ms} ms is ${text}`, () => assert.equal(durationOf(ms), text));
});

describe('what is typed', () => {
  test('default intervals unless it has to be quick', () => {
    assert.deepEqual(settle({}), { speed: 'default', rate: 200 });
    assert.deepEqual(settle({ quick: true, rate: '50' }), { speed: 'tuned', rate: 50 });
    assert.deepEqual(settle({ quick: true, speed: 'default' }), { speed: 'default', rate: 200 });
  });

  for (const wrong of [{ speed: 'fast' }, { rate: '0' }, { rate: '1e9' }, { rate: 'many' }])
    test(`${JSON.stringify(wrong)} is refused`, () =>
      assert.throws(() => settle(wrong), { code: 'HF013', message: /expected .*, got "/ }));
});
