import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { isOnCallFile, onCallJsonSchema, readOnCall } from '#alerting';
import { formatDiagnostic } from '#base';
import { founding } from './world.ts';

const now = Date.UTC(2026, 0, 1);
const told = (text: string) => readOnCall(text, 'oncall.yaml', now).diagnostics.map(formatDiagnostic);

describe('oncall.yaml', () => {
  it('is known by what it holds', () => {
    assert.ok(isOnCallFile(founding));
    assert.ok(!isOnCallFile('site: shop\nlisteners: []\n'));
  });

  it('is read without a complaint where there is none', () => {
    assert.deepEqual(told(founding), []);
  });

  it('tells every mistake at once, with its place and what was meant', () => {
    const text = founding
      .replace('person: eve]', 'person: eva]')
      .replace('notifier: channel]', 'notifier: chanel]')
      .replace('America/Los_Angeles', 'America/Los_Angles')
      .replace('ackTimeout: 30m', 'ackTimeout: 30');
    assert.deepEqual(told(text), [
      'HF013 oncall.yaml:16:15 schedules[0].timeZone: expected a time zone such as Europe/Berlin, got "America/Los_Angles"',
      'HF011 oncall.yaml:28:17 policies[0].ackTimeout: expected a duration from 1ms to 24h, such as 500ms, 2s or 1m, got the number 30. Add the unit, such as 30s',
    ]);
    assert.deepEqual(
      told(text.replace('Los_Angles', 'Los_Angeles').replace('ackTimeout: 30', 'ackTimeout: 30m')),
      [
        'HF014 oncall.yaml:21:45 policies[0].steps[0].page[1].notifier: expected the name of a notifier, got "chanel". Did you mean "channel"?',
        'HF014 oncall.yaml:23:24 policies[0].steps[1].page[0].person: expected the name of a person, got "eva". Did you mean "eve"?',
      ],
    );
  });

  it('tells a gap with its hours, and takes one that is meant', () => {
    const gap = founding.replace(
      'starts: 2025-12-01 }',
      'starts: 2025-12-01, during: { days: [mon, tue, wed, thu, fri, sat, sun], from: "08:00", to: "20:00" } }',
    );
    const [line = ''] = told(gap);
    assert.match(
      line,
      /^HF040 oncall\.yaml:15:5 schedules\[0\]: nobody is on call from 2025-12-31T20:00 to 2026-01-01T08:00, /,
    );
    assert.match(line, /and 3\d\d more \(America\/Los_Angeles, within 370 days\)/);
    assert.deepEqual(told(gap.replace('timeZone:', 'gaps: allowed\n    timeZone:')), []);
  });

  it('refuses a policy that stops half-way, and one without end', () => {
    assert.match(
      told(founding.replace('        ackWithin: 5m\n', '')).join(),
      /HF041 oncall\.yaml:21:9 policies\[0\]\.steps\[0\]: expected ackWithin/,
    );
    assert.match(
      told(founding.replace('repeat: 2', 'repeat: forever')).join(),
      /HF011 .*repeat: expected a whole number from 1 to 100, got "forever"/,
    );
  });

  it('wants to be told where a secret lies, never the secret, and never says it', () => {
    const [line = ''] = told(founding.replace('{ env: SLACK_URL }', '{ secret: hunter2 }'));
    assert.match(line, /HF010/);
    assert.ok(
      !told(
        founding.replace(
          'command: { run: [/usr/local/bin/call] }',
          'webhook: { url: "https://x.example", secret: hunter2 }',
        ),
      )
        .join()
        .includes('hunter2'),
    );
  });

  it('never throws, whatever it is given', () => {
    for (const text of [
      '',
      'notifiers:',
      'notifiers: 1',
      'notifiers: [{}]\npolicies: [{}]',
      '{',
      'a: &a [*a]',
    ])
      assert.ok(readOnCall(text, 'x', now).diagnostics.length > 0, text);
  });

  it('has its shape in schema/oncall.schema.json: UPDATE_GOLDEN=1 writes it anew, npm run format lays it out', async () => {
    const file = new URL('../../schema/oncall.schema.json', import.meta.url);
    const shape = JSON.stringify(onCallJsonSchema(), null, 2);
    if (process.env.UPDATE_GOLDEN) await writeFile(file, shape);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), JSON.parse(shape));
  });

  it('is in docs/oncall.md as it can be used', async () => {
    const page = await readFile(new URL('../../docs/oncall.md', import.meta.url), 'utf8');
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    assert.ok(isOnCallFile(example));
    assert.deepEqual(
      readOnCall(example, 'oncall.yaml', Date.UTC(2026, 1, 1)).diagnostics.map(formatDiagnostic),
      [],
    );
  });
});
