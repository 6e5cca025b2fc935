import type { Clock } from '#base';
import type { Now } from './core/decide.ts';

/**
 * Two times at once. The steady one never goes back, whatever is done to the clock: a deadline may come early by a clock
 * that is put forward (somebody is paged too soon), and never late by one that is put back (somebody is forgotten).
 */
export function steadyTime(clock: Clock): () => Now {
  let steady = clock.now();
  let wall = steady;
  let monotonic = clock.monotonicMs();
  return () => {
    const [wallNow, monotonicNow] = [clock.now(), clock.monotonicMs()];
    steady += Math.max(0, monotonicNow - monotonic, wallNow - wall);
    wall = wallNow;
    monotonic = monotonicNow;
    return { wall, steady };
  };
}
