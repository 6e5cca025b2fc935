import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ProcessIdentity } from '#base';
import type { Death, GenerationSpec, ListenerAddress } from './protocol.ts';

/** What a holder that starts after a kill -9 needs: written before each effect, on a memory file system. */
export interface HolderState {
  readonly active: number | null;
  readonly sockets: readonly (ListenerAddress & { readonly inode: string })[];
  readonly generations: readonly (GenerationSpec & ProcessIdentity)[];
  /** Their numbers go on: whoever has read them up to one is told the next. */
  readonly deaths: readonly Death[];
  /** Of what a main process has died that left others: they are still to be ended. */
  readonly remains: readonly (GenerationSpec & ProcessIdentity)[];
}

export const emptyState: HolderState = {
  active: null,
  sockets: [],
  generations: [],
  deaths: [],
  remains: [],
};

export function loadState(file: string): HolderState {
  try {
    return { ...emptyState, ...(JSON.parse(readFileSync(file, 'utf8')) as Partial<HolderState>) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return emptyState;
    throw error;
  }
}

/** Returns false when there is no room: the site goes on, only a holder's restart would know less. */
export function saveState(file: string, state: HolderState): boolean {
  try {
    writeFileSync(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return true;
  } catch {
    return false;
  }
}
