import { Silence, silentMsMax } from '../../src/agent/guard/silence.ts';
import type { HolderClient, HolderStatus } from '../../src/agent/holder/protocol.ts';
import { answers } from '../../src/agent/proof.ts';
import type { SimulatedEngine } from './engine.ts';
import { generationSpec } from './holder-machine.ts';
import type { SimulatedProcess } from './scheduler.ts';

const evidenceMsMax = 80;
const coldStartMs = 300;

export interface ActiveWatchParts {
  readonly process: SimulatedProcess;
  readonly holder: HolderClient;
  readonly engines: ReadonlyMap<number, SimulatedEngine>;
}

/**
 * What an agent does with an active engine that is silent, as `Serving` and `Repair` do: by their rule of silence and with
 * their last chance. The one that is parked takes over, or one that is started cold.
 */
export function watchActive({ process, holder, engines }: ActiveWatchParts) {
  const { clock } = process;
  const silence = new Silence(clock);
  const controlOf = (generation: number | null) =>
    (generation === null ? undefined : engines.get(generation))?.controlFor(process);
  const hasWord = async (generation: number | null) => {
    const control = controlOf(generation);
    return control !== undefined && (await answers(control, clock, () => 0));
  };

  async function coldStart(): Promise<number> {
    const generation = Math.max(...engines.keys()) + 1;
    await holder.call('start', generationSpec(generation, 'standby'), 3_000);
    await clock.sleep(coldStartMs);
    return generation;
  }

  return async ({ active, generations }: HolderStatus): Promise<void> => {
    const heard = await controlOf(active)
      ?.evidence(evidenceMsMax)
      .then(
        () => true,
        () => false,
      );
    if (active === null || heard === undefined || !silence.looked(heard, silentMsMax)) return;
    if (await hasWord(active)) return;
    const parked = generations.find(({ role }) => role === 'standby')?.generation ?? null;
    const to = parked !== null && (await hasWord(parked)) ? parked : await coldStart();
    await holder.call('takeBack', { from: active, to, drainMs: 2_000 }, 2_000);
  };
}
