import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { identify } from '#base';
import { ask } from '../world/ask.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

const patientMs = 120_000;
let origin: Origin;
let http: number;
let stack: Stack;

const textFor = (server: string) => (folder: string) => {
  const servers = [{ name: server, port: origin.port }];
  return shopText({ http, https: null, engine: 'haproxy', servers, healthCheck: patientCheck }, folder);
};

before(async () => {
  origin = await startOrigin({ name: 'web' });
  http = await freePort();
  stack = await startStack({ siteText: textFor('one'), engine: 'haproxy' });
});

after(async () => {
  await origin.close();
  await stack.stop();
});

/**
 * On a machine that is out of breath the one that hangs may be replaced before anything is taken back, or servers be too slow
 * to show that it is at fault.
 */
const roundsMax = 5;
const endedMsMax = 20_000;
let changes = 0;

/** Whether the candidate was taken back to the one that is parked, while the active one hung, which was ended. */
async function goesToTheParked(share: number): Promise<boolean> {
  const standby = await until(
    'the one that is parked',
    async () => {
      const { generations } = await stack.call('status', {});
      return generations.length === 2 && generations.find(({ role }) => role === 'standby')?.generation;
    },
    patientMs,
  );
  changes += 1;
  const change = `c${changes}`;
  await stack.call('candidate', { site: textOf(textFor(change)(stack.folder), stack.folder), change });
  await stack.call('expose', { change, share, leaseMs: 60_000, requestsMax: null });
  const hung = await stack.pidOf('active');
  process.kill(hung, 'SIGSTOP');
  const done = await stack.call('rollback', { change, reason: 'a test' }, patientMs);
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(http)));
  for (const { status } of answers) assert.equal(status, 200);
  const isEnded = await until('its end', async () => identify(hung) === null, endedMsMax).catch(() => false);
  if (!isEnded) process.kill(hung, 'SIGKILL');
  return isEnded && done?.to === standby;
}

describe('an active engine hangs while there is a candidate, which is taken back', () => {
  for (const [when, share] of [
    ['in a slice beside it', 0.25],
    ['alone', 1],
  ] as const)
    test(`from its exposure ${when}: to the one that is parked, and not to one that hangs`, async () => {
      let rounds = 1;
      while (!(await goesToTheParked(share))) {
        rounds += 1;
        assert.ok(rounds <= roundsMax, `never in ${roundsMax} rounds`);
      }
    });
});
