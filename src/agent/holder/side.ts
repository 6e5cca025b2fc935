import { after, type Clock } from '#base';
import type { EngineControl, PublicSide } from '#engines';

/**
 * Brings a generation's public side to what is wanted and keeps doing so while the wish changes: the one place that
 * signals an engine, because two different signals with no gap between them end in the wrong state.
 */
export interface SideDriver {
  readonly wanted: PublicSide;
  /**
   * Resolves when the engine was read back as `side` (or as what was wanted later); rejects when it does not follow
   * in time; it is then told again until it does or something else is wanted.
   */
  want(side: PublicSide, patienceMs?: number): Promise<void>;
  /** The engine has ended, or is to end: it is not told again. */
  end(): void;
}

/** How long an engine may take to show that it follows a signal: seen 0.1 ms, worst 1.7 ms on a machine with room. */
const followMsMax = 50;
/** One that did not follow in time is told again: on a machine that is out of breath it follows later. */
const tellAgainMs = 50;

export function sideDriver(
  control: Pick<EngineControl, 'park' | 'resume'>,
  known: PublicSide | 'unknown',
  clock: Clock,
): SideDriver {
  let patienceMs = followMsMax;
  let wanted: PublicSide = known === 'unknown' ? 'parked' : known;
  let actual = known;
  let driving: Promise<void> | null = null;
  let callOff = () => {};
  let isOver = false;

  async function drive(): Promise<void> {
    try {
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
    } catch (error) {
      if (!isOver) callOff = after(clock, tellAgainMs, () => void want(wanted).catch(() => {}));
      throw error;
    } finally {
      // In the same step as the last look at what is wanted: a wish that comes later starts a drive of its own.
      driving = null;
    }
  }

  function want(side: PublicSide, patience = followMsMax): Promise<void> {
    callOff();
    wanted = side;
    patienceMs = patience;
    if (driving) return driving;
    if (actual === wanted) return Promise.resolve();
    driving = drive();
    return driving;
  }

  return {
    get wanted() {
      return wanted;
    },
    want,
    end() {
      isOver = true;
      callOff();
    },
  };
}
