import type { Clock } from '#base';
import {
  baseline,
  comparison,
  defaultAlternatives,
  type HistoryTick,
  spikeDetector,
  threshold,
} from '#detect';
import type { Evidence } from '#engines';
import { type Counts, noCounts } from '#events';
import { serverTrouble, since } from '../evidence.ts';
import { decide, type Verdict } from './decide.ts';
import { watchTimes } from './times.ts';

export const tickMs = 100;
/** Half of a false alarm a month is for the minutes after changes; changes are this share of the time. */
const changeShareOfTime = 0.0116;
const falseTakeBacksPerMonth = 0.5;
/** errors, server trouble, net. */
const series = 3;
/** Chance of taking back a change that is as good as what it replaces, by comparison. Errors, 4xx, times and late requests share it. */
const comparisonAlpha = 1e-6;
const comparisons = 4;
const notTimed = { hung: null, slower: null };
/** Half a second without a word from an engine that is exposed is a fault, not silence. */
const silentTicksMax = 5;
/** Both: a machine that is out of breath, for a moment; a full disk, for good. */
const bothSilentTicksMax = 30;

export interface CandidateWatch {
  /** One reading of both at the same moment; null: it did not answer. */
  tick(
    candidate: Evidence | null,
    incumbent: Evidence | null,
  ): Verdict | { readonly cause: 'silent'; readonly reason: string } | null;
  readonly candidate: Counts;
  readonly incumbent: Counts;
  /** Share of requests in the last second, null when there were too few to say. */
  readonly recentShare: number | null;
  readonly eValue: number;
  readonly firstBad: boolean;
}

export interface WatchPlan {
  readonly candidateStart: Evidence;
  readonly incumbentStart: Evidence;
  readonly history: readonly HistoryTick[];
  readonly liveServersShareMin: number;
  /** For times of requests, which are compared at the same moment or not at all; null: not at all. */
  readonly clock: Pick<Clock, 'monotonicMs'> | null;
}

/** The guard's eyes on one candidate: absolute detectors, and the comparison with the incumbent at the same moment. */
export function watchCandidate(options: WatchPlan): CandidateWatch {
  const h = threshold({
    tickMs: tickMs / changeShareOfTime,
    series,
    alternatives: defaultAlternatives.length,
    falseAlarmsPerMonth: falseTakeBacksPerMonth,
  });
  const spikes = () => spikeDetector({ baseline: baseline(options.history), threshold: h });
  const [errors, trouble, net] = [spikes(), spikes(), spikes()];
  const alpha = comparisonAlpha / comparisons;
  const worse = comparison({ alpha });
  const refusesMore = comparison({ alpha });
  const times = options.clock && watchTimes({ ...options, clock: options.clock, alpha });
  const recent = recentShare();
  let before = { candidate: options.candidateStart, incumbent: options.incumbentStart };
  let total = { candidate: noCounts, incumbent: noCounts };
  let silentTicks = 0;
  let bothSilentTicks = 0;

  return {
    tick(candidate, incumbentNow) {
      if (candidate === null) {
        silentTicks += 1;
        bothSilentTicks = incumbentNow === null ? bothSilentTicks + 1 : 0;
        const most = bothSilentTicks > 0 ? bothSilentTicksMax : silentTicksMax;
        if (silentTicks < most) return null;
        return { cause: 'silent', reason: `its engine has not answered for ${silentTicks * tickMs} ms` };
      }
      silentTicks = 0;
      bothSilentTicks = 0;
      // Without the other there is nothing to compare with; its own errors are errors all the same.
      const incumbent = incumbentNow ?? before.incumbent;
      const now = {
        candidate: since(candidate, before.candidate),
        incumbent: since(incumbent, before.incumbent),
      };
      before = { candidate, incumbent };
      total = {
        candidate: since(candidate, options.candidateStart),
        incumbent: since(incumbent, options.incumbentStart),
      };
      recent.add(now.candidate.requests, now.incumbent.requests);
      const compare = (test: typeof worse, count: (c: Counts) => number) =>
        test.add({
          candidateRequests: now.candidate.requests,
          candidateErrors: count(now.candidate),
          incumbentRequests: now.incumbent.requests,
          incumbentErrors: count(now.incumbent),
        }).refuse;
      const moreErrors = compare(worse, (c) => c.errors);
      const moreRefusals = compare(refusesMore, (c) => c.clientErrors);
      return decide({
        detections: {
          errors: errors.tick(now.candidate.requests, now.candidate.errors).alarm,
          serverTrouble: trouble.tick(now.candidate.requests, serverTrouble(now.candidate)).alarm,
          netUses: net.tick(now.candidate.requests, now.candidate.netUses).alarm,
          comparison: moreErrors || moreRefusals,
          ...(times?.add(candidate, incumbent) ?? notTimed),
        },
        counts: total.candidate,
        candidatePools: candidate.pools,
        incumbentPools: incumbent.pools,
        liveServersShareMin: options.liveServersShareMin,
      });
    },
    get candidate() {
      return total.candidate;
    },
    get incumbent() {
      return total.incumbent;
    },
    get recentShare() {
      return recent.share();
    },
    get eValue() {
      const logs = [worse, refusesMore].map((test) => test.verdict().logEValue);
      const most = Math.max(...logs, times?.logEValue() ?? 0);
      // A part of the mean of all of them: together they keep to one alpha.
      return Math.exp(Math.min(700, most - Math.log(comparisons)));
    },
    get firstBad() {
      const c = total.candidate;
      return c.errors + c.netUses + serverTrouble(c) > 0;
    },
  };
}

const recentTicks = 10;
const recentRequestsMin = 20;

function recentShare() {
  const ticks: { readonly candidate: number; readonly all: number }[] = [];
  return {
    add(candidate: number, incumbent: number) {
      ticks.push({ candidate, all: candidate + incumbent });
      if (ticks.length > recentTicks) ticks.shift();
    },
    share(): number | null {
      const all = ticks.reduce((sum, tick) => sum + tick.all, 0);
      return all < recentRequestsMin ? null : ticks.reduce((sum, tick) => sum + tick.candidate, 0) / all;
    },
  };
}
