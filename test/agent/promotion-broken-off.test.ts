import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask } from '../world/ask.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/** Each version of the site has a server of its own, so each answer says which version gave it. */
const origins: Record<string, Origin> = {};
const patientMs = 120_000;
let stack: Stack;
let http: number;

const textFor = (name: string) => (folder: string) => {
  const servers = [{ name: 'one', port: origins[name]?.port ?? 0 }];
  return shopText({ http, https: null, engine: 'haproxy', servers, healthCheck: patientCheck }, folder);
};
const siteOf = (name: string) => textOf(textFor(name)(stack.folder), stack.folder);
const answers = async () => (await ask(http)).body.trim();

before(async () => {
  for (const name of ['before', 'after', 'next']) origins[name] = await startOrigin({ name });
  http = await freePort();
  stack = await startStack({ siteText: textFor('before'), engine: 'haproxy' });
});

after(async () => {
  await stack.stop();
  for (const origin of Object.values(origins)) await origin.close();
});

test('a promotion that breaks off half-way is brought to its end, and keeps no later change out', async () => {
  await stack.call('candidate', { site: siteOf('after'), change: 'c1' }, patientMs);
  const pid = await stack.pidOf('candidate');
  // It is approved and on disk, and then the engine that is to be made active does not answer.
  process.kill(pid, 'SIGSTOP');
  try {
    await assert.rejects(stack.call('promote', { change: 'c1' }, patientMs));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until('what was promoted', async () => (await answers()) === 'after', patientMs);
  await until(
    'the next change',
    async () => {
      await stack.call('candidate', { site: siteOf('next'), change: 'c2' }, patientMs);
      return true;
    },
    patientMs,
  );
  await stack.call('promote', { change: 'c2' }, patientMs);
  await until('what was promoted then', async () => (await answers()) === 'next', patientMs);
});
