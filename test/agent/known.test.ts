import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServerEvidence } from '#engines';
import { parseSite, type Site } from '#model';
import { Known } from '../../src/agent/known.ts';
import { simulatedClock } from '../world/clock.ts';

function site(servers: readonly string[], check = '/health'): Site {
  const listed = servers.map((s) => `{ name: ${s.split(' ')[0]}, address: "${s.split(' ')[1]}" }`).join(', ');
  const text = `site: t
listeners: [{ name: http, address: "*:80" }]
routes: [{ name: web, pool: web }]
pools: [{ name: web, servers: [${listed}], healthCheck: { path: ${check} } }]
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`;
  const { site: read, diagnostics } = parseSite(text, 'site.yaml', '/');
  if (!read) throw new Error(JSON.stringify(diagnostics));
  return read;
}

const seen = (server: string, state: ServerEvidence['state']): ServerEvidence => ({
  pool: 'web',
  server,
  state,
  lastCheck: '',
  requests: 0,
  errors: 0,
});
const two = site(['a 10.0.0.1:80', 'b 10.0.0.2:80']);
const bIsDown = [seen('a', 'up'), seen('b', 'down')];
const b = [{ pool: 'web', server: 'b' }];

function known(servers = bIsDown, of = two) {
  const clock = simulatedClock();
  const memory = new Known(clock);
  memory.remember(of, servers);
  return { memory, clock };
}

test('what the active generation knows to be down is carried over', () =>
  assert.deepEqual(known().memory.downFor(two), b));

test('not to another address, nor to another check: a change that puts it right begins anew', () => {
  const { memory } = known();
  assert.deepEqual(memory.downFor(site(['a 10.0.0.1:80', 'b 10.0.0.9:80'])), []);
  assert.deepEqual(memory.downFor(site(['a 10.0.0.1:80', 'b 10.0.0.2:80'], '/alive')), []);
});

test('a pool is not begun without a live server', () =>
  assert.deepEqual(known([seen('a', 'down'), seen('b', 'down')]).memory.downFor(two), []));

test('what was seen a minute ago is forgotten', async () => {
  const { memory, clock } = known();
  await clock.pass(61_000);
  assert.deepEqual(memory.downFor(two), []);
});
