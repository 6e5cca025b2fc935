import type { EngineControl, PublicSide } from '#engines';

/**
 * Brings a generation's public side to what is wanted and keeps doing so while the wish changes: the one place that
 * signals an engine, because two different signals with no gap between them end in the wrong state.
 */
export interface SideDriver {
  readonly wanted: PublicSide;
  /** Resolves when the engine was read back as `side` (or as what was wanted later); rejects when it does not follow. */
  want(side: PublicSide, patienceMs?: number): Promise<void>;
}

/** How long an engine may take to show that it follows a signal: seen 0.1 ms, worst 1.7 ms on a machine with room. */
const followMsMax = 50;

export function sideDriver(control: EngineControl, known: PublicSide | 'unknown'): SideDriver {
  let patienceMs = followMsMax;
  let wanted: PublicSide = known === 'unknown' ? 'parked' : known;
  let actual = known;
  let driving: Promise<void> | null = null;

  async function drive(): Promise<void> {
    while (actual !== wanted) {
      const goal = wanted;
      try {
        actual = 'unknown';
        await (goal === 'accepting' ? control.resume(patienceMs) : control.park(patienceMs));
        actual = goal;
      } catch (error) {
        if (wanted === goal) throw error;
      }
    }
  }

  return {
    get wanted() {
      return wanted;
    },
    want(side, patience = followMsMax) {
      wanted = side;
      patienceMs = patience;
      driving ??= drive().finally(() => {
        driving = null;
      });
      return driving;
    },
  };
}
