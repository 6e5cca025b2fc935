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
    case 'fault.seen':
      return begun(event, { at, usersSee: event.usersSee, verdict: null }, known);
    case 'fault.located': {
      const fault = known.get(event.fault);
      if (!fault)
        return begun(event, { at, usersSee: event.verdict.sentence, verdict: event.verdict }, known);
      fault.verdict = event.verdict;
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

/** What nobody notices yet (`warning`) is no incident; it is one as soon as somebody does. */
function begun(
  { fault, series, scope, severity, startedAt, evidence }: FaultFacts,
  { at, usersSee, verdict }: { at: number; usersSee: string; verdict: FaultVerdict | null },
  known: Map<string, SeenFault>,
): SeenFault | null {
  if (known.has(fault) || severity === 'warning') return null;
  const facts: FaultFacts = { fault, series, scope, severity, startedAt, evidence };
  const fresh: SeenFault = { facts, seenAt: at, usersSee, verdict, ended: null };
  known.set(fault, fresh);
  return fresh;
}
