import {
  type FaultEvent,
  type FaultFacts,
  type FaultScope,
  type FaultSeries,
  type FaultSeverity,
  scopeWords,
} from '#events';
import type { Located } from './locate/locate.ts';
import type { DirectProbe, Recent, ThroughProbe } from './picture.ts';
import type { Watched } from './series.ts';

/** One fault from its first suspicion to its end. */
export interface OpenFault {
  readonly fault: string;
  readonly openedAt: number;
  startedAt: number;
  seenAt: number | null;
  /** Whoever spoke, the first one first. */
  series: Watched[];
  readonly first: { readonly series: FaultSeries; readonly scope: FaultScope };
  direct: readonly DirectProbe[];
  through: readonly ThroughProbe[];
  probedAt: number | null;
  probeAskedAt: number | null;
  /** Answers that failed, of all that were asked for. */
  failedProbes: number;
  located: Located | null;
  /** What was told last: nothing is told twice. */
  told: string;
  severity: FaultSeverity;
}

export function openFault(fault: string, watched: Watched, at: number): OpenFault {
  return {
    fault,
    openedAt: at,
    startedAt: watched.beganAt ?? at,
    seenAt: null,
    series: [watched],
    first: { series: watched.series, scope: watched.scope },
    direct: [],
    through: [],
    probedAt: null,
    probeAskedAt: null,
    failedProbes: 0,
    located: null,
    told: '',
    severity: 'warning',
  };
}

/** What nobody looks at any more would be alarmed for ever: it is over, and its words stay. */
export function leaveBehind(fault: OpenFault, watched: ReadonlySet<Watched>): void {
  fault.series = fault.series.map((one) =>
    watched.has(one) || one.stated ? one : { ...one, alarmed: false, score: 0, beganAt: null },
  );
}

/** Alarms that come so near to each other are one fault until something tells them apart. */
const joinMs = 1_000;

/** Whether what speaks now is of this fault: its pool, one that it was found in, or the balancers' sum of them. */
export function belongs(fault: OpenFault, watched: Watched, at: number): boolean {
  if (fault.series.includes(watched)) return true;
  if (at - fault.openedAt <= joinMs) return true;
  if (watched.pool === null) return true;
  const pools = fault.series.flatMap(({ pool }) => (pool === null ? [] : [pool]));
  const found = (fault.located?.verdict.culprits ?? []).flatMap((scope) =>
    'pool' in scope ? [scope.pool] : [],
  );
  return pools.length === 0 || [...pools, ...found].includes(watched.pool);
}

const seriousShare = 0.05;

export function severityOf(fault: OpenFault, recent: Recent): FaultSeverity {
  const { requests, errors } = recent.users(fault.startedAt);
  const series = fault.series.filter(({ alarmed }) => alarmed).map((one) => one.series);
  const isCritical = fault.series.some(({ alarmed, stated }) => alarmed && stated?.severity === 'critical');
  const unanswered = isCritical || series.includes('hung') || fault.through.some(({ ok }) => !ok);
  if (unanswered || (errors > 0 && errors >= seriousShare * requests)) return 'critical';
  if (errors > 0 || series.includes('traffic') || series.includes('silence') || series.includes('latency'))
    return 'error';
  return 'warning';
}

/** One line for people: what visitors get. */
export function usersSee(fault: OpenFault, recent: Recent): string {
  const { requests, errors } = recent.users(fault.startedAt);
  const series = fault.series.map((one) => one.series);
  const failed = fault.through.filter(({ ok }) => !ok);
  if (errors > 0) return `${errors} of ${requests} requests were answered with an error so far`;
  if (series.includes('hung')) return 'requests get no answer';
  if (failed[0]) return `${failed[0].request} by ${failed[0].balancer} gets: ${failed[0].answered}`;
  const stated = fault.series.find((one) => one.stated?.severity === 'critical')?.stated;
  if (stated) return stated.usersSee;
  const shift = fault.series.find((one) => one.series === 'latency');
  if (shift) return shift.words();
  if (series.includes('traffic')) return 'nobody comes through: requests stopped coming';
  if (series.includes('retries') || series.includes('connectionErrors'))
    return 'nothing yet: requests are tried again on other servers';
  return 'nothing yet';
}

export function factsOf(fault: OpenFault): FaultFacts {
  const { first, startedAt, severity } = fault;
  return {
    fault: fault.fault,
    series: first.series,
    scope: first.scope,
    severity,
    startedAt,
    evidence: fault.series.map((one) => `${scopeWords(one.scope)}: ${one.words()}`).slice(0, 20),
  };
}

export function seenEvent(fault: OpenFault, recent: Recent, falseAlarmsPerMonth: number): FaultEvent {
  return { kind: 'fault.seen', ...factsOf(fault), usersSee: usersSee(fault, recent), falseAlarmsPerMonth };
}

export function locatedEvent(fault: OpenFault, { verdict, evidence }: Located): FaultEvent {
  const facts = factsOf(fault);
  return {
    kind: 'fault.located',
    ...facts,
    evidence: [...evidence, ...facts.evidence].slice(0, 40),
    verdict,
  };
}

export function endedEvent(fault: OpenFault, at: number, recent: Recent): FaultEvent {
  const { errors } = recent.users(fault.startedAt);
  const isStated = fault.series.some(({ stated }) => stated !== undefined);
  const wasFalse =
    !isStated && fault.failedProbes === 0 && errors === 0 && !(fault.located?.verdict.certain ?? false);
  const seconds = ((at - fault.startedAt) / 1_000).toFixed(1);
  const how = wasFalse
    ? `nothing else was seen of it: a false alarm, and the threshold rises by ln 2`
    : `back to what is usual, ${seconds} s after it began`;
  return { kind: 'fault.ended', ...factsOf(fault), endedAt: at, how, wasFalse };
}
