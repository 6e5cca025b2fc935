import { type Alert, fingerprintOf } from '#events';
import type { Now } from './core/decide.ts';
import type { AlertLedger } from './ledger.ts';

/** An alert as another system hands it in; `resolved`: it says that it is over. */
export interface IncomingAlert {
  readonly alert: Alert;
  readonly resolved: boolean;
}

/** How many of them were taken in, and how many were too many. */
export interface Taken {
  readonly taken: number;
  readonly dropped: number;
}

export interface Intake {
  take(alerts: readonly IncomingAlert[], by: string): Promise<Taken>;
  /** Steady: when an alert from outside is over unless it comes again. */
  expiresAt(fingerprint: string): number;
  /** Tells what was left out, now and then; milliseconds until there may be more to tell. */
  tellDropped(): Promise<number>;
}

/** Different ones that fire at once. */
export const firingMax = 2_000;
/** New ones a second, and how many more may come at once. */
const freshASecond = 100;
const freshAtOnce = 500;
const resolveTimeoutMs = 5 * 60_000;
const toldEveryMs = 60_000;

/**
 * The door for alerts from outside. What fires already costs no entry however often it comes; what is new is counted, so
 * that a flood fills neither the journal nor anybody's night.
 */
export function intake(ledger: AlertLedger, time: () => Now): Intake {
  const { book } = ledger;
  const expiry = new Map<string, number>();
  const startedAt = time().steady;
  let allowance = freshAtOnce;
  let refilledAt = startedAt;
  let dropped = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  let lastDropAt = Number.NEGATIVE_INFINITY;

  function mayEnter(steady: number): boolean {
    allowance = Math.min(freshAtOnce, allowance + ((steady - refilledAt) / 1_000) * freshASecond);
    refilledAt = steady;
    if (allowance < 1 || book.firing.size >= firingMax) return false;
    allowance -= 1;
    return true;
  }

  async function takeOne({ alert, resolved }: IncomingAlert, by: string): Promise<boolean> {
    const { wall, steady } = time();
    const fingerprint = fingerprintOf(alert.labels);
    // Our own, come back from an Alertmanager that we told of it.
    if (book.sources.isOwn(fingerprint)) return true;
    if (resolved) {
      expiry.delete(fingerprint);
      if (book.firing.has(fingerprint))
        await ledger.append(by, { kind: 'alert.resolved', fingerprint, how: 'its sender says so' });
      return true;
    }
    const isKnown = book.firing.has(fingerprint) || expiry.has(fingerprint);
    if (!isKnown && !mayEnter(steady)) return false;
    expiry.set(fingerprint, steady + (alert.endsAt === null ? resolveTimeoutMs : alert.endsAt - wall));
    if (!isKnown)
      await ledger.append(by, { kind: 'alert.fired', fingerprint, alert: { ...alert, endsAt: null } });
    return true;
  }

  return {
    async take(alerts, by) {
      const taken = await Promise.all(alerts.map((alert) => takeOne(alert, by)));
      const left = taken.filter((one) => !one).length;
      dropped += left;
      if (left > 0) lastDropAt = time().steady;
      return { taken: taken.length - left, dropped: left };
    },
    // A sender gets its whole time again after a restart: it may not have come by yet.
    expiresAt(fingerprint) {
      return expiry.get(fingerprint) ?? startedAt + resolveTimeoutMs;
    },
    async tellDropped() {
      const { steady } = time();
      for (const [fingerprint, at] of expiry)
        if (at <= steady && !book.firing.has(fingerprint)) expiry.delete(fingerprint);
      const dueAt = dropped > 0 ? toldAt + toldEveryMs : lastDropAt + toldEveryMs;
      const isTold = dropped === 0 && book.dropped === 0;
      if (isTold) return Number.POSITIVE_INFINITY;
      if (dueAt > steady) return dueAt - steady;
      const count = dropped;
      dropped = 0;
      toldAt = steady;
      const why =
        count > 0
          ? `more than ${freshASecond} new ones a second, or ${firingMax} at once`
          : 'all are taken again';
      await ledger.append('controller', { kind: 'alert.dropped', count, why });
      return toldEveryMs;
    },
  };
}
