import type { Planted } from './balancer.ts';
import type { Plan } from './plan.ts';
import { type Outcome, run } from './run.ts';

/** The smallest plan that still fails: without any fault or act that it does not need. With its timeline. */
export async function smallest(plan: Plan, planted?: Planted): Promise<Outcome> {
  const options = planted === undefined ? {} : { planted };
  let least = plan;
  for (let again = true; again; ) {
    again = false;
    for (const fewer of withOneLess(least)) {
      if ((await run(fewer, options)).breaches.length === 0) continue;
      least = fewer;
      again = true;
      break;
    }
  }
  return await run(least, { ...options, timeline: true });
}

function withOneLess(plan: Plan): Plan[] {
  const without = <T>(of: readonly T[], index: number) => of.toSpliced(index, 1);
  return [
    ...plan.faults.map((_, index) => ({ ...plan, faults: without(plan.faults, index) })),
    ...plan.acts.map((_, index) => ({ ...plan, acts: without(plan.acts, index) })),
  ];
}

/** For people: the seed, what is broken, and what happened, the times in seconds. */
export function toldOf({ plan, breaches, timeline }: Outcome): string {
  const lines = timeline.map(({ atMs, what }) => `${(atMs / 1000).toFixed(3).padStart(9)}  ${what}`);
  return [
    `seed ${plan.seed}`,
    ...breaches.map(({ invariant, what }) => `broken: ${invariant}: ${what}`),
    ...lines,
  ].join('\n');
}
