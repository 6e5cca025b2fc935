import { type Clock, type Log, messageOf } from '#base';
import type { Event, Journal } from '#events';
import type { FiringAlert } from './core/book.ts';
import { watchdogAlert } from './desk.ts';
import type { AlertKeeper } from './keeper.ts';
import { deliveryOf, type NotifierPorts } from './notifiers/notifier.ts';
import { pagerdutyChange } from './notifiers/pagerduty.ts';
import type { OnCall } from './settings.ts';

export interface BeaconParts {
  readonly site: string;
  readonly journal: Journal;
  readonly keeper: AlertKeeper;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => OnCall | null;
  readonly ports: (settings: OnCall) => NotifierPorts;
}

const lookEveryMs = 500;
const answerMsMax = 10_000;
/** Nobody says that all is well for a keeper that has not gone round for so long. */
const idleMsMax = 30_000;
/** So long the end of an alert is told: an Alertmanager that was away hears of it. */
const resolvedToldMs = 5 * 60_000;
const changeTries = 5;
const changesWaitingMax = 100;

/**
 * What is told over and over, and needs no journal: every firing alert to Alertmanagers, the heartbeat of the dead man's
 * switch. And changes, told to PagerDuty as far as it is there: nobody is woken by those. Returns what ends it.
 */
export function startBeacons(parts: BeaconParts): () => Promise<void> {
  const ending = new AbortController();
  const works = [everySoOften(parts, ending.signal), tellChanges(parts, ending.signal)];
  return async () => {
    ending.abort();
    await Promise.all(works);
  };
}

async function everySoOften(parts: BeaconParts, ending: AbortSignal): Promise<void> {
  const { clock, keeper, settings } = parts;
  const beganAt = clock.now();
  const told = new Map<string, { at: number; what: string; busy: boolean }>();
  let beatAt = Number.NEGATIVE_INFINITY;
  let beating = false;
  while (!ending.aborted) {
    const now = clock.monotonicMs();
    const known = settings();
    for (const { url, resendMs } of known?.alertmanagers ?? []) {
      const last = told.get(url) ?? { at: Number.NEGATIVE_INFINITY, what: '', busy: false };
      told.set(url, last);
      const what = [...keeper.ledger.book.firing.keys()].join();
      if (last.busy || (last.what === what && now - last.at < resendMs)) continue;
      Object.assign(last, { at: now, busy: true });
      void tellAlertmanager(parts, url, resendMs, beganAt, ending).then((ok) => {
        last.busy = false;
        if (ok) last.what = what;
      });
    }
    const every = known?.watchdog?.everyMs ?? 0;
    if (known?.watchdog && !beating && now - beatAt >= every && keeper.idleMs() < idleMsMax) {
      beatAt = now;
      beating = true;
      const body = JSON.stringify({
        site: parts.site,
        at: new Date(clock.now()).toISOString(),
        firing: keeper.ledger.book.firing.size,
      });
      void tell(parts, known, known.watchdog.url, body, ending).then(() => {
        beating = false;
      });
    }
    await clock.sleep(lookEveryMs, ending).catch(() => {});
  }
}

async function tellAlertmanager(
  parts: BeaconParts,
  url: string,
  resendMs: number,
  beganAt: number,
  ending: AbortSignal,
): Promise<boolean> {
  const { keeper, clock, settings, site } = parts;
  const known = settings();
  if (!known) return false;
  const now = clock.now();
  const { firing, resolved } = keeper.ledger.book;
  // Where we die, they end there by themselves.
  const goodUntil = now + 4 * resendMs;
  const body = [
    outgoing(watchdogAlert(site, beganAt), goodUntil),
    ...[...firing.values()].map(({ alert }) => outgoing(alert, goodUntil)),
    ...resolved
      .filter((one) => now - one.resolvedAt < resolvedToldMs && !firing.has(one.fingerprint))
      .map(({ alert, resolvedAt }) => outgoing(alert, resolvedAt)),
  ];
  return tell(parts, known, `${url.replace(/\/+$/, '')}/api/v2/alerts`, JSON.stringify(body), ending);
}

function outgoing({ labels, annotations, startsAt, generatorURL }: FiringAlert['alert'], endsAt: number) {
  return {
    labels,
    annotations,
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(endsAt).toISOString(),
    ...(generatorURL === '' ? {} : { generatorURL }),
  };
}

async function tell(
  { ports, log }: BeaconParts,
  settings: OnCall,
  url: string,
  body: string,
  ending: AbortSignal,
): Promise<boolean> {
  const signal = AbortSignal.any([ending, AbortSignal.timeout(answerMsMax)]);
  const { host } = new URL(url);
  try {
    const headers = { 'content-type': 'application/json' };
    const outcome = deliveryOf(await ports(settings).post({ url, headers, body }, signal));
    if (outcome.kind === 'failed') log.warn('it was not told', { host, why: outcome.why });
    return outcome.kind === 'sent';
  } catch (error) {
    if (!ending.aborted) log.warn('it was not told', { host, why: messageOf(error) });
    return false;
  }
}

async function tellChanges(parts: BeaconParts, ending: AbortSignal): Promise<void> {
  const { journal, clock } = parts;
  const waiting: { readonly event: Event & { kind: 'change.state' }; readonly at: number }[] = [];
  let waker = new AbortController();
  const unfollow = journal.follow(({ event, at }) => {
    if (event.kind !== 'change.state' || !['promoted', 'rolled back'].includes(event.state)) return;
    if (waiting.length < changesWaitingMax) waiting.push({ event, at });
    waker.abort();
  });
  while (!ending.aborted) {
    waker = new AbortController();
    for (const { event, at } of waiting.splice(0)) await tellChange(parts, event, at, ending);
    await clock.sleep(60_000, AbortSignal.any([ending, waker.signal])).catch(() => {});
  }
  unfollow();
}

async function tellChange(
  { settings, ports, site, clock, log }: BeaconParts,
  { change, state, why }: Event & { kind: 'change.state' },
  at: number,
  ending: AbortSignal,
): Promise<void> {
  const known = settings();
  for (const { name, how } of known?.notifiers ?? []) {
    if (!known || how.kind !== 'pagerduty' || !how.changes) continue;
    const send = pagerdutyChange(how, ports(known));
    for (let attempt = 1; attempt <= changeTries && !ending.aborted; attempt += 1) {
      const signal = AbortSignal.any([ending, AbortSignal.timeout(answerMsMax)]);
      const outcome = await send(
        { summary: `Change ${change} ${state}`, site, at, details: { change, state, why } },
        signal,
      ).catch((error: unknown) => ({ kind: 'failed' as const, why: messageOf(error), final: false }));
      if (outcome.kind === 'sent' || outcome.final) break;
      log.warn('a change was not told', { notifier: name, why: outcome.why });
      await clock.sleep(1_000 * 2 ** attempt, ending).catch(() => {});
    }
  }
}
