import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { PoolFacts, TextFacts } from '../../src/engines/nginx/facts.ts';
import { stillOut } from '../../src/engines/nginx/known.ts';
import { openProbes } from '../../src/engines/nginx/probes.ts';
import { simulatedClock } from '../world/clock.ts';
import { checkOf, timeoutsOf } from '../world/sites.ts';

const servers = ['a', 'b'].map((name) => ({ name, host: '127.0.0.1', port: 9, address: `unix:/${name}` }));
const pool: PoolFacts = {
  name: 'web',
  healthCheck: checkOf(),
  timeouts: timeoutsOf(),
  known: { flag: 'back-0', servers: ['b'] },
  servers,
};
const facts: TextFacts = {
  ...{ sockets: 0, workers: 1, neighbour: false, net: false, own: false, streams: null },
  pools: [pool],
};

test('whom a generation of NGINX began without is out until somebody has let it back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  try {
    const out = stillOut(folder);
    assert.deepEqual(out(pool), ['b'], 'before it has started');
    writeFileSync(join(folder, 'back-0'), '', { mode: 0o600 });
    assert.deepEqual(out(pool), ['b']);
    chmodSync(join(folder, 'back-0'), 0o700);
    assert.deepEqual(out(pool), []);
    const { known: _, ...nothingKnown } = pool;
    assert.deepEqual(out(nothingKnown), []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('no start waits for a probe to find that out once more', () => {
  const probes = openProbes(facts, simulatedClock(), () => ['b']);
  try {
    assert.deepEqual(
      probes.look().map(({ server, state }) => `${server} ${state}`),
      ['a up', 'b down'],
    );
  } finally {
    probes.close();
  }
});
