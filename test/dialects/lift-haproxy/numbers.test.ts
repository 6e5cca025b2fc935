import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meaning } from '#routing';
import { lift } from '../../../src/dialects/haproxy/lift/index.ts';

/** Whether a condition holds of a request for that path. */
function holds(condition: string, path = '/abc'): boolean {
  const text = `frontend f
  mode http
  bind :80
  http-request deny if { ${condition} }
  default_backend b
backend b
  mode http
  server s 10.0.0.1:80
`;
  const what = lift({ file: 'haproxy.cfg', text, read: () => null, environment: () => null });
  const [way] = meaning.fateOf(what, meaning.requestOf({ path })).ways;
  return way?.fate.kind === 'answer';
}

test('a length is compared without a sign, so that what is below zero is more than any', () => {
  assert.equal(holds('path_len lt 0'), true);
  assert.equal(holds('path_len le -1'), true);
  assert.equal(holds('path_len ge -1'), false);
  assert.equal(holds('path_len gt -1'), true);
  assert.equal(holds('path_len lt 5'), true);
  assert.equal(holds('path_len lt 4'), false);
});

test('a number with a sign and no operator is a range up to it', () => {
  assert.equal(holds('path_len -- -4'), true);
  assert.equal(holds('path_len -- -3'), false);
  assert.equal(holds('path,length -- -4'), true);
  assert.equal(holds('path,length eq -3'), false);
  assert.equal(holds('path,length lt 0'), false);
});
