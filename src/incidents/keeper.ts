import { type Clock, type Log, messageOf, silentLog } from '#base';
import { type Event, type Journal, scopeWords } from '#events';
import type { Act } from './acts.ts';
import type { SeenFault } from './faults.ts';
import { actDoneAt, figuresOf } from './figures.ts';
import { type Beginning, balancersOf, changeOf, createLedger, type OpenedIncident } from './ledger.ts';
import { counted, duration, listed } from './words.ts';

export interface IncidentKeeper {
  /** Ends after what is being written now; a later keeper goes on from the journal. */
  stop(): Promise<void>;
}

const retryMs = 1_000;
const entriesAtOnceMax = 1_000;

/**
 * Opens and resolves incidents as the journal grows. It knows nothing but the journal, so it may be ended and begun
 * again at any moment: what was opened is not opened twice, what was missed is made up for.
 */
export function incidentKeeper(options: {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log?: Log;
  /** How long there must be no bad evidence before an incident counts as resolved. */
  readonly quietMs?: number;
  /** The same for an incident that nobody but customers saw. */
  readonly silentMs?: number;
}): IncidentKeeper {
  const { journal, clock, log = silentLog, quietMs = 10_000, silentMs = 30 * 60_000 } = options;
  const ledger = createLedger();
  let read = 0;
  let stopped = false;
  let wake = new AbortController();
  const unfollow = journal.follow(() => wake.abort());

  function catchUp(): void {
    for (;;) {
      const entries = journal.entries(read, entriesAtOnceMax);
      for (const entry of entries) ledger.add(entry);
      read = entries.at(-1)?.sequence ?? read;
      if (entries.length < entriesAtOnceMax) return;
    }
  }

  /** The next thing to journal, or how long there is nothing to do. */
  function next(): Event | number {
    const [first] = ledger.pending();
    if (first) return opening(first, ledger.pending(), nextId(ledger.incidents));
    const waits = ledger.incidents
      .filter((incident) => incident.resolved === null)
      .map((incident) => resolution(incident, clock.now(), { quietMs, silentMs }));
    return (
      waits.find((w) => typeof w !== 'number') ??
      Math.min(Number.POSITIVE_INFINITY, ...waits.filter((w) => typeof w === 'number'))
    );
  }

  async function work(): Promise<void> {
    while (!stopped) {
      wake = new AbortController();
      let waitMs = retryMs;
      try {
        catchUp();
        const todo = next();
        if (typeof todo !== 'number') {
          await journal.append('controller', todo);
          continue;
        }
        waitMs = todo;
      } catch (error) {
        log.warn('an incident could not be journalled', { why: messageOf(error) });
      }
      await pause(clock, waitMs, wake.signal);
    }
  }

  const working = work();
  return {
    async stop() {
      stopped = true;
      unfollow();
      wake.abort();
      await working;
    },
  };
}

/** Until the time is over, or something woke it. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  if (Number.isFinite(ms)) return clock.sleep(ms, signal).catch(() => {});
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function nextId(incidents: readonly OpenedIncident[]): string {
  const numbers = incidents.map(({ id }) => Number(/^inc-(\d+)$/.exec(id)?.[1] ?? 0));
  return `inc-${Math.max(0, ...numbers) + 1}`;
}

function opening(first: Beginning, pending: readonly Beginning[], incident: string): Event {
  const change = changeOf(first);
  const same = pending.filter((other) => other !== first && change !== null && changeOf(other) === change);
  const balancers = [...new Set([first, ...same].flatMap(balancersIn))].toSorted();
  return { kind: 'incident.opened', incident, title: titleOf(first, balancers), change, balancers };
}

function balancersIn(beginning: Beginning): readonly string[] {
  if (beginning.kind === 'act') return [beginning.act.balancer];
  if (beginning.kind === 'reports') return [];
  const { scope } = beginning.fault.facts;
  return 'balancer' in scope ? [scope.balancer] : [];
}

function titleOf(beginning: Beginning, balancers: readonly string[]): string {
  switch (beginning.kind) {
    case 'act':
      return actTitle(beginning.act, balancers);
    case 'fault':
      return faultTitle(beginning.fault);
    case 'reports':
      return `${counted(beginning.count, 'customer')} reported trouble, and nothing else has seen any`;
  }
}

function faultTitle({ usersSee, verdict, facts }: SeenFault): string {
  return verdict?.sentence ?? (usersSee === '' ? `Trouble with ${scopeWords(facts.scope)}` : usersSee);
}

function actTitle({ what, change, balancer }: Act, balancers: readonly string[]): string {
  if (what.kind === 'engineDied') return `The ${what.role} engine of ${balancer} died`;
  if (what.kind === 'carried')
    return `${what.instead} does not serve ${balancer}; ${what.by} carries the site`;
  const taken = change === null ? 'The configuration' : `Change ${change}`;
  return `${taken} was taken back from ${listed(balancers)}: ${what.takeBack.reason}`;
}

interface Patience {
  readonly quietMs: number;
  readonly silentMs: number;
}

/** The event when it is proven restored, else in how many milliseconds it can be at the earliest. */
function resolution(incident: OpenedIncident, now: number, patience: Patience): Event | number {
  if (incident.acts.length + incident.faults.length === 0) return silence(incident, now, patience.silentMs);
  const { restoredAt } = figuresOf(incident);
  if (restoredAt === null || stillCarried(incident)) return Number.POSITIVE_INFINITY;
  const balancers = balancersOf(incident);
  const since = new Map<string, number>();
  for (const sign of incident.facts.signs) {
    if (balancers.has(sign.balancer) && sign.at > restoredAt)
      since.set(`${sign.balancer} ${sign.series}`, sign.bad ? Number.POSITIVE_INFINITY : sign.at);
  }
  const quietSince = Math.max(restoredAt, ...since.values());
  const onlyDeaths =
    incident.faults.length === 0 && incident.acts.every((act) => act.what.kind !== 'tookBack');
  const needed = onlyDeaths ? 0 : patience.quietMs;
  const dueMs = quietSince + needed - now;
  if (dueMs > 0) return dueMs;
  const how = howResolved(incident, onlyDeaths, now - quietSince);
  return { kind: 'incident.resolved', incident: incident.id, how };
}

/** Nothing but customers saw it, so nothing but their silence can end it. */
function silence({ id, reports, openedAt }: OpenedIncident, now: number, silentMs: number): Event | number {
  const silentFor = now - (reports.at(-1)?.at ?? openedAt);
  if (silentFor < silentMs) return silentMs - silentFor;
  const how = `no customer has reported anything for ${duration(silentFor)}, and nothing else was seen`;
  return { kind: 'incident.resolved', incident: id, how };
}

/** Another engine still carries a balancer: it serves, and it is not over. */
function stillCarried({ acts, facts }: OpenedIncident): boolean {
  return acts.some(
    ({ what, at, balancer }) =>
      what.kind === 'carried' && !facts.returns.some((r) => r.balancer === balancer && r.at >= at),
  );
}

function howResolved(incident: OpenedIncident, onlyDeaths: boolean, quietForMs: number): string {
  const names = listed([...balancersOf(incident)].toSorted());
  const fault = incident.faults.findLast(({ ended }) => ended !== null);
  if (fault?.ended && incident.acts.length === 0)
    return `${fault.ended.how}, and nothing bad was seen for ${duration(quietForMs)} since`;
  if (!onlyDeaths) {
    return `${names} served what was last good for ${duration(quietForMs)} without a bad sign`;
  }
  const last = incident.acts.at(-1);
  const back = incident.facts.returns.findLast((r) => r.balancer === last?.balancer && r.at >= last.at);
  if (last?.what.kind === 'carried' && back) return `${last.balancer} is back on ${back.by}`;
  const doneAt = last ? actDoneAt(last, incident) : null;
  const tookOver = last?.what.kind === 'engineDied' ? last.what.takenOverBy : null;
  if (last && doneAt !== null && tookOver !== null) {
    return `generation ${tookOver} took over on ${last.balancer} after ${duration(doneAt - last.at)}`;
  }
  return `${names} ${balancersOf(incident).size === 1 ? 'serves' : 'serve'} again`;
}
