import type { Clock } from '#base';
import type { HolderClient } from './holder/protocol.ts';

/** One slice and one pause. Short, so that a bad candidate's slices are short too. */
const periodMs = 200;
/** Renewed every period: three are missed before the holder ends the exposure. */
const leaseMs = 3 * periodMs;

export interface Exposer {
  /** Share of new connections from now on, until `untilMs` on the monotonic clock. */
  set(share: number, untilMs: number): void;
  /** What share of requests the candidate really got lately: the slices are corrected by it. */
  observed(share: number): void;
  stop(): void;
}

/**
 * Cuts time into slices so that the candidate gets its share of new connections. Up to one half the incumbent never
 * stops accepting: while both accept, each gets about half, so a share s needs the candidate for 2s of the time.
 */
export function exposer(options: {
  holder: HolderClient;
  generation: number;
  clock: Clock;
  failed: (error: unknown) => void;
}): Exposer {
  const { holder, generation, clock } = options;
  let wanted = 0;
  let aim = 0;
  let until = 0;
  let stopped = false;
  let running = false;

  const expose = (forMs: number, alone: boolean) =>
    holder.call('expose', { generation, forMs: Math.round(forMs), alone, leaseMs }, leaseMs);

  async function run(): Promise<void> {
    while (!stopped && clock.monotonicMs() < until) {
      const began = clock.monotonicMs();
      if (wanted >= 1) {
        await expose(leaseMs, true);
      } else if (aim <= 0.5) {
        await expose(Math.max(1, 2 * aim * periodMs), false);
      } else {
        await expose(leaseMs, true);
        await clock.sleep((2 * aim - 1) * periodMs);
        if (!stopped) await expose(leaseMs, false);
      }
      await clock.sleep(Math.max(1, periodMs - (clock.monotonicMs() - began)));
    }
  }

  return {
    set(share, untilMs) {
      until = untilMs;
      if (share !== wanted) aim = share;
      wanted = share;
      if (running || stopped) return;
      running = true;
      run()
        .catch((error) => {
          if (!stopped) options.failed(error);
        })
        .finally(() => {
          running = false;
        });
    },
    observed(share) {
      if (wanted <= 0 || wanted >= 1) return;
      aim = Math.min(0.95, 2 * wanted, Math.max(wanted / 4, aim + 0.2 * (wanted - share)));
    },
    stop() {
      stopped = true;
    },
  };
}
