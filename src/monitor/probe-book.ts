import { type SpikeDetector, spikeDetector, threshold } from '#detect';
import { type FaultScope, type FaultSeverity, scopeWords } from '#events';
import type { Stated } from './stated.ts';

/** One answer to one question of monitor.yaml. */
export interface ProbeResult {
  /** Its name. */
  readonly probe: string;
  readonly kind: 'http' | 'tcp' | 'tls' | 'dns' | 'servers' | 'ways';
  /** Who was asked: `https://shop.example/`, `web/web-1 from lb-1`. */
  readonly target: string;
  readonly scope: FaultScope;
  /** A balancer was asked at its own address. */
  readonly atBalancer: boolean;
  readonly at: number;
  readonly everyMs: number;
  readonly ok: boolean;
  readonly answered: string;
  readonly tookMs: number;
  /** 0: none. */
  readonly status: number;
  /** Milliseconds since 1970; null: it showed none. */
  readonly certificateValidTo: number | null;
  readonly certificateDays: number;
}

export interface ProbeBook {
  add(result: ProbeResult): void;
  /** The newest answer of each target. */
  readonly newest: readonly ProbeResult[];
  stated(now: number): readonly Stated[];
  /** Only these are asked from now on. */
  only(probes: readonly string[]): void;
}

interface Target {
  newest: ProbeResult;
  detector: SpikeDetector;
  alarmed: boolean;
  failedSince: number;
  failed: number;
  good: number;
}

/** Before a month has shown otherwise, one answer of a thousand is bad while all is well. */
const usualBadShare = 1e-3;
/** Of the whole budget; the rest is for what is counted. */
const budgetShare = 0.1;
const goodMin = 2;
const dayMs = 86_400_000;
/** Who is no more asked is forgotten after so many of its intervals. */
const forgottenAfter = 10;
const evidenceMax = 10;

/** Probes as series: how sure a failure is says the same sum as for requests, with its own part of the budget. */
export function probeBook(falseAlarmsPerMonth: () => number): ProbeBook {
  const targets = new Map<string, Target>();

  function limit(everyMs: number): number {
    const series = Math.max(1, targets.size);
    const mine = falseAlarmsPerMonth() * budgetShare;
    return threshold({ tickMs: everyMs, series, alternatives: 5, falseAlarmsPerMonth: mine });
  }
  const fresh = () => spikeDetector({ baseline: usualBadShare, threshold: Number.POSITIVE_INFINITY });

  return {
    add(result) {
      const key = `${result.probe}\n${result.target}`;
      const known = targets.get(key);
      const one: Target = known ?? {
        newest: result,
        detector: fresh(),
        alarmed: false,
        failedSince: 0,
        failed: 0,
        good: 0,
      };
      targets.set(key, one);
      one.newest = result;
      if (result.ok) {
        one.good += 1;
        if (one.good >= goodMin) one.failed = 0;
      } else {
        if (one.failed === 0) one.failedSince = result.at;
        one.failed += 1;
        one.good = 0;
      }
      const { score } = one.detector.tick(1, result.ok ? 0 : 1);
      if (one.alarmed && one.good >= goodMin) {
        one.alarmed = false;
        one.detector = fresh();
      } else if (!result.ok && score >= limit(result.everyMs)) one.alarmed = true;
    },
    get newest() {
      return [...targets.values()].map(({ newest }) => newest);
    },
    only(probes) {
      for (const [key, { newest }] of targets) if (!probes.includes(newest.probe)) targets.delete(key);
    },
    stated(now) {
      for (const [key, { newest }] of targets)
        if (now - newest.at > forgottenAfter * newest.everyMs + 60_000) targets.delete(key);
      const all = [...targets.values()];
      return [
        ...all.flatMap((one) => (one.alarmed ? [failing(one, all)] : [])),
        ...ending(
          all.map(({ newest }) => newest),
          now,
        ),
      ];
    },
  };
}

function failing({ newest, failed, failedSince }: Target, all: readonly Target[]): Stated {
  const { probe, kind, target, scope, answered, atBalancer } = newest;
  const others = all.map((one) => one.newest).filter((one) => one !== newest);
  const balancers = others.filter((one) => one.atBalancer);
  const isInFront = !atBalancer && kind === 'http' && balancers.length > 0 && balancers.every(({ ok }) => ok);
  const since = new Date(failedSince).toISOString().slice(11, 19);
  const usersSee =
    kind === 'dns' ? `the name ${target} does not lead to the site` : `${target} gets: ${answered}`;
  const where = isInFront
    ? '; every balancer answers when it is asked itself: the fault is in front of them (names, addresses, network)'
    : '';
  const said = `probe ${probe} has asked ${target} ${failed} times since ${since} UTC and got: ${answered}${where}`;
  return {
    key: `probe ${probe} ${target}`,
    series: 'probes',
    scope,
    severity: kind === 'servers' ? 'warning' : 'critical',
    usersSee: kind === 'servers' ? 'nothing yet, as far as this tells' : usersSee,
    evidence: [
      said,
      ...others.map((one) => `probe ${one.probe}, ${one.target}: ${one.answered}`).slice(0, evidenceMax),
    ],
    verdict: {
      sentence: said,
      culprits: [scope],
      certain: isInFront || kind === 'dns' || kind === 'servers',
      change: null,
      place: null,
      advice: adviceOf(newest, isInFront),
    },
    // What is counted tells of the same with more; names, ports and certificates nobody counts.
    isSymptom: kind === 'http' || kind === 'servers' || kind === 'ways',
  };
}

function adviceOf({ kind, target, scope }: ProbeResult, isInFront: boolean): string {
  if (kind === 'dns') return `look at the zone and the name servers of ${target}`;
  if (isInFront) return "look at the site's names (DNS), addresses and network from outside";
  return `look at ${scopeWords(scope)}: \`holdfast status\`, \`holdfast watch\``;
}

/** One for each place that shows a certificate. */
function ending(results: readonly ProbeResult[], now: number): Stated[] {
  const places = new Map<string, ProbeResult & { readonly certificateValidTo: number }>();
  for (const one of results) {
    const { certificateValidTo } = one;
    if (certificateValidTo === null || certificateValidTo - now > one.certificateDays * dayMs) continue;
    const known = places.get(one.target);
    if (!known || certificateValidTo < known.certificateValidTo)
      places.set(one.target, { ...one, certificateValidTo });
  }
  return [...places.values()].map(({ probe, target, certificateValidTo }) => {
    const day = new Date(certificateValidTo).toISOString().slice(0, 10);
    const days = Math.floor((certificateValidTo - now) / dayMs);
    const isOver = certificateValidTo <= now;
    const severity: FaultSeverity = isOver ? 'critical' : days < 3 ? 'error' : 'warning';
    const left = isOver ? `is over since ${day}` : `ends on ${day}, in ${days} days`;
    const sentence = `the certificate that ${target} shows ${left}`;
    const scope: FaultScope = { kind: 'certificate', file: target };
    return {
      key: `certificate ${target}`,
      series: 'certificate' as const,
      scope,
      severity,
      usersSee: isOver ? `clients refuse ${target}: its certificate is over` : 'nothing yet',
      evidence: [`probe ${probe}: ${sentence}`],
      verdict: {
        sentence,
        culprits: [scope],
        certain: true,
        change: null,
        place: null,
        advice: 'renew it; a good file is taken by itself',
      },
      isSymptom: false,
    };
  });
}
