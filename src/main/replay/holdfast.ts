import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type Log, messageOf, systemClock } from '#base';
import type { ChangeView } from '#contract';
import type { IncidentView, JournalEntry, TakeBack } from '#events';
import type { EngineName } from '#model';
import { balancers, siteText } from './holdfast/texts.ts';
import { startUp, type UpSite } from './holdfast/up.ts';
import { saidBy, timelineOf } from './holdfast/words.ts';
import { interruption } from './interruption.ts';
import { preciseNow, usualLoad } from './load.ts';
import { startLoadProcess } from './load-process.ts';
import { clientTimeoutMs, together, until, untilQuiet } from './load-watch.ts';
import { hasToldAll, onCallText, peopleTold } from './people.ts';
import { figures, type ReplayRun, runOf } from './run.ts';
import { startScene } from './scene.ts';

export interface HoldfastOptions {
  readonly name: string;
  /** A folder of its own, which exists; its path short enough for Unix sockets in it. */
  readonly folder: string;
  /** Requests a second, all balancers together. */
  readonly rate: number;
  readonly engine: EngineName;
  /** Null: as proposed. Else the gates that refuse are passed for this reason. */
  readonly forcedBecause: string | null;
  readonly net: boolean;
  /** Waits until the incident is resolved, and then asks for the postmortem. */
  readonly withPostmortem: boolean;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

export interface HoldfastOutcome {
  readonly run: ReplayRun;
  /** What `holdfast postmortem` printed; null where there was no incident, or nobody asked. */
  readonly postmortem: string | null;
}

const siteFile = 'site.yaml';
const changedFile = 'changed.yaml';
const pollMs = 25;
const resolvedMsMax = 30_000;
const toldMsMax = 20_000;
/** Our own proof that `holdfast apply` told its end goes no further than this. */
const applyMsMax = 180_000;

/**
 * The founding incident under Holdfast: `holdfast up` with two balancers, half of the traffic to each, and the change by
 * `holdfast apply`. Time begins with the change's first exposure, as it begins with the reload on the usual stack.
 * Rejects when it is interrupted or a part does not start; nothing is left behind.
 */
export async function runHoldfast(options: HoldfastOptions): Promise<HoldfastOutcome> {
  const { folder, rate, engine, net } = options;
  const { signal, off } = interruption(options.signal);
  const closers: (() => unknown)[] = [off];
  try {
    const scene = await startScene(rate);
    closers.push(() => scene.close());
    const port = await portFreeOn(balancers.map(({ address }) => address));
    const text = (isChanged: boolean) => siteText({ port, engine, net, isChanged, servers: scene.servers });
    await writeFile(join(folder, siteFile), text(false));
    await writeFile(join(folder, changedFile), text(true));
    await writeFile(join(folder, 'oncall.yaml'), onCallText);
    const site = await startUp(folder, siteFile, signal);
    closers.push(() => site.close());
    const loads = await Promise.all(
      balancers.map(async ({ address: host }) => {
        const plan = { ...usualLoad, host, port, ratePerSecond: rate / balancers.length };
        const load = await startLoadProcess({ ...plan, timeoutMs: clientTimeoutMs });
        closers.push(() => load.kill());
        return load;
      }),
    );
    return await play({ options, signal, site, load: together(loads) });
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

interface Stage {
  readonly options: HoldfastOptions;
  readonly signal: AbortSignal;
  readonly site: UpSite;
  readonly load: ReturnType<typeof together>;
}

async function play({ options, signal, site, load }: Stage): Promise<HoldfastOutcome> {
  const { rate, forcedBecause, log } = options;
  await until(({ ok }) => ok >= rate, load.counts, signal, clientTimeoutMs);
  const force = forcedBecause === null ? [] : ['--force', '--reason', forcedBecause];
  const proposedAt = preciseNow();
  log.info(`holdfast apply ${changedFile}${forcedBecause === null ? '' : ' --force'}`);
  const applying = applied(site, [changedFile, ...force], signal);
  const namedAt = await causeReadable(site, applying, signal);
  const change = await applying;
  log.info(`the change is ${change.state}: ${change.why}`);
  const isRestored = await untilQuiet(load.counts, signal);
  const records = await load.stop();

  const entries = await entriesWithPages(site, change.state === 'refused', signal);
  const takeBacks = takeBacksOf(entries, change.id);
  const exposedAt = entries.find(({ event }) => event.kind === 'change.exposed')?.at ?? null;
  const appliedAt = exposedAt ?? proposedAt;
  const endedAt = Math.max(appliedAt, ...takeBacks.map(({ takeBack }) => takeBack.doneAt));
  const since = (at: number | null) => (at === null || exposedAt === null ? null : at - appliedAt);
  const decidedAt = takeBacks.map(({ takeBack }) => takeBack.decidedAt);
  const seen = figures(records, appliedAt, exposedAt === null ? appliedAt : endedAt, isRestored);
  const notes = [
    ...(seen.firstErrorMs === null
      ? []
      : [{ at: appliedAt + seen.firstErrorMs, what: 'a customer meets the first error' }]),
    ...(namedAt === null ? [] : [{ at: namedAt, what: 'the postmortem can be read and names the cause' }]),
  ];
  const earlier = records.filter((r) => r.outcome !== 'ok' && r.endedAt < appliedAt).length;
  if (earlier > 0) notes.push({ at: proposedAt, what: `${earlier} requests failed before the change` });
  const people = peopleTold(entries, appliedAt, seen.firstErrorMs);
  const run: ReplayRun = {
    ...runOf(options.name),
    ...seen,
    seenMs: since(decidedAt.length === 0 ? null : Math.min(...decidedAt)),
    causeNamedMs: since(namedAt),
    exposed: exposedAt === null ? null : exposedTo(takeBacks.map(({ takeBack }) => takeBack)),
    refused: change.state === 'refused',
    words: saidBy(change, takeBacks),
    people,
    timeline: timelineOf(entries, notes, appliedAt),
  };
  return { run, postmortem: options.withPostmortem ? await postmortemOf(site, change, signal) : null };
}

/** The journal, once everybody of the report was told. A change that was refused wakes nobody. */
async function entriesWithPages(
  site: UpSite,
  isRefused: boolean,
  signal: AbortSignal,
): Promise<readonly JournalEntry[]> {
  const deadline = systemClock.monotonicMs() + toldMsMax;
  for (;;) {
    const { entries } = await site.json<{ readonly entries: readonly JournalEntry[] }>('/v1/journal');
    if (isRefused || hasToldAll(entries) || systemClock.monotonicMs() > deadline) return entries;
    await systemClock.sleep(250, signal);
  }
}

/** `holdfast apply`, to its end. */
async function applied(site: UpSite, args: readonly string[], signal: AbortSignal): Promise<ChangeView> {
  const done = new AbortController();
  const limit = systemClock.sleep(applyMsMax, AbortSignal.any([signal, done.signal])).then(() => {
    throw new Error(`holdfast apply did not end within ${applyMsMax / 1_000} s`);
  });
  const ended = Promise.race([site.command('apply', ...args, '--json'), limit]);
  const { out, err } = await ended.finally(() => done.abort());
  try {
    const change = JSON.parse(out) as ChangeView;
    if (change.state) return change;
  } catch {}
  throw new Error(`holdfast apply printed no change: ${out}${err}`);
}

/** When the incident's postmortem names the change, a server and its line: what a person would read. Null: no incident. */
async function causeReadable(
  site: UpSite,
  applying: Promise<ChangeView>,
  signal: AbortSignal,
): Promise<number | null> {
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  applying.then(over, over);
  for (;;) {
    const wasOver = isOver;
    const incidents = await incidentsOf(site).catch(() => []);
    const incident = incidents.find(({ change }) => change !== null);
    const text = incident ? await site.text(`/v1/incidents/${incident.id}/postmortem`).catch(() => '') : '';
    const isNamed = text.includes(incident?.change ?? '\0') && text.includes(`${changedFile}:`);
    if (isNamed && /web-\d/.test(text)) return preciseNow();
    if (wasOver) return null;
    await systemClock.sleep(pollMs, signal);
  }
}

async function incidentsOf(site: UpSite): Promise<readonly IncidentView[]> {
  const list = await site.json<{ readonly incidents: readonly IncidentView[] }>('/v1/incidents');
  return list.incidents;
}

function takeBacksOf(
  entries: readonly JournalEntry[],
  change: string,
): readonly { readonly balancer: string; readonly takeBack: TakeBack }[] {
  return entries.flatMap(({ event }) =>
    event.kind === 'guard.acted' &&
    event.record.what.kind === 'tookBack' &&
    event.record.what.takeBack.change === change
      ? [{ balancer: event.record.balancer, takeBack: event.record.what.takeBack }]
      : [],
  );
}

function exposedTo(takeBacks: readonly TakeBack[]): ReplayRun['exposed'] {
  const counts = takeBacks.map(({ evidence }) => evidence.candidate);
  const sum = (name: 'requests' | 'errors' | 'netUses') => counts.reduce((all, one) => all + one[name], 0);
  return { requests: sum('requests'), failed: sum('errors'), netUses: sum('netUses') };
}

async function postmortemOf(
  site: UpSite,
  { incident }: ChangeView,
  signal: AbortSignal,
): Promise<string | null> {
  if (incident === null) return null;
  const deadline = systemClock.monotonicMs() + resolvedMsMax;
  const isOpen = async () =>
    (await incidentsOf(site)).some(({ id, resolvedAt }) => id === incident && resolvedAt === null);
  while ((await isOpen()) && systemClock.monotonicMs() < deadline) await systemClock.sleep(250, signal);
  const { out, err } = await site.command('postmortem', incident);
  if (out === '') throw new Error(`holdfast postmortem printed nothing: ${err}`);
  return out;
}

/** A port that is free on every one of the addresses now. */
async function portFreeOn(addresses: readonly string[], triesLeft = 20): Promise<number> {
  const servers = addresses.map(() => createServer());
  const listen = (index: number, port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = servers[index];
      server?.once('error', reject).listen(port, addresses[index], () => {
        const bound = server.address();
        resolve(bound !== null && typeof bound === 'object' ? bound.port : 0);
      });
    });
  try {
    const port = await listen(0, 0);
    for (let index = 1; index < addresses.length; index += 1) await listen(index, port);
    return port;
  } catch (error) {
    if (triesLeft === 0) throw new Error(`no port is free on ${addresses.join(', ')}: ${messageOf(error)}`);
  } finally {
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  }
  return portFreeOn(addresses, triesLeft - 1);
}
