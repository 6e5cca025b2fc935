/** Engines that are broken on purpose, under load: another engine carries the site within a second of the third rung's failure. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeCache } from '../src/base/index.ts';
import type { BalancerStatus } from '../src/contract/index.ts';
import type { GuardRecord } from '../src/events/index.ts';
import type { EngineName } from '../src/model/index.ts';
import { type Breakage, breakableBuiltin, breakableHaproxy, breakages } from '../test/world/broken-engine.ts';
import { type RequestRecord, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { type Origin, startOrigin } from '../test/world/origins.ts';
import { patientCheck, shopText } from '../test/world/shop.ts';
import { freePort, type Stack, type startStack, textOf, until } from '../test/world/stack.ts';
import { type Proof, prove } from './proof.ts';

const ratePerSecond = 200;
const takeoverMsMax = 1_000;
const carriedWithinMs = 40_000;
/** How long it is watched that nothing flaps and nothing spins. */
const watchedMs = 5_000;
const startsMax = 4;

interface Place {
  readonly folder: string;
  readonly origin: Origin;
  readonly engine: EngineName;
  readonly become: (way: Breakage) => void;
  readonly start: typeof startStack;
}

const ways: Readonly<Record<'haproxy' | 'builtin', readonly Breakage[]>> = {
  haproxy: ['crashes', 'hangs', 'mute', 'deaf', 'dies'],
  builtin: ['crashes', 'hangs', 'mute', 'dies'],
};

function site({ engine, origin }: Place, http: number, server = 'one') {
  const servers = [{ name: server, port: origin.port }];
  return (folder: string) =>
    shopText({ http, https: null, engine, servers, healthCheck: patientCheck }, folder);
}

type Carried = Extract<GuardRecord['what'], { kind: 'carried' }>;

/** The record of the fourth rung, and when the third had failed. */
async function carriedRecord(stack: Stack): Promise<Carried & { failedAt: number }> {
  return await until(
    'another engine',
    async () => {
      const records = await stack.call('records', { after: 0 });
      const found = records.findLast(({ what }) => what.kind === 'carried');
      return found?.what.kind === 'carried' && { ...found.what, failedAt: found.at - found.what.tookMs };
    },
    carriedWithinMs,
  );
}

const firstGoodAfter = (records: readonly RequestRecord[], at: number) =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...records.filter((r) => r.outcome === 'ok' && r.endedAt >= at).map((r) => r.endedAt),
  );

/** It serves; then its program is broken and every process of it is killed. */
async function whileServing(proof: Proof, place: Place, way: Breakage): Promise<void> {
  const { engine, become } = place;
  const http = await freePort();
  const stack = await place.start({ siteText: site(place, http), engine });
  const load = await startLoadProcess({ ...usualLoad, port: http, ratePerSecond, timeoutMs: 20_000 });
  const name = `${engine} ${breakages[way]}`;
  try {
    await until('some traffic', async () => (await load.counts()).ok > ratePerSecond / 2);
    const before = await stack.call('status', {});
    become(way);
    const at = Date.now();
    for (const { pid } of before.generations) process.kill(pid, 'SIGKILL');
    const carried = await carriedRecord(stack);
    await new Promise((resolve) => setTimeout(resolve, watchedMs));
    const status = await stack.call('status', {});
    const { records, counts } = await load.stop();
    const good = firstGoodAfter(records, carried.failedAt);
    proof.atMost(
      `${name}: from the third rung's failure to an answer`,
      good - carried.failedAt,
      takeoverMsMax,
      'ms',
    );
    proof.tell(`${name}: from its death to that answer, ms`, Math.round(good - at));
    proof.tell(`${name}: failed of ${counts.ended} requests`, counts.ended - counts.ok);
    proof.say(`      because ${carried.because.split('\n').slice(0, 2).join(' / ')}`);
    const late = records.filter((r) => r.outcome !== 'ok' && r.sentAt > good);
    proof.atMost(`${name}: failed after the takeover`, late.length, 0);
    for (const { outcome, sentAt, endedAt } of late.slice(0, 5))
      proof.say(
        `      ${outcome}, sent ${Math.round(sentAt - good)} ms after it, for ${Math.round(endedAt - sentAt)} ms`,
      );
    judgeCarried(proof, name, { status, carried });
    if (way === 'crashes') await back(proof, place, { stack, http, name });
  } finally {
    load.kill();
    become('good');
    await stack.stop();
  }
}

/** It stays with the engine that carries it, and the broken one is not started over and over. */
function judgeCarried(
  proof: Proof,
  name: string,
  { status, carried }: { status: BalancerStatus; carried: Carried },
): void {
  const { generations, carried: said, engine } = status;
  const active = generations.find(({ role }) => role === 'active');
  const isCarried = said?.by === carried.by && engine === carried.by;
  proof.holds(`${name}: status says who carries it`, `${said?.by}`, carried.by, isCarried);
  proof.atMost(`${name}: generations started since`, (active?.generation ?? 99) - carried.generation, 0);
  const newest = Math.max(...generations.map(({ generation }) => generation));
  proof.atMost(`${name}: starts in ${watchedMs / 1_000} s`, newest - carried.generation, startsMax);
}

/** What `up` does before it starts anything: the code cache is filled. */
function fillCodeCache(root: string): void {
  const env = { ...process.env, ...codeCache() };
  execFileSync(process.execPath, [join(root, 'src/main/data-plane.ts'), 'compile'], { env });
}

const statusOf = (stack: Stack) => stack.call('status', {});

/** The program is put right, and a change brings the site back to it. */
async function back(
  proof: Proof,
  place: Place,
  { stack, http, name }: { stack: Stack; http: number; name: string },
): Promise<void> {
  place.become('good');
  const change = 'back';
  const text = textOf(site(place, http, 'renamed')(stack.folder), stack.folder);
  await stack.call('check', { site: text });
  await stack.call('candidate', { site: text, change });
  await stack.call('promote', { change });
  const { engine, carried } = await statusOf(stack);
  proof.holds(`${name}: a change brings it back`, engine, place.engine, engine === place.engine && !carried);
}

/** Its program is broken before it is ever started. */
async function atFirstStart(proof: Proof, place: Place, way: Breakage): Promise<void> {
  const { engine, become } = place;
  const http = await freePort();
  become(way);
  const stack = await place.start({ siteText: site(place, http), engine });
  const name = `${engine} ${breakages[way]}, at first start`;
  try {
    const carried = await carriedRecord(stack);
    const { status } = await fetch(`http://127.0.0.1:${http}/`);
    proof.holds(`${name}: carried by another engine`, carried.by, 'another', carried.by !== engine);
    proof.holds(`${name}: it answers`, `${status}`, '200', status === 200);
    proof.atMost(`${name}: from the third rung's failure to accepting`, carried.tookMs, takeoverMsMax, 'ms');
  } finally {
    become('good');
    await stack.stop();
  }
}

await prove('takeover', async (proof) => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-broken-'));
  chmodSync(folder, 0o755);
  const origin = await startOrigin({ name: 'web' });
  try {
    const haproxy = breakableHaproxy(folder);
    process.env.HOLDFAST_HAPROXY = haproxy.path;
    process.env.HOLDFAST_CACHE = join(folder, 'cache');
    fillCodeCache(join(import.meta.dirname, '..'));
    const { startStack: start } = await import('../test/world/stack.ts');
    const first: Place = { folder, origin, engine: 'haproxy', become: haproxy.become, start };
    for (const way of ways.haproxy) await whileServing(proof, first, way);
    for (const way of ['crashes', 'hangs'] as const) await atFirstStart(proof, first, way);

    const builtin = breakableBuiltin(folder);
    const copied = (await import(join(builtin.copy, 'test/world/stack.ts'))) as { startStack: typeof start };
    const second: Place = {
      folder,
      origin,
      engine: 'builtin',
      become: builtin.become,
      start: copied.startStack,
    };
    for (const way of ways.builtin) await whileServing(proof, second, way);
    await atFirstStart(proof, second, 'crashes');
  } finally {
    await origin.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
