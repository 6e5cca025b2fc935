import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprintOf } from '#events';

test("a fingerprint is Alertmanager's: FNV-1a over sorted labels, whatever order they were written in", () => {
  // As Alertmanager 0.25 shows them.
  assert.equal(fingerprintOf({}), 'cbf29ce484222325');
  assert.equal(fingerprintOf({ a: 'b' }), 'd2b371819297f98a');
  const labels = { site: 'shöp', severity: 'critical', alertname: 'X' };
  assert.equal(fingerprintOf(labels), 'f045d0f3823740ef');
  assert.equal(fingerprintOf({ alertname: 'X', severity: 'critical', site: 'shöp' }), fingerprintOf(labels));
  assert.notEqual(fingerprintOf({ ab: 'c' }), fingerprintOf({ a: 'bc' }));
});
