import type { Silence } from '#events';
import type { Alerts, BookEntry, FiringAlert, ResolvedAlert } from './book.ts';
import { keep } from './keep.ts';

const resolvedMax = 500;

/** The part of the book that has alerts and silences. */
export function alertPart(): {
  readonly view: Alerts;
  add(entry: BookEntry, seenAt: number): void;
} {
  const firing = new Map<string, FiringAlert>();
  const resolved: ResolvedAlert[] = [];
  const silences = new Map<string, Silence>();
  let dropped = 0;
  return {
    view: {
      firing,
      resolved,
      silences,
      get dropped() {
        return dropped;
      },
    },
    add({ event, at }, seenAt) {
      switch (event.kind) {
        case 'alert.fired': {
          const { fingerprint, alert } = event;
          const firedAt = firing.get(fingerprint)?.firedAt ?? seenAt;
          firing.set(fingerprint, { fingerprint, alert, firedAt, updatedAt: at });
          return;
        }
        case 'alert.resolved': {
          const known = firing.get(event.fingerprint);
          firing.delete(event.fingerprint);
          if (known) keep(resolved, { ...known, resolvedAt: at, how: event.how }, resolvedMax);
          return;
        }
        case 'silence.made':
          silences.set(event.silence.id, event.silence);
          return;
        case 'silence.ended':
          silences.delete(event.silence);
          return;
        case 'alert.dropped':
          dropped = event.count === 0 ? 0 : dropped + event.count;
          return;
        default:
          return;
      }
    },
  };
}
