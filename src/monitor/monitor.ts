import { type Budget, budget, type HistoryTick } from '#detect';
import { type FaultEvent, type JournalEntry, scopeWords, type Tick } from '#events';
import type { Site } from '#model';
import { type BalancerWatch, balancerWatch, seriesCount, type Turned } from './balancer-watch.ts';
import { changeBook } from './change-book.ts';
import {
  belongs,
  endedEvent,
  factsOf,
  leaveBehind,
  locatedEvent,
  type OpenFault,
  openFault,
  seenEvent,
  severityOf,
} from './faults.ts';
import { locate } from './locate/locate.ts';
import { type DirectProbe, recentTicks, type ThroughProbe } from './picture.ts';
import type { Watched } from './series.ts';
import { type OpenStated, type Stated, type StatedBook, statedBook } from './stated.ts';
import { isLocated, symptomBook } from './symptoms.ts';

export interface MonitorPlan {
  readonly site: Site;
  readonly falseAlarmsPerMonth: number;
  readonly tickMs: number;
  /** Faults get numbers above this one. */
  readonly lastFault: number;
  /** A threshold that the site's own history asks for. */
  readonly calibrated?: number;
  readonly falseAlarmsBefore?: number;
  /** Minutes of what was usual, by series, balancer and pool (empty: the whole balancer). */
  readonly known?: (balancer: string, series: string, pool: string) => readonly HistoryTick[];
}

export type Act =
  | { readonly kind: 'tell'; readonly event: FaultEvent }
  /** Ask every server directly and every balancer as a client, now. */
  | { readonly kind: 'probe'; readonly fault: string };

export interface Probed {
  readonly direct: readonly DirectProbe[];
  readonly through: readonly ThroughProbe[];
}

/** Suspicions come and go: only so often one is journalled. */
const tellSuspicionEveryMs = 600_000;
/** How often is asked again while it is suspected, and after it was seen. */
const suspectProbeEveryMs = 10_000;
const againAfterMs: readonly number[] = [0, 700, 2_000, 5_000];
const againEveryMs = 10_000;
const endingEveryMs = 2_000;
/** Half of the evidence and two answers that fail are as good as all of it. */
const failedProbesMin = 2;

/** A symptom that outlives its fault by so long is one of its own. */
const symptomAfterMs = 330_000;
const suspectedMsMax = 60_000;
const unheardLookMs = 1_000;

/** Detection and localisation as a value: ticks, probes and journal entries in, acts out. No clock, no I/O. */
export class Monitor {
  #plan: MonitorPlan;
  readonly #recent = recentTicks();
  readonly #changes = changeBook();
  #faults: OpenFault[] = [];
  #site: Site;
  #number: number;
  #suspicionToldAt = Number.NEGATIVE_INFINITY;
  #suspicionProbedAt = Number.NEGATIVE_INFINITY;
  #budget: Budget;
  #watches = new Map<string, BalancerWatch>();
  #heard = new Map<string, number>();
  readonly #stated: StatedBook;
  readonly #symptoms = symptomBook();
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(plan: MonitorPlan) {
    this.#plan = plan;
    this.#stated = statedBook();
    this.#site = plan.site;
    this.#number = plan.lastFault;
    this.#budget = this.#begin(plan.site, plan.falseAlarmsBefore ?? 0);
  }

  /** The site that runs is another one now. */
  siteIs(site: Site): void {
    this.#budget = this.#begin(site, this.#budget.falseAlarms);
    const watched = new Set([...this.#watches.values()].flatMap(({ series }) => series));
    for (const fault of this.#faults) leaveBehind(fault, watched);
  }

  /** Of the whole site, from now on. */
  budgetIs(falseAlarmsPerMonth: number): void {
    if (falseAlarmsPerMonth === this.#plan.falseAlarmsPerMonth) return;
    this.#plan = { ...this.#plan, falseAlarmsPerMonth };
    this.#budget = this.#begin(this.#site, this.#budget.falseAlarms);
  }

  /** The least that any threshold is: what the site's own past asks for. */
  calibratedTo(calibrated: number): void {
    this.#plan = { ...this.#plan, calibrated };
    this.#budget = this.#newBudget(this.#site, this.#budget.falseAlarms);
  }

  /** Faults that are suspected or seen and not over. */
  get open(): readonly OpenFault[] {
    return this.#faults;
  }

  /** What is simply so, and not over. */
  get stated(): readonly OpenStated[] {
    return this.#stated.open;
  }

  /** All that is simply so now: what is new is told, what is missing has ended. Symptoms are located with all that is counted. */
  state(now: number, said: readonly Stated[]): readonly Act[] {
    const acts = this.#symptoms.are(now, said).flatMap((one) => this.#raise(one, true, now));
    const all = said.filter((one) => !isLocated(one));
    if (this.#faults.some(({ seenAt }) => seenAt !== null)) this.#toldAt = now;
    const isQuiet = now - this.#toldAt >= symptomAfterMs;
    const { falseAlarmsPerMonth } = this.#plan;
    const events = this.#stated.state(now, all, {
      isQuiet,
      falseAlarmsPerMonth,
      newName: () => this.#newName(),
    });
    return [...acts, ...events.map((event) => ({ kind: 'tell', event }) as const)];
  }

  get falseAlarms(): number {
    return this.#budget.falseAlarms;
  }

  tick(tick: Tick): readonly Act[] {
    this.#recent.add(tick);
    this.#heard.set(tick.balancer, tick.at);
    const watch = this.#watches.get(tick.balancer);
    if (!watch) return [];
    const turns = watch.tick(tick, this.#budget, this.#changes.sinceMs(tick.at));
    return turns.flatMap((one) => this.#turn(one, tick.at));
  }

  /** A few times a second, also when no tick comes: then that is what there is to see. */
  look(now: number): readonly Act[] {
    const unheard = [...this.#heard].flatMap(([balancer, at]) =>
      now - at < unheardLookMs ? [] : (this.#watches.get(balancer)?.unheard(now, now - at) ?? []),
    );
    return [...unheard.flatMap((one) => this.#turn(one, now)), ...this.#settle(now), ...this.#askAgain(now)];
  }

  /** What servers and balancers answered when `probe` asked for it. */
  probed(name: string, { direct, through }: Probed, now: number): readonly Act[] {
    const fault = this.#faults.find((one) => one.fault === name);
    if (!fault) return [];
    Object.assign(fault, { ...this.#withoutKnown(fault, { direct, through }), probedAt: now });
    const failed = failedOf(fault);
    fault.failedProbes += failed;
    if (fault.seenAt !== null) return this.#place(fault, now);
    if (fault.failedProbes >= failedProbesMin) return this.#see(fault, now);
    // One answer may be chance: the same question again tells.
    return failed > 0 ? [this.#probe(fault, now)] : [];
  }

  /** What another fault has been found to be says nothing of this one. */
  #withoutKnown(fault: OpenFault, { direct, through }: Probed): Probed {
    const known = new Set(
      this.#faults.flatMap((other) =>
        other === fault ? [] : (other.located?.verdict.culprits ?? []).map(scopeWords),
      ),
    );
    const isKnown = (pool: string | null, server: string) =>
      known.has(`pool ${pool}`) || known.has(`server ${pool}/${server}`);
    return {
      direct: direct.filter(({ pool, server }) => !isKnown(pool, server)),
      through: through.filter(({ pool }) => !isKnown(pool, '')),
    };
  }

  journalled(entry: JournalEntry): void {
    this.#changes.add(entry);
  }

  #begin(site: Site, falseAlarmsBefore: number): Budget {
    const { known = () => [] } = this.#plan;
    this.#site = site;
    const pools = site.pools.map(({ name }) => name);
    const even = site.pools
      .filter(
        ({ algorithm, stickyCookie }) =>
          algorithm !== 'source' && algorithm !== 'hash' && stickyCookie === null,
      )
      .map(({ name }) => name);
    this.#watches = new Map(
      site.balancers.map(({ name: balancer }) => {
        const plan = {
          ...{ balancer, pools, even },
          known: (series: string, pool: string) => known(balancer, series, pool),
        };
        return [balancer, this.#watches.get(balancer)?.again(plan) ?? balancerWatch(plan)];
      }),
    );
    this.#heard = new Map();
    return this.#newBudget(site, falseAlarmsBefore);
  }

  #newBudget(site: Site, falseAlarmsBefore: number): Budget {
    const { falseAlarmsPerMonth, tickMs, calibrated } = this.#plan;
    return budget({
      falseAlarmsPerMonth,
      series: seriesCount(site.balancers.length, site.pools.length),
      tickMs,
      falseAlarmsBefore,
      ...(calibrated === undefined ? {} : { calibrated }),
    });
  }

  #turn({ watched, turn }: Turned, at: number): Act[] {
    if (turn === 'suspected' || turn === 'alarm') return this.#raise(watched, turn === 'alarm', at);
    return this.#settle(at);
  }

  #raise(watched: Watched, isAlarm: boolean, at: number): Act[] {
    const known = this.#faults.find((one) => belongs(one, watched, at));
    const fault = known ?? this.#newFault(watched, at);
    if (!fault.series.includes(watched)) fault.series.push(watched);
    if (fault.seenAt === null) fault.startedAt = Math.min(fault.startedAt, watched.beganAt ?? at);
    if (isAlarm && fault.seenAt === null) return this.#see(fault, at);
    return known ? [] : this.#suspect(fault, at);
  }

  #newFault(watched: Watched, at: number): OpenFault {
    const fault = openFault(this.#newName(), watched, at);
    this.#faults.push(fault);
    return fault;
  }

  #newName(): string {
    this.#number += 1;
    return `fault-${this.#number}`;
  }

  #suspect(fault: OpenFault, at: number): Act[] {
    const acts: Act[] = [];
    if (at - this.#suspicionToldAt >= tellSuspicionEveryMs) {
      this.#suspicionToldAt = at;
      acts.push({ kind: 'tell', event: { kind: 'fault.suspected', ...factsOf(fault) } });
    }
    if (at - this.#suspicionProbedAt < suspectProbeEveryMs) return acts;
    this.#suspicionProbedAt = at;
    return [...acts, this.#probe(fault, at)];
  }

  #see(fault: OpenFault, at: number): Act[] {
    fault.seenAt = at;
    fault.severity = severityOf(fault, this.#recent);
    const event = seenEvent(fault, this.#recent, this.#plan.falseAlarmsPerMonth);
    // What was asked at the suspicion is an answer already.
    const located = fault.probedAt === null ? [] : this.#place(fault, at);
    const isAsked = fault.probeAskedAt !== null && fault.probedAt === null;
    return [{ kind: 'tell', event }, ...located, ...(isAsked ? [] : [this.#probe(fault, at)])];
  }

  #probe(fault: OpenFault, at: number): Act {
    fault.probeAskedAt = at;
    return { kind: 'probe', fault: fault.fault };
  }

  #place(fault: OpenFault, now: number): Act[] {
    const { direct, through, startedAt } = fault;
    const located = locate({
      site: this.#site,
      now,
      startedAt,
      series: fault.series.map(({ series, scope }) => ({ series, scope })),
      balancers: this.#site.balancers.map(({ name }) => this.#recent.balancer(name, startedAt, now)),
      direct,
      through,
      stated: fault.series.flatMap(({ alarmed, stated }) => (alarmed && stated ? [stated] : [])),
      changes: this.#changes.recent(now),
    });
    const { culprits, certain, change } = located.verdict;
    fault.severity = severityOf(fault, this.#recent);
    const said = JSON.stringify({ culprits, certain, change, severity: fault.severity });
    // What was certain is not unsaid by a later look at which everything has healed.
    if (said === fault.told || (fault.located?.verdict.certain && !certain)) return [];
    fault.told = said;
    fault.located = located;
    return [{ kind: 'tell', event: locatedEvent(fault, located) }];
  }

  #settle(at: number): Act[] {
    const acts: Act[] = [];
    this.#faults = this.#faults.filter((fault) => {
      if (goesOn(fault, at)) return true;
      if (fault.seenAt === null) return false;
      // What was over before anybody could be asked has a verdict too.
      if (fault.located === null) acts.push(...this.#place(fault, at));
      const event = endedEvent(fault, at, this.#recent);
      if (event.kind === 'fault.ended' && event.wasFalse) this.#budget.wasFalse();
      acts.push({ kind: 'tell', event });
      return false;
    });
    return acts;
  }

  #askAgain(now: number): Act[] {
    return this.#faults.flatMap((fault) => {
      const { seenAt, probedAt, probeAskedAt } = fault;
      const asked = probeAskedAt ?? 0;
      if (seenAt === null || probedAt === null || asked > probedAt) return [];
      const due = againAfterMs.findLast((ms) => ms <= now - seenAt) ?? 0;
      // When nothing but an answer is waited for, its end is asked for more often.
      const everyMs = fault.series.some(({ alarmed }) => alarmed) ? againEveryMs : endingEveryMs;
      return asked < seenAt + due || now - asked >= everyMs ? [this.#probe(fault, now)] : [];
    });
  }
}

/** Of the pools that are suspect; of all where none is. */
function failedOf({ series, direct, through }: OpenFault): number {
  const pools = series.flatMap(({ pool }) => (pool === null ? [] : [pool]));
  const counts = (pool: string | null) => pools.length === 0 || (pool !== null && pools.includes(pool));
  return [...direct, ...through].filter(({ ok, pool }) => !ok && counts(pool)).length;
}

/** A suspicion fades with its score; a fault is over when its series are, and servers answer again. */
function goesOn({ series, seenAt, direct, probedAt, openedAt }: OpenFault, at: number): boolean {
  if (series.some(({ alarmed }) => alarmed)) return true;
  if (seenAt === null) return series.some(({ score }) => score > 0) && at - openedAt < suspectedMsMax;
  return direct.some(({ ok }) => !ok) && probedAt !== null && at - probedAt < 2 * againEveryMs;
}
