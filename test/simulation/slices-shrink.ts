import { runSlices, type SliceOutcome } from './slices.ts';
import type { SlicePlan } from './slices-plan.ts';

/** The smallest plan that still fails: without any fault that it does not need. With its timeline. */
export async function smallestSlices(plan: SlicePlan): Promise<SliceOutcome> {
  let least = plan;
  for (let again = true; again; ) {
    again = false;
    for (const index of least.faults.keys()) {
      const fewer = { ...least, faults: least.faults.toSpliced(index, 1) };
      if ((await runSlices(fewer)).breaches.length === 0) continue;
      least = fewer;
      again = true;
      break;
    }
  }
  return await runSlices(least, { timeline: true });
}

/** For people, the times in seconds. */
export function toldOfSlices({ plan, breaches, timeline }: SliceOutcome): string {
  return [
    `seed ${plan.seed}, slices`,
    ...breaches.map(({ invariant, what }) => `broken: ${invariant}: ${what}`),
    ...timeline.map(({ atMs, what }) => `${(atMs / 1000).toFixed(3).padStart(9)}  ${what}`),
  ].join('\n');
}
