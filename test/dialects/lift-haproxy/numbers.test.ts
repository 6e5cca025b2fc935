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

/** Whether it holds of a request, by a variable that the rule before has set; null: that is not known. */
function holdsOf(variable: string, condition: string, headers: Record<string, string>): boolean | null {
  const text = `frontend f
  mode http
  bind :80
  ${variable}
  http-request deny if { ${condition} }
  default_backend b
backend b
  mode http
  server s 10.0.0.1:80
`;
  const what = lift({ file: 'haproxy.cfg', text, read: () => null, environment: () => null });
  const { ways, exact } = meaning.fateOf(what, meaning.requestOf({ path: '/', headers }));
  return exact ? ways[0]?.fate.kind === 'answer' : null;
}

test('a number that was read from a text is not that text', () => {
  const set = 'http-request set-var(txn.v) hdr_val(x-one)';
  const one = { 'x-one': 'one wo' };
  assert.equal(holdsOf(set, 'var(txn.v) -m int 0', one), true);
  // HAProxy has 0 there, which is one character.
  assert.equal(holdsOf(set, 'var(txn.v) -m len gt 3', one), null);
  assert.equal(holdsOf(set, 'var(txn.v) -m beg one', one), null);
  assert.equal(holdsOf(set, 'var(txn.v),lower -m beg one', one), null);
  assert.equal(holdsOf(set, 'var(txn.v) -m found', one), true);
  const two = `http-request set-var(txn.v) path\n  ${set} if { hdr(x-one) -m found }`;
  assert.equal(holdsOf(two, 'var(txn.v) -m beg one', one), null);
  assert.equal(holdsOf(two, 'var(txn.v) -m beg /', {}), true);
  assert.equal(holdsOf('http-request set-var(txn.v) int(12)', 'var(txn.v) -m len 2', one), true);
});
