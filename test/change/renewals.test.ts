import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { silentLog } from '#base';
import { watchRenewals } from '#change';
import type { ChangeView } from '#contract';
import type { ChangeState } from '#events';
import { selfSigned } from '../world/certificate.ts';
import { simulatedClock } from '../world/clock.ts';
import { shopText } from '../world/shop.ts';
import { textOf } from '../world/stack.ts';

const hourMs = 3_600_000;

/** How often a renewal that ends as said is proposed within some hours. */
async function proposals(ends: ChangeState, hours: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-renewals-'));
  try {
    const plan = { http: 8080, https: 8443, engine: 'haproxy', servers: [{ name: 'one', port: 1 }] };
    const current = textOf(shopText(plan, folder), folder);
    const clock = simulatedClock(Date.now() + 60_000);
    const fresh = selfSigned('shop.example');
    const views: ChangeView[] = [];
    const renewals = watchRenewals({
      sites: { current: () => current, stage: async () => {}, settle: async () => true },
      pipeline: () => ({
        views: () => views,
        busy: () => false,
        waits: () => false,
        propose: async () => {
          const view = { id: `c${views.length}`, state: ends, why: 'a gate says so' } as ChangeView;
          views.push(view);
          return view;
        },
      }),
      readFile: async (path) => (path.endsWith('key.pem') ? fresh.key : fresh.cert),
      stamp: async () => 'as it is',
      digests: () => [],
      told: async () => {},
      clock,
      log: silentLog,
    });
    await clock.run(
      (async () => {
        for (let ms = 0; ms < hours * hourMs; ms += 10_000) {
          await renewals.look();
          await clock.sleep(10_000);
        }
      })(),
    );
    assert.match(renewals.trouble().join(), ends === 'promoted' ? /^$/ : /a gate says so/);
    return views.length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('a renewal that a gate refuses is proposed again, each time after twice as long, an hour at most', async () => {
  assert.equal(await proposals('refused', 4), 9);
});

test('one that traffic spoke against is not', async () => {
  assert.equal(await proposals('rolled back', 4), 1);
});
