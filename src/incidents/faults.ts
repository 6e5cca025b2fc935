import type { Event, FaultFacts, FaultVerdict } from '#events';

/** What the monitor saw, from its alarm on. */
export interface SeenFault {
  readonly facts: FaultFacts;
  readonly seenAt: number;
  readonly usersSee: string;
  /** The newest. */
  verdict: FaultVerdict | null;
  ended: { readonly at: number; readonly how: string; readonly wasFalse: boolean } | null;
}

/** Takes one event in: the fault when it was seen just now, else null; what is told later of one goes to it in `known`. */
export function readFault(event: Event, at: number, known: Map<string, SeenFault>): SeenFault | null {
  switch (event.kind) {
    case 'fault.seen': {
      if (known.has(event.fault)) return null;
      const { fault, series, scope, startedAt, evidence, usersSee } = event;
      const facts: FaultFacts = { fault, series, scope, startedAt, evidence };
      const fresh: SeenFault = { facts, seenAt: at, usersSee, verdict: null, ended: null };
      known.set(fault, fresh);
      return fresh;
    }
    case 'fault.located': {
      const fault = known.get(event.fault);
      if (fault) fault.verdict = event.verdict;
      return null;
    }
    case 'fault.ended': {
      const fault = known.get(event.fault);
      if (fault) fault.ended = { at: event.endedAt, how: event.how, wasFalse: event.wasFalse };
      return null;
    }
    default:
      return null;
  }
}
