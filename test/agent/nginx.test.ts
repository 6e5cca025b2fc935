import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { identify } from '#base';
import { ask } from '../world/ask.ts';
import { type LoadPlan, type LoadProcess, startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/** Each version of the site has a server of its own, so each answer says which version gave it. */
const versions: Origin[] = [];
const settledMs = 600;
let stack: Stack;
let http: number;
let https: number;

const loads: LoadProcess[] = [];

/** Patient, for a machine that is out of breath; ended also when a test fails before it ends it. */
async function startLoad(plan: Partial<LoadPlan>): Promise<LoadProcess> {
  const load = await startLoadProcess({ ...usualLoad, timeoutMs: 20_000, ...plan });
  loads.push(load);
  return load;
}

const textFor = (origins: readonly { name: string; port: number }[]) => (folder: string) =>
  shopText({ http, https, engine: 'nginx', servers: origins, healthCheck: patientCheck }, folder);
const candidateOf = (origins: readonly { name: string; port: number }[]) =>
  textOf(textFor(origins)(stack.folder), stack.folder);

before(async () => {
  versions.push(await startOrigin({ name: 'before' }), await startOrigin({ name: 'after' }));
  [http, https] = [await freePort(), await freePort()];
  stack = await startStack({ siteText: textFor(versions.slice(0, 1)), engine: 'nginx' });
});

after(async () => {
  for (const load of loads) load.kill();
  await stack.stop();
  for (const origin of versions) await origin.close();
});

for (const kind of ['new', 'kept', 'h2'] as const) {
  test(`promotion and rollback under load, open connections too: ${kind}`, async () => {
    const [first, next] = versions;
    assert.ok(first && next);
    await stack.call('candidate', { site: candidateOf([next]), change: `promote-${kind}` });
    const load = await startLoad({
      kind,
      port: kind === 'h2' ? https : http,
      tls: kind === 'h2',
      hostname: 'shop.example',
      ratePerSecond: 300,
    });
    const settled = () => new Promise((resolve) => setTimeout(resolve, settledMs));
    await settled();
    await stack.call('expose', { change: `promote-${kind}`, share: 1, leaseMs: 3_000, requestsMax: null });
    await settled();
    await stack.call('promote', { change: `promote-${kind}` });
    await settled();
    await stack.call('rollback', { reason: 'test', change: `promote-${kind}` });
    await settled();
    const { counts, records } = await load.stop();
    const bad = records.filter((r) => r.outcome !== 'ok' && r.outcome !== 'refused');
    assert.deepEqual(bad.slice(0, 3), [], JSON.stringify(counts.byOutcome));
    assert.ok(
      records.some((r) => r.marker.startsWith('after')),
      'the candidate answered',
    );
    assert.ok(records.at(-1)?.marker.startsWith('before'), 'the last answer is of the version before');
  });
}

const processesOf = (group: number) =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return state !== 'Z' && Number(pgrp) === group;
      } catch {
        return false;
      }
    })
    .map(Number);

test('the master is killed: another generation takes over, and the workers end when it accepts', async () => {
  const active = await stack.pidOf('active');
  const load = await startLoad({ kind: 'new', port: http, ratePerSecond: 200 });
  process.kill(active, 'SIGKILL');
  await until('another active one', async () => (await stack.pidOf('active')) !== active);
  await until('the end of the workers', async () => processesOf(active).length === 0);
  const { counts } = await load.stop();
  assert.equal(counts.ended - counts.ok, 0, JSON.stringify(counts.byOutcome));
  await until('a standby', async () => (await stack.pidOf('standby')) !== active);
});

test('a worker hangs: it is killed, and the site has all its workers again', async () => {
  const workers = async () => {
    const active = await stack.pidOf('active');
    return processesOf(active).filter((pid) => pid !== active);
  };
  const before = await workers();
  const [stuck] = before;
  assert.ok(stuck);
  process.kill(stuck, 'SIGSTOP');
  await until('its end', async () => identify(stuck) === null);
  await until('as many workers', async () => (await workers()).length === before.length);
  assert.equal((await ask(http)).status, 200);
});

test('every process of the active one is killed: the standby takes over', async () => {
  const active = await stack.pidOf('active');
  process.kill(-active, 'SIGKILL');
  await until('another active one', async () => (await stack.pidOf('active')) !== active);
  assert.equal((await ask(http)).status, 200);
  await until('a standby', async () => (await stack.pidOf('standby')) !== active);
});

test('the holder is killed in a slice: the next one parks the candidate, and loses nobody', async () => {
  const next = versions[1];
  assert.ok(next);
  await stack.call('candidate', { site: candidateOf([next]), change: 'holder' });
  const load = await startLoad({ kind: 'new', port: http, ratePerSecond: 200 });
  await stack.call('expose', { change: 'holder', share: 0.5, leaseMs: 3_000, requestsMax: null });
  const holder = await stack.pidOf('holder');
  process.kill(holder, 'SIGKILL');
  await until('another holder', async () => (await stack.pidOf('holder')) !== holder);
  await until('it was taken back', async () => (await stack.call('observe', { change: 'holder' })).takenBack);
  const { counts } = await load.stop();
  assert.equal(counts.ended - counts.ok, 0, JSON.stringify(counts.byOutcome));
});

test('a forced bad change: the net catches its requests, the guard takes it back', async () => {
  await stack.call('candidate', { site: candidateOf([{ name: 'nowhere', port: 1 }]), change: 'bad' });
  const load = await startLoad({ kind: 'new', port: http, ratePerSecond: 300 });
  await stack.call('expose', { change: 'bad', share: 0.5, leaseMs: 5_000, requestsMax: null });
  const { takenBack } = await until('the guard takes it back', async () => {
    const seen = await stack.call('observe', { change: 'bad' });
    return seen.takenBack && { takenBack: seen.takenBack };
  });
  const { counts } = await load.stop();
  assert.equal(counts.ended - counts.ok, 0, JSON.stringify(counts.byOutcome));
  assert.ok(takenBack.evidence.candidate.netUses > 0 || takenBack.evidence.cause === 'liveServers');
});
