/**
 * `npm run prove:spike [-- --engine haproxy|builtin]`: five times the traffic, with and without the spare server, in one run:
 * what failed, how long requests took, and when the spare came in and left again. HAProxy is told of a server while it
 * runs. The built-in engine takes it by a new generation, through every gate: half a minute, and too late for this spike. NGINX
 * has no queue, and a site that asks for one is refused (HF021).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChangeState, type EventKind, finalStates, type JournalEntry } from '../src/events/index.ts';
import { startLoadProcess, usualLoad } from '../test/world/load.ts';
import { type Origin, startOrigin } from '../test/world/origins.ts';
import { freePort, until } from '../test/world/stack.ts';
import { type Folders, makeFolders, type, up } from '../test/world/up.ts';
import { type Proof, prove } from './proof.ts';

type Engine = 'haproxy' | 'builtin';

/** Two servers that take 10 requests at once, 100 ms each: 200 a second. The third is the spare. */
const serversAtOnce = 10;
const answerMs = 100;
const usualPerSecond = 50;
const times = 5;
const quietS = 8;
const spikeS = 40;
/** After so long the spare has to be in: what comes later is judged. */
const settledAfterS = 20;
const leavesAfter = '10s';
const ends: readonly string[] = ['spare.leaves', 'spare.failed'] satisfies readonly EventKind[];

function siteText(engine: Engine, port: number, origins: readonly Origin[], withSpare: boolean): string {
  const servers = origins.map(
    ({ name, port: at }, index) =>
      `      - { name: ${name}, address: "127.0.0.1:${at}", connectionsMax: ${serversAtOnce}, spare: ${index === 2} }`,
  );
  return `site: spike
listeners: [{ name: http, address: "127.0.0.1:${port}" }]
routes: [{ name: all, pool: web }]
pools:
  - name: web
    timeouts: { queue: 2s }
    servers:
${servers.join('\n')}
    healthCheck: { path: /, interval: 2s, timeout: 10s, rise: 1, fall: 10 }
balancers: [{ name: lb-1, engine: ${engine}, address: 127.0.0.1 }]
guard:
  canary: { steps: [1], step: 1s, firstSliceRequests: 20 }
  bake: 3s
${withSpare ? `  spares: { leavesAfter: ${leavesAfter} }` : ''}
`;
}

interface Told {
  readonly sent: number;
  readonly failed: number;
  readonly sentSettled: number;
  readonly failedSettled: number;
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly joinedAfterS: number | null;
  readonly leftAfterS: number | null;
  /** Why it could not come or go; null: it could. */
  readonly failedWhy: string | null;
  readonly inPlace: boolean;
}

async function spike(engine: Engine, withSpare: boolean): Promise<Told> {
  const folders = makeFolders();
  const origins = await Promise.all(
    ['one', 'two', 'three'].map((name) => startOrigin({ name, delayMs: answerMs, atOnceMax: serversAtOnce })),
  );
  const port = await freePort();
  const file = join(folders.folder, 'site.yaml');
  writeFileSync(file, siteText(engine, port, origins, withSpare));
  const site = await up([file, '--port', String(await freePort())], folders.env);
  const loads: Awaited<ReturnType<typeof startLoadProcess>>[] = [];
  const load = async (ratePerSecond: number) => {
    const plan = { ...usualLoad, port, kind: 'kept' as const, timeoutMs: 10_000, ratePerSecond };
    const started = await startLoadProcess(plan);
    loads.push(started);
    return started;
  };
  try {
    const usual = await load(usualPerSecond);
    await seconds(quietS);
    const began = Date.now();
    const more = await load(usualPerSecond * (times - 1));
    await seconds(spikeS);
    const { records, counts } = await more.stop();
    loads.pop();
    const ended = Date.now();
    const joined = (await journal(folders)).find(({ event }) => event.kind === 'spare.joins');
    if (withSpare && joined)
      await until(
        'the spare server leaves, or why it cannot',
        async () => (await journal(folders)).some(({ event }) => ends.includes(event.kind)),
        90_000,
      );
    await until('no change is under way', async () => isOver((await site.status()).change?.state), 60_000);
    await usual.stop();
    loads.pop();
    const entries = await journal(folders);
    const left = entries.find(({ event }) => event.kind === 'spare.leaves');
    const settled = records.filter(({ sentAt }) => sentAt >= began + settledAfterS * 1_000);
    const took = settled
      .filter(({ outcome }) => outcome === 'ok')
      .map(({ dueAt, endedAt }) => endedAt - dueAt);
    return {
      sent: counts.sent,
      failed: counts.sent - counts.ok,
      sentSettled: settled.length,
      failedSettled: settled.filter(({ outcome }) => outcome !== 'ok').length,
      medianMs: quantile(took, 0.5),
      p95Ms: quantile(took, 0.95),
      joinedAfterS: firstExposed(entries, joined, began),
      leftAfterS: left ? (left.at - ended) / 1_000 : null,
      failedWhy:
        entries.flatMap(({ event }) => (event.kind === 'spare.failed' ? [event.why] : []))[0] ?? null,
      inPlace: JSON.stringify(entries).includes('web/three-joined comes'),
    };
  } finally {
    for (const one of loads) one.kill();
    await site.stop();
    for (const origin of origins) await origin.close();
    folders.remove();
  }
}

function isOver(state: ChangeState | undefined): boolean {
  return state === undefined || finalStates.includes(state);
}

/** From the beginning of the spike until the spare gets requests. */
function firstExposed(entries: readonly JournalEntry[], joined: JournalEntry | undefined, began: number) {
  if (joined?.event.kind !== 'spare.joins') return null;
  const { change } = joined.event;
  const exposed = entries.find(({ event }) => event.kind === 'change.exposed' && event.change === change);
  return exposed ? (exposed.at - began) / 1_000 : null;
}

async function journal(folders: Folders): Promise<readonly JournalEntry[]> {
  const { out } = await type(['journal', 'show', '--json'], { env: folders.env }).ended;
  return (JSON.parse(out) as { entries: readonly JournalEntry[] }).entries;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000));
}

function tell(proof: Proof, name: string, told: Told): void {
  proof.tell(`${name}: requests of the spike`, told.sent);
  proof.tell(`${name}: failed`, told.failed);
  proof.tell(`${name}: failed, sent ${settledAfterS} s after its beginning or later`, told.failedSettled);
  proof.tell(`${name}: of`, told.sentSettled);
  proof.tell(`${name}: good answers of these took, median ms`, told.medianMs);
  proof.tell(`${name}: good answers of these took, p95 ms`, told.p95Ms);
}

async function bothWays(proof: Proof, engine: Engine): Promise<void> {
  proof.say(`${engine}: ${usualPerSecond} requests a second, then ${times} times as many for ${spikeS} s`);
  const without = await spike(engine, false);
  tell(proof, `${engine} without`, without);
  const withSpare = await spike(engine, true);
  tell(proof, `${engine} with`, withSpare);
  proof.tell(`${engine}: the spare got requests after, s`, withSpare.joinedAfterS ?? 'never');
  proof.tell(`${engine}: without a new generation`, withSpare.inPlace ? 'yes' : 'no');
  proof.holds(
    `${engine}: it left after the spike, s`,
    withSpare.leftAfterS === null
      ? `never: ${withSpare.failedWhy ?? 'it did not join'}`
      : withSpare.leftAfterS.toFixed(1),
    'once',
    withSpare.leftAfterS !== null,
  );
  const share = (told: Told) => told.failedSettled / Math.max(1, told.sentSettled);
  proof.atMost(`${engine} with: failed of those, share`, share(withSpare), 0.001);
  proof.holds(
    `${engine}: fewer failed, or they took less`,
    `${withSpare.failedSettled} and ${Math.round(withSpare.p95Ms)} ms, without ${without.failedSettled} and ${Math.round(without.p95Ms)} ms`,
    'less of both, or of one',
    share(withSpare) < share(without) || withSpare.p95Ms < without.p95Ms,
  );
}

const at = process.argv.indexOf('--engine');
const engines: readonly Engine[] = at < 0 ? ['haproxy'] : [process.argv[at + 1] as Engine];
await prove('spike', async (proof) => {
  for (const engine of engines) await bothWays(proof, engine);
});
