import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { incidentsOf, postmortem, timelineOf } from '#incidents';
import { acted, counts, foundingStory, noon, tookBack, written } from './journal.ts';

const golden = join(import.meta.dirname, 'founding-story.md');

test('the founding incident, as its report reads here', () => {
  const text = postmortem(foundingStory, 'inc-1');
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'));
});

test('the sections are those of the founding document, in its order', () => {
  const headings = postmortem(foundingStory, 'inc-1')
    .split('\n')
    .filter((line) => line.startsWith('#'));
  assert.deepEqual(headings.toSpliced(1, 1), [
    '# Postmortem Report',
    '### Incident report',
    '#### Summary',
    '#### Timeline',
    '#### Root Cause and Resolution',
    '#### Corrective and Preventive Measures',
    '#### Conclusion',
  ]);
});

test('its figures: both balancers together, with what failed after the take-back', () => {
  assert.deepEqual(incidentsOf(foundingStory), [
    {
      id: 'inc-1',
      title: 'Change chg-3 was taken back from lb-1: 12 of 19 requests used the net',
      change: 'chg-3',
      beganAt: noon + 2_104,
      seenAt: noon + 2_212,
      restoredAt: noon + 2_241,
      resolvedAt: noon + 12_260,
      requests: 34,
      failed: 2,
      reports: 0,
      customersAheadMs: null,
      cause: null,
    },
  ]);
});

test('the timeline is in the order in which things happened, not in which they were journalled', () => {
  const times = timelineOf(foundingStory, 'inc-1').map(({ at }) => at);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.deepEqual(timelineOf(foundingStory, 'inc-9'), []);
});

test('a record that is delivered twice counts once', () => {
  const twice = foundingStory.flatMap((entry) =>
    entry.event.kind === 'guard.acted' ? [entry, entry] : [entry],
  );
  assert.deepEqual(incidentsOf(twice), incidentsOf(foundingStory));
  assert.equal(postmortem(twice, 'inc-1'), postmortem(foundingStory, 'inc-1'));
});

test('a report can be read while the incident lasts', () => {
  const soFar = foundingStory.slice(0, 9);
  const text = postmortem(soFar, 'inc-1');
  assert.match(text, /The incident is still open\./);
});

test('an engine that died, without a change', () => {
  const entries = written([
    [
      900,
      'agent:lb-1',
      acted(7, 850, 'lb-1', {
        kind: 'engineDied',
        generation: 3,
        role: 'active',
        how: 'signal SIGKILL',
        takenOverBy: 2,
        tookOverMs: 4,
        diedAt: noon + 800,
        lostRequests: 3,
      }),
    ],
    [
      910,
      'controller',
      {
        kind: 'incident.opened',
        incident: 'inc-1',
        title: 'The active engine of lb-1 died',
        change: null,
        balancers: ['lb-1'],
      },
    ],
  ]);
  const [incident] = incidentsOf(entries);
  assert.equal(incident?.beganAt, noon + 800);
  assert.equal(incident?.restoredAt, noon + 804);
  assert.equal(incident?.failed, 3);
  const text = postmortem(entries, 'inc-1');
  assert.match(
    text,
    /The active engine of lb-1 \(generation 3\) died: signal SIGKILL\. 3 requests in flight got no answer\./,
  );
  assert.match(text, /generation 2 took over after 4 ms/);
  assert.match(text, /No change was in flight\./);
});

test('when nothing took over, it is over with the cold start', () => {
  const died = acted(1, 0, 'lb-1', {
    kind: 'engineDied',
    generation: 3,
    role: 'active',
    how: 'exit 1',
    takenOverBy: null,
    tookOverMs: null,
  });
  const opened = {
    kind: 'incident.opened',
    incident: 'inc-1',
    title: 'x',
    change: null,
    balancers: ['lb-1'],
  } as const;
  const before = written([
    [5, 'agent:lb-1', died],
    [6, 'controller', opened],
  ]);
  assert.equal(incidentsOf(before)[0]?.restoredAt, null);
  assert.match(postmortem(before, 'inc-1'), /it is not over yet/);
  const restored = acted(2, 400, 'lb-1', { kind: 'restored', generation: 5, how: 'cold start', tookMs: 400 });
  const after = written([
    [5, 'agent:lb-1', died],
    [6, 'controller', opened],
    [401, 'agent:lb-1', restored],
  ]);
  assert.equal(incidentsOf(after)[0]?.restoredAt, noon + 400);
});

test('an alarm before a person went back is when it was seen', () => {
  const entries = written([
    [
      1_000,
      'agent:lb-1',
      acted(1, 990, 'lb-1', { kind: 'alarm', series: 'errors', requests: 100, bad: 20, score: 30 }),
    ],
    [60_000, 'agent:lb-1', acted(2, 60_000, 'lb-1', tookBack(60_000, { evidence: { cause: 'person' } }))],
    [
      60_001,
      'controller',
      { kind: 'incident.opened', incident: 'inc-1', title: 'x', change: 'chg-3', balancers: ['lb-1'] },
    ],
  ]);
  const [incident] = incidentsOf(entries);
  assert.equal(incident?.beganAt, noon + 990);
  assert.equal(incident?.seenAt, noon + 990);
});

test('words of others cannot break the report', () => {
  const entries = foundingStory.map((entry) =>
    entry.event.kind === 'change.proposed'
      ? {
          ...entry,
          event: { ...entry.event, reason: '# x\n\n#### Timeline\n<img src=x> `|`', file: 'a`b.yaml' },
        }
      : entry,
  );
  const text = postmortem(entries, 'inc-1');
  assert.equal(text.split('\n').filter((line) => line.startsWith('#### Timeline')).length, 1);
  assert.ok(!/[^\\]<img/.test(text));
});

test('an unknown incident is HF404, with those that there are', () => {
  assert.throws(() => postmortem(foundingStory, 'inc-7'), { code: 'HF404', remedy: 'There are: inc-1' });
  assert.throws(() => postmortem([], 'inc-7'), { code: 'HF404', remedy: 'There are none yet' });
});

test('a take-back without a bad answer says so', () => {
  const entries = written([
    [
      10,
      'agent:lb-1',
      acted(
        1,
        10,
        'lb-1',
        tookBack(10, {
          reason: 'the lease ended',
          evidence: { cause: 'lease', candidate: counts({ requests: 0 }) },
        }),
      ),
    ],
    [
      11,
      'controller',
      { kind: 'incident.opened', incident: 'inc-1', title: 'x', change: 'chg-3', balancers: ['lb-1'] },
    ],
  ]);
  const text = postmortem(entries, 'inc-1');
  assert.match(text, /No request is known to have failed/);
  assert.match(text, /The journal does not tell what change chg-3 was/);
});
