import type { FaultEvent, FaultFacts, FaultScope, FaultSeries, FaultSeverity, FaultVerdict } from '#events';

/** Something that is simply so, and says itself what it is: no detector doubts it, nothing is left to locate. */
export interface Stated {
  /** The same for as long as it is the same. */
  readonly key: string;
  readonly series: FaultSeries;
  readonly scope: FaultScope;
  readonly severity: FaultSeverity;
  readonly usersSee: string;
  readonly evidence: readonly string[];
  readonly verdict: FaultVerdict;
  /** It comes of whatever else is at fault: while that is told, this is not. */
  readonly isSymptom: boolean;
}

export interface OpenStated {
  readonly fault: string;
  readonly startedAt: number;
  readonly stated: Stated;
}

export interface StatedBook {
  readonly open: readonly OpenStated[];
  /** All that is so now; what is no more has ended. */
  state(now: number, all: readonly Stated[], around: Around): readonly FaultEvent[];
}

interface Around {
  /** No other fault is told, nor was just now. */
  readonly isQuiet: boolean;
  readonly falseAlarmsPerMonth: number;
  newName(): string;
}

export function statedBook(): StatedBook {
  let open: readonly OpenStated[] = [];
  return {
    get open() {
      return open;
    },
    state(now, all, { isQuiet, falseAlarmsPerMonth, newName }) {
      const events: FaultEvent[] = [];
      const stay: OpenStated[] = [];
      for (const one of open) {
        const is = all.find(({ key }) => key === one.stated.key);
        if (is) {
          const next = { ...one, stated: is };
          if (is.severity !== one.stated.severity) events.push(locatedOf(next));
          stay.push(next);
        } else events.push(endedOf(one, now));
      }
      for (const stated of all) {
        if (stay.some((one) => one.stated.key === stated.key) || (stated.isSymptom && !isQuiet)) continue;
        const one = { fault: newName(), startedAt: now, stated };
        stay.push(one);
        const { usersSee } = stated;
        events.push({ kind: 'fault.seen', ...factsOf(one), usersSee, falseAlarmsPerMonth }, locatedOf(one));
      }
      open = stay;
      return events;
    },
  };
}

function factsOf({ fault, startedAt, stated }: OpenStated): FaultFacts {
  const { series, scope, severity, evidence } = stated;
  return { fault, series, scope, severity, startedAt, evidence };
}

function locatedOf(one: OpenStated): FaultEvent {
  return { kind: 'fault.located', ...factsOf(one), verdict: one.stated.verdict };
}

function endedOf(one: OpenStated, now: number): FaultEvent {
  const seconds = ((now - one.startedAt) / 1_000).toFixed(1);
  const how = `it is so no more, ${seconds} s after it was seen`;
  return { kind: 'fault.ended', ...factsOf(one), endedAt: now, how, wasFalse: false };
}
