import type * as Adoption from './adopt/index.ts';
import type * as Away from './holder/away.ts';
import type { runHolder as RunHolder } from './holder/run.ts';
import type { runAgent as RunAgent } from './run.ts';

export { checkOwnText, type EngineWords } from './own-check.ts';

/** Each process loads its own part only: a holder that ran for months with the agent's code in it would be twice its size. */
export const runHolder: typeof RunHolder = async (options) =>
  (await import('./holder/run.ts')).runHolder(options);

export const runAgent: typeof RunAgent = async (options) => (await import('./run.ts')).runAgent(options);

/** For a process that does nothing else. */
export const loadAway = (): Promise<typeof Away> => import('./holder/away.ts');

export type { Inherited, Looked, Onlooker, RunningEngine, TakeOverParts, Way } from './adopt/index.ts';
export type { Watched } from './holder/away.ts';
export type { HolderClient } from './holder/protocol.ts';

/** Only `adopt` and `release` need it. */
export const loadAdoption = (): Promise<typeof Adoption> => import('./adopt/index.ts');

/** Both at once, to fill the code cache. */
export async function loadAll(): Promise<void> {
  await Promise.all([import('./holder/run.ts'), import('./run.ts')]);
}
