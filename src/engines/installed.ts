import { Failure } from '#base';
import { type EngineName, engineNames } from '#model';
import type { Engine, EngineBinary } from './engine.ts';
import { engines } from './registry.ts';

/** An engine with the binary that runs it here. */
export interface Installed {
  readonly engine: Engine;
  readonly binary: EngineBinary;
}

/** Every engine that is here, in the order of `engineNames`. */
export async function findInstalled(): Promise<readonly Installed[]> {
  const found = await Promise.all(
    engineNames.map(async (name) => ({ engine: engines[name], binary: await engines[name].find() })),
  );
  return found.flatMap(({ engine, binary }) => (binary ? [{ engine, binary }] : []));
}

/** `auto` takes the first that is here. @throws Failure HF301 with the line that installs it. */
export function pickEngine(wanted: EngineName | 'auto', installed: readonly Installed[]): Installed {
  const found = installed.find(({ engine }) => wanted === 'auto' || engine.name === wanted);
  if (found) return found;
  const missing = wanted === 'auto' ? 'no engine' : wanted;
  const install = wanted === 'auto' ? '' : engines[wanted].install;
  throw new Failure('HF301', `${missing} is not installed`, install === '' ? '' : `Install it: ${install}`);
}

/** @throws Failure HF301 */
export async function chooseEngine(wanted: EngineName | 'auto'): Promise<Installed> {
  return pickEngine(wanted, await findInstalled());
}
