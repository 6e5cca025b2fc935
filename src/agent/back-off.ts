import type { Clock } from '#base';

/** Failures that are further apart than this have nothing to do with each other. */
const forgetMs = 60_000;

export interface BackOff {
  /** Whether it may be tried again by now. */
  readonly due: boolean;
  /** The first failure costs no pause; each further one doubles it. */
  failed(): void;
}

/** Pauses between tries, so that what fails at once does not keep the machine busy. */
export function backOff(clock: Clock, { firstMs, mostMs }: { firstMs: number; mostMs: number }): BackOff {
  let failures = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  let dueMs = Number.NEGATIVE_INFINITY;
  return {
    get due() {
      return clock.monotonicMs() >= dueMs;
    },
    failed() {
      const now = clock.monotonicMs();
      failures = now - lastMs > forgetMs ? 1 : failures + 1;
      lastMs = now;
      dueMs = failures < 2 ? now : now + Math.min(mostMs, firstMs * 2 ** (failures - 2));
    },
  };
}
