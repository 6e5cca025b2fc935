import type { Clock } from '#base';
import type { EngineControl } from '#engines';
import type { HolderTakeBack } from './holder/protocol.ts';

const followMsMax = 100;

/** The guard's first rung without the holder: the same two signals and the take-back, each read back. */
export async function takeBackByHand(
  clock: Clock,
  good: EngineControl,
  bad: EngineControl,
): Promise<HolderTakeBack> {
  const decidedAt = clock.now();
  const began = clock.monotonicMs();
  const steps: { what: string; ok: boolean; tookMs: number }[] = [];
  const step = async (what: string, work: Promise<void>) => {
    const ok = await work.then(
      () => true,
      () => false,
    );
    steps.push({ what, ok, tookMs: clock.monotonicMs() - began });
    return ok;
  };
  // Parked while the other one does not follow, it would leave nobody.
  const resumed = await step('resume the last good generation, without the holder', good.resume(followMsMax));
  if (!resumed) return { decidedAt, doneAt: clock.now(), rung: 1, steps };
  await Promise.all([
    step('park the candidate, without the holder', bad.park(followMsMax)),
    step("lead requests of the candidate's open connections back", bad.takeBack(true, followMsMax)),
  ]);
  return { decidedAt, doneAt: clock.now(), rung: 1, steps };
}
