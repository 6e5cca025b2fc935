import { isInboundToken } from '#alerting';
import type { Backend } from '#api';
import { type Clock, Failure } from '#base';
import { type BalancerPort, type SiteKeeper, tellEvery } from '#change';
import type { BalancerStatus, IncidentView, ReviewReport, StatusView } from '#contract';
import type { JournalEntry, ReviewEvent } from '#events';
import { incidentsOf, postmortem } from '#incidents';
import { verifyJournal } from '#store';
import type { DriftWatch } from './drift.ts';
import { type JournalDoor, reviewsOwed } from './journal-room.ts';
import type { OnCallFile } from './on-call-file.ts';
import type { Watching } from './watching/watching.ts';

const statusTimeoutMs = 2_000;

export interface BackendParts {
  readonly site: string;
  readonly door: JournalDoor;
  readonly journalFolder: string;
  readonly balancers: readonly BalancerPort[];
  readonly sites: SiteKeeper;
  readonly renewalTrouble: () => readonly string[];
  readonly onCall: OnCallFile;
  readonly clock: Clock;
  readonly watching: () => Pick<Watching, 'live' | 'metrics'>;
  readonly drift: DriftWatch;
}

/** What the API shows, from the journal where there is one, and from the balancers always. */
export function controllerBackend(parts: BackendParts): Backend {
  const { door, balancers, journalFolder } = parts;
  const incidents = incidentReader(door);
  return {
    status: () => statusOf(parts, incidents),
    live: () => parts.watching().live(),
    metrics: (format) => parts.watching().metrics(format),
    site: () => parts.sites.current(),
    drift: (mend) => parts.drift.look(mend),
    async propose(request) {
      const { journal, pipeline } = door.room();
      // What SQLite has in memory says nothing of the disk.
      if (!pipeline.busy()) await journal.requireWhole();
      return await pipeline.propose(request);
    },
    changes: () => door.room().pipeline.views().toReversed(),
    watch: (change, use) => door.room().pipeline.watch(change, use),
    approve: (change, by, reason) => door.room().pipeline.approve(change, by, reason),
    confirm: (change, by, reason) => door.room().pipeline.confirm(change, by, reason),
    abort: (by, reason, change) => door.room().pipeline.abort(by, reason, change),
    async rollback(by, reason) {
      const room = door.open();
      if (room) return room.pipeline.rollback(by, reason);
      // Going back never waits for the disk; who did it is in the guard's record, which is journalled later.
      return { change: null, balancers: await tellEvery(balancers, null, `${by} took it back: ${reason}`) };
    },
    incidents: () => incidents().toReversed(),
    async resolveIncident(id, by, reason) {
      const known = incidents().find((one) => one.id === id);
      if (!known) throw new Failure('HF404', `there is no incident "${id}"`, 'See `holdfast incidents`.');
      if (known.resolvedAt !== null)
        throw new Failure('HF404', `${id} is over since ${new Date(known.resolvedAt).toISOString()}`);
      const how = `${by} says that it is over${reason === '' ? '' : `: ${reason}`}`;
      await door.room().journal.append(by, { kind: 'incident.resolved', incident: id, how });
      return incidents().find((one) => one.id === id) ?? known;
    },
    postmortem(incident) {
      const known = incidents().some(({ id }) => id === incident);
      return known ? postmortem(door.room().journal.entries(), incident) : null;
    },
    report: (by, sender, input) => door.room().desk.take(by, sender, input),
    reports: () =>
      door
        .room()
        .journal.entries()
        .flatMap(({ at, by, event }) =>
          event.kind === 'report.received' ? [{ ...event.report, at, by }] : [],
        )
        .toReversed(),
    review: async (by) => viewOf(await door.room().reviewer.review(by, 'person')),
    reviews: () =>
      door
        .room()
        .journal.entries()
        .flatMap(({ at, by, event }) => (event.kind === 'review.done' ? [viewOf({ at, by, event })] : []))
        .toReversed(),
    troubled: () => door.open() !== null && incidents().some(({ resolvedAt }) => resolvedAt === null),
    entries: (after, max) => door.room().journal.entries(after, max),
    verify: () => verifyJournal(journalFolder),
    alerting: {
      site: parts.site,
      clock: parts.clock,
      office: () => door.inMemory()?.office ?? door.room().alerts,
      onCallFile: parts.onCall.view,
      mayHandIn: (token) => isInboundToken(parts.onCall.current(), process.env, token),
    },
  };
}

function viewOf({
  at,
  by,
  event,
}: Pick<JournalEntry, 'at' | 'by'> & { readonly event: ReviewEvent }): ReviewReport {
  const { review, because, findings, notSeen } = event;
  return { review, at, by, because, findings, notSeen };
}

/** Figures are computed from the whole journal: once for each new entry, not for each question. */
function incidentReader(door: JournalDoor): () => readonly IncidentView[] {
  let known: { readonly entries: number; readonly views: readonly IncidentView[] } | null = null;
  return () => {
    const { journal } = door.room();
    const { entries } = journal.status();
    if (known?.entries !== entries) known = { entries, views: incidentsOf(journal.entries()) };
    return known.views;
  };
}

async function statusOf(
  { site, door, balancers, sites, renewalTrouble, drift }: BackendParts,
  incidents: () => readonly IncidentView[],
): Promise<StatusView> {
  const states = await Promise.all(balancers.map(statusOfOne));
  const serving = states.filter((one) => 'generations' in one && isServing(one)).length;
  return {
    site,
    state: serving === states.length ? 'serving' : serving > 0 ? 'degraded' : 'down',
    siteHash: hashOf(sites),
    ...journalled(door, incidents),
    balancers: states,
    renewalTrouble: renewalTrouble(),
    ...(drift.found.length > 0 ? { drift: drift.found } : {}),
  };
}

type Journalled = Pick<
  StatusView,
  'frozen' | 'journal' | 'change' | 'queue' | 'openIncidents' | 'reviewsOwed'
>;

/** What only the journal knows. One that cannot be read any more keeps nobody from the rest. */
function journalled(door: JournalDoor, incidents: () => readonly IncidentView[]): Journalled {
  const nothing = { frozen: null, change: null, queue: [], openIncidents: [], reviewsOwed: [] };
  const room = door.open();
  if (!room) return { ...nothing, journal: { ok: false, why: door.why(), entries: 0 } };
  try {
    const { ok, why, entries } = room.journal.status();
    const open = incidents().filter(({ resolvedAt }) => resolvedAt === null);
    return {
      frozen: room.pipeline.frozen(),
      journal: { ok, why, entries },
      change: room.pipeline.inFlight(),
      queue: room.pipeline.queue(),
      openIncidents: open.map(({ id }) => id),
      reviewsOwed: reviewsOwed(room.pipeline),
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { ...nothing, journal: { ok: false, why: `${error.code} ${error.message}`, entries: 0 } };
  }
}

async function statusOfOne(balancer: BalancerPort): Promise<StatusView['balancers'][number]> {
  try {
    return await balancer.call('status', {}, statusTimeoutMs);
  } catch (error) {
    return {
      balancer: balancer.name,
      unreachable: error instanceof Error ? error.message : String(error),
    };
  }
}

function isServing({ generations }: BalancerStatus): boolean {
  return generations.some(({ role, state }) => role === 'active' && state === 'accepting');
}

function hashOf(sites: SiteKeeper): string {
  try {
    return sites.current().hash;
  } catch (error) {
    if (error instanceof Failure) return '';
    throw error;
  }
}
