import { type BurnWatch, burnWatch } from '#detect';
import { type FaultScope, scopeWords, type Tick } from '#events';
import type { Site } from '#model';
import { type Objective, type ObjectiveOf, poolsCounted } from './settings/index.ts';
import type { Stated } from './stated.ts';

/** One minute of what an objective counts. */
export interface CountedMinute {
  readonly at: number;
  readonly requests: number;
  readonly bad: number;
}

/** What is known of an objective from before. */
export type Past =
  /** The engines counted it, whether or not anybody had stated it then. Empty pools: the whole site. */
  | { readonly kind: 'engines'; readonly pools: readonly string[] }
  /** Only what was counted for it. */
  | { readonly kind: 'own' };

export interface ObjectiveState {
  readonly objective: Objective;
  readonly requests: number;
  readonly bad: number;
  /** 1 to below 0. */
  readonly budgetLeft: number;
  readonly burning: ReturnType<BurnWatch['burning']>;
  /** Why nothing is counted for it; empty: it is. */
  readonly idle: string;
}

export interface ObjectiveBook {
  add(tick: Tick): void;
  probed(probe: string, at: number, ok: boolean, tookMs: number): void;
  states(now: number): readonly ObjectiveState[];
  /** Minutes that are over since the last call, for whoever keeps them. */
  minutes(now: number): readonly { readonly name: string; readonly minute: CountedMinute }[];
}

interface Kept {
  readonly objective: Objective;
  readonly watch: BurnWatch;
  readonly past: Past;
  readonly idle: string;
  minute: { at: number; requests: number; bad: number };
  over: CountedMinute[];
}

const minuteMs = 60_000;

/** Another promise under the same name is another one. */
export function storedName({ name, of, withinMs }: Objective): string {
  return JSON.stringify([name, of, withinMs]);
}

/** Error budgets of stated objectives, over what is counted now and what was kept before. */
export function objectiveBook(
  objectives: readonly Objective[],
  site: Site,
  known: (objective: Objective, past: Past, days: number) => readonly CountedMinute[],
): ObjectiveBook {
  const kept = objectives.map((objective): Kept => {
    const { pools, idle } = poolsOf(objective.of, site);
    const past: Past =
      pools !== null && objective.withinMs === null ? { kind: 'engines', pools } : { kind: 'own' };
    const watch = burnWatch(objective.share, objective.windowDays);
    if (idle === '')
      for (const { at, requests, bad } of known(objective, past, objective.windowDays))
        watch.add(at, requests, bad);
    return { objective, watch, past, idle, minute: { at: 0, requests: 0, bad: 0 }, over: [] };
  });

  function count(one: Kept, at: number, requests: number, bad: number): void {
    if (requests + bad === 0) return;
    one.watch.add(at, requests, bad);
    const start = Math.floor(at / minuteMs) * minuteMs;
    if (start !== one.minute.at) close(one, start);
    one.minute.requests += requests;
    one.minute.bad += bad;
  }
  function close(one: Kept, at: number): void {
    if (one.minute.requests > 0 && one.past.kind === 'own') one.over.push(one.minute);
    one.minute = { at, requests: 0, bad: 0 };
  }

  return {
    add(tick) {
      for (const one of kept) {
        const { requests, bad } = countedIn(tick, one.objective, one.past);
        count(one, tick.at, requests, bad);
      }
    },
    probed(probe, at, ok, tookMs) {
      for (const one of kept) {
        const { of, withinMs } = one.objective;
        if (of.kind !== 'probe' || of.probe !== probe) continue;
        count(one, at, 1, Number(!ok || (withinMs !== null && tookMs > withinMs)));
      }
    },
    states: (now) =>
      kept.map(({ objective, watch, idle }) => ({
        objective,
        ...watch.counted(now),
        budgetLeft: watch.budgetLeft(now),
        burning: watch.burning(now),
        idle,
      })),
    minutes(now) {
      return kept.flatMap((one) => {
        if (one.minute.at > 0 && now - one.minute.at >= minuteMs) close(one, 0);
        return one.over.splice(0).map((minute) => ({ name: storedName(one.objective), minute }));
      });
    },
  };
}

/** Null: engines do not count it. */
function poolsOf(
  of: ObjectiveOf,
  site: Site,
): { readonly pools: readonly string[] | null; readonly idle: string } {
  switch (of.kind) {
    case 'site':
      return { pools: [], idle: '' };
    case 'pool': {
      const isThere = site.pools.some(({ name }) => name === of.pool);
      return { pools: [of.pool], idle: isThere ? '' : `the site has no pool "${of.pool}"` };
    }
    case 'probe':
      return { pools: null, idle: '' };
    default: {
      const counted = poolsCounted(site, of);
      if (!counted || counted.pools.length === 0)
        return { pools: null, idle: `no pool is led to by ${scopeWords(of)}` };
      const { pools, shared } = counted;
      const idle = shared === null ? '' : `requests to pool "${shared}" come by other ways too`;
      return { pools, idle };
    }
  }
}

function countedIn(
  { counts, pools }: Tick,
  { of, withinMs }: Objective,
  past: Past,
): { readonly requests: number; readonly bad: number } {
  if (of.kind === 'probe') return { requests: 0, bad: 0 };
  if (withinMs === null && of.kind === 'site') return { requests: counts.requests, bad: counts.errors };
  const names = past.kind === 'engines' ? past.pools : [];
  const mine = pools.filter(
    ({ pool }) => of.kind === 'site' || (of.kind === 'pool' ? pool === of.pool : names.includes(pool)),
  );
  if (withinMs === null)
    return {
      requests: mine.reduce((sum, one) => sum + one.requests, 0),
      bad: mine.reduce((sum, one) => sum + one.errors, 0),
    };
  // Engines tell the mean of a tenth of a second: all of its requests are as slow as it is.
  const slow = mine.filter((one) => one.timeMs > withinMs * one.timedRequests);
  return {
    requests: mine.reduce((sum, one) => sum + one.timedRequests, 0),
    bad: slow.reduce((sum, one) => sum + one.timedRequests, 0),
  };
}

/** Who burns its budget too fast, as a fault. */
export function burningFault({ objective, burning, budgetLeft }: ObjectiveState): Stated | null {
  if (!burning) return null;
  const { name, of, share, windowDays, withinMs } = objective;
  const { window, long, short } = burning;
  const scope: FaultScope = of.kind === 'probe' ? { kind: 'site' } : of;
  const allowed = 1 - share;
  const what = withinMs === null ? 'went wrong' : `took more than ${withinMs} ms`;
  const hours = (ms: number) => (ms < 3_600_000 ? `${ms / minuteMs} min` : `${ms / 3_600_000} h`);
  const usersSee = `${percent(long * allowed)} of the requests of ${hours(window.longMs)} ${what}, where ${percent(allowed)} may`;
  return {
    key: `objective ${name}`,
    series: 'objective',
    scope,
    severity: window.severity,
    usersSee,
    evidence: [
      `over ${hours(window.longMs)} the budget burns ${long.toFixed(1)} times as fast as it may, over ${hours(window.shortMs)} ${short.toFixed(1)} times`,
      `${percent(Math.max(0, budgetLeft))} of the budget of ${windowDays} days is left`,
    ],
    verdict: {
      sentence: `objective ${name} of ${scopeWords(scope)}: ${usersSee}; ${percent(Math.max(0, budgetLeft))} of the error budget is left`,
      culprits: [scope],
      certain: false,
      change: null,
      place: objective.place,
      advice: '`holdfast watch` shows which pool has the errors; `holdfast changes` what was changed',
    },
    isSymptom: true,
  };
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
