import { type Log, messageOf } from '#base';
import type { Tick } from '#events';
import type { Site } from '#model';
import {
  burningFault,
  type Monitoring,
  type ObjectiveBook,
  type ObjectiveState,
  objectiveBook,
  type Stated,
  storedName,
} from '#monitor';
import type { OpenTicks } from '#store';

const dayMs = 86_400_000;
const lookEveryMs = 2_000;

export interface ObjectivesAtWork {
  /** What is stated now, of the site that runs now. Reads what was kept when either is another one. */
  are(settings: Monitoring | null, site: Site, now: number): void;
  add(tick: Tick): void;
  probed(probe: string, at: number, ok: boolean, tookMs: number): void;
  states(): readonly ObjectiveState[];
  /** Those whose budget burns too fast. */
  look(now: number): readonly Stated[];
}

/** Error budgets over what is counted, kept and read back. Without ticks on disk they begin anew with the process. */
export function objectivesAtWork(ticks: OpenTicks | null, log: Log): ObjectivesAtWork {
  let book: ObjectiveBook | null = null;
  let of: { readonly settings: Monitoring | null; readonly site: Site } | null = null;
  let states: readonly ObjectiveState[] = [];
  let stated: readonly Stated[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;

  function keep(now: number): void {
    for (const { name, minute } of book?.minutes(now) ?? [])
      try {
        ticks?.count(name, minute);
      } catch (error) {
        log.warn('what an objective counted is not kept', { why: messageOf(error) });
      }
  }

  return {
    are(settings, site, now) {
      if (of?.settings === settings && of.site === site) return;
      keep(now);
      of = { settings, site };
      book = objectiveBook(settings?.objectives ?? [], site, (objective, past, days) => {
        const since = now - days * dayMs;
        try {
          if (past.kind === 'engines') return ticks?.minutes(since, past.pools) ?? [];
          return ticks?.countedBy(storedName(objective), since) ?? [];
        } catch (error) {
          log.warn('what was counted before is not read', { why: messageOf(error) });
          return [];
        }
      });
      lookedAt = Number.NEGATIVE_INFINITY;
    },
    add: (tick) => book?.add(tick),
    probed: (probe, at, ok, tookMs) => book?.probed(probe, at, ok, tookMs),
    states: () => states,
    look(now) {
      if (now - lookedAt < lookEveryMs) return stated;
      lookedAt = now;
      keep(now);
      states = book?.states(now) ?? [];
      stated = states.flatMap((one) => burningFault(one) ?? []);
      return stated;
    },
  };
}
