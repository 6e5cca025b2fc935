import {
  absenceDetector,
  type Budget,
  baseline,
  type HistoryTick,
  lateDetector,
  recoveryDetector,
  shiftDetector,
  spikeDetector,
} from '#detect';
import type { FaultScope, FaultSeries } from '#events';
import type { Stated } from './stated.ts';

/** A fault below this share counts as over: waiting for less takes long with little traffic. */
const faultShare = 0.05;
const historyMinutesMax = 24 * 60;
const minuteMs = 60_000;
/** What has no mirrored sum is over when it has been quiet for so long. */
const quietMs = 5_000;
const learnTicks = 3_000;

export interface SeriesName {
  readonly series: FaultSeries;
  readonly scope: FaultScope;
  readonly balancer: string;
  /** Null: the balancer's as a whole. */
  readonly pool: string | null;
}

/** What one tick changed: it is looked at closely, it is an alarm, it is over. */
export type Turn = 'suspected' | 'alarm' | 'over' | 'faded' | null;

export interface Watched extends SeriesName {
  readonly alarmed: boolean;
  readonly score: number;
  /** The first bad tick of what the score is made of; null while there is none. */
  readonly beganAt: number | null;
  /** One line of evidence. */
  words(): string;
  /** A question of monitor.yaml that is answered badly: what it says itself. */
  readonly stated?: Stated;
}

interface Judged {
  readonly score: number;
  readonly bad: boolean;
  readonly words: string;
  /** Only while it is alarmed: its own proof that it is over. Absent: it is over after a while of quiet. */
  readonly recovered?: boolean;
}

export interface Turning extends Watched {
  judge(at: number, threshold: number, judged: Judged): Turn;
}

/** The life of a series' alarm, whatever judges it. */
export function turning(name: SeriesName): Turning {
  let state: 'quiet' | 'suspected' | 'alarmed' = 'quiet';
  let beganAt: number | null = null;
  let [score, said, badAt] = [0, '', 0];
  return {
    ...name,
    get alarmed() {
      return state === 'alarmed';
    },
    get score() {
      return score;
    },
    get beganAt() {
      return beganAt;
    },
    words: () => said,
    judge(at, threshold, judged) {
      score = judged.score;
      if (judged.bad) {
        beganAt ??= at;
        badAt = at;
      }
      if (state === 'alarmed') {
        if (judged.bad) said = judged.words;
        const isOver = judged.recovered ?? (score < threshold / 2 && at - badAt >= quietMs);
        if (!isOver) return null;
        [state, beganAt] = ['quiet', null];
        return 'over';
      }
      if (score === 0) beganAt = null;
      else said = judged.words;
      if (score >= threshold) {
        state = 'alarmed';
        return 'alarm';
      }
      if (state === 'quiet' && score >= threshold / 2) {
        state = 'suspected';
        return 'suspected';
      }
      if (state === 'suspected' && score < threshold / 4) {
        state = 'quiet';
        return 'faded';
      }
      return null;
    },
  };
}

export interface CountedSeries {
  readonly state: Watched;
  tick(at: number, requests: number, bad: number, budget: Budget, sinceChangeMs: number | null): Turn;
}

/** Bad things that happen to requests: errors, retries, connection errors, resets. */
export function countedSeries(
  name: SeriesName,
  what: string,
  known: readonly HistoryTick[] = [],
): CountedSeries {
  const state = turning(name);
  const history: HistoryTick[] = [...known];
  const newSpike = () => spikeDetector({ baseline: baseline(history), threshold: Number.POSITIVE_INFINITY });
  let spike = newSpike();
  let recovery: ReturnType<typeof recoveryDetector> | null = null;
  let minute = { startedAt: 0, requests: 0, bad: 0 };
  let since = { requests: 0, bad: 0 };

  function learn(at: number, requests: number, bad: number): void {
    if (minute.startedAt === 0) minute.startedAt = at;
    if (!state.alarmed) minute = { ...minute, requests: minute.requests + requests, bad: minute.bad + bad };
    if (at - minute.startedAt < minuteMs) return;
    if (!state.alarmed && minute.requests + minute.bad > 0) history.push(minute);
    if (history.length > historyMinutesMax) history.shift();
    minute = { startedAt: at, requests: 0, bad: 0 };
    // A baseline that moves while there is evidence would explain the evidence away.
    if (state.score === 0 && !state.alarmed) spike = newSpike();
  }

  return {
    state,
    tick(at: number, requests: number, bad: number, budget: Budget, sinceChangeMs: number | null): Turn {
      const threshold = budget.threshold(sinceChangeMs);
      const { score } = recovery ? { score: state.score } : spike.tick(requests, bad);
      since =
        score === 0 ? { requests: 0, bad: 0 } : { requests: since.requests + requests, bad: since.bad + bad };
      const recovered = recovery?.tick(requests, bad).recovered;
      const turn = state.judge(at, threshold, {
        score,
        bad: bad > 0,
        words: `${what}: ${since.bad} with ${since.requests} requests`,
        ...(recovered === undefined ? {} : { recovered }),
      });
      if (turn === 'alarm')
        recovery = recoveryDetector({ baseline: baseline(history), threshold, faultShare });
      if (turn === 'over') {
        recovery = null;
        spike = newSpike();
        since = { requests: 0, bad: 0 };
        state.judge(at, threshold, { score: 0, bad: false, words: '' });
      }
      learn(at, requests, bad);
      return turn;
    },
  };
}

export interface LatencySeries {
  readonly state: Watched;
  tick(at: number, requests: number, timeMs: number, threshold: number): Turn;
}

/** HAProxy's means are of 512 requests and whole milliseconds: of fewer new ones than this they say little. */
const chunkRequestsMin = 4;

export function latencySeries(name: SeriesName): LatencySeries {
  const state = turning(name);
  const shift = shiftDetector();
  let chunk = { requests: 0, timeMs: 0, beganAt: 0 };
  return {
    state,
    tick(at: number, requests: number, timeMs: number, threshold: number): Turn {
      chunk = { ...chunk, requests: chunk.requests + requests, timeMs: chunk.timeMs + timeMs };
      if (chunk.beganAt === 0) chunk.beganAt = at;
      if (chunk.requests < chunkRequestsMin && at - chunk.beganAt < 1_000) return null;
      const { score, usualMs, nowMs } = shift.tick(chunk.requests, chunk.timeMs);
      const words = `requests take ${Math.round(nowMs)} ms, usually ${Math.round(usualMs)} ms`;
      const turn = state.judge(at, threshold, { score, bad: score > 0 && nowMs > 1.5 * usualMs + 50, words });
      if (turn === 'over') shift.reset();
      chunk = { requests: 0, timeMs: 0, beganAt: 0 };
      return turn;
    },
  };
}

export interface HungSeries {
  readonly state: Watched;
  tick(at: number, finished: number, inHand: number, forMs: number, threshold: number): Turn;
}

export function hungSeries(name: SeriesName): HungSeries {
  const state = turning(name);
  const detector = lateDetector();
  return {
    state,
    tick(at: number, finished: number, inHand: number, forMs: number, threshold: number): Turn {
      const { score, late } = detector.tick(finished, inHand, forMs);
      const words = `${late} requests are taken and not answered, ${inHand} in hand`;
      const turn = state.judge(at, threshold, { score, bad: score > 0, words });
      if (turn === 'over') detector.reset();
      return turn;
    },
  };
}

export interface TrafficSeries {
  readonly state: Watched;
  tick(at: number, arrived: number, perSecond: number, threshold: number): Turn;
}

export function trafficSeries(name: SeriesName): TrafficSeries {
  const state = turning(name);
  const detector = absenceDetector({ learnTicks });
  return {
    state,
    tick(at: number, arrived: number, perSecond: number, threshold: number): Turn {
      const { score, usualPerTick } = detector.tick(arrived);
      const usual = Math.round(usualPerTick * perSecond);
      const words = `traffic disappears: ${Math.round(arrived * perSecond)} requests a second, usually ${usual}`;
      return state.judge(at, threshold, { score, bad: score > 0, words });
    },
  };
}
