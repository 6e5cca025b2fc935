import { rmSync } from 'node:fs';
import { groupMembers, isAlive, type ProcessIdentity, signalGroup } from '#base';
import { takeDescriptor } from './descriptors.ts';
import { findGeneration, startGeneration } from './generations.ts';
import { linkNeighbour } from './neighbour.ts';
import { openFrom } from './open.ts';
import { endRemains } from './remains.ts';
import { allowBeside, socketInode } from './sockets.ts';
import { type HolderState, loadState, saveState } from './state.ts';
import { steer } from './steer.ts';

/** All that a holder does to the machine that it runs on: its sockets, its engines' processes, its state. A simulation has one of its own. */
export interface HolderMachine {
  readonly pid: number;
  /** A listening socket's descriptor. @throws Failure HF302, HF504, HF505 */
  readonly open: typeof openFrom;
  readonly inode: typeof socketInode;
  readonly takeDescriptor: typeof takeDescriptor;
  readonly allowBeside: typeof allowBeside;
  readonly steer: typeof steer;
  readonly start: typeof startGeneration;
  readonly find: typeof findGeneration;
  readonly isAlive: typeof isAlive;
  killGroup(leader: ProcessIdentity): void;
  /** All processes that are left of its group. */
  membersOf(leader: ProcessIdentity): readonly number[];
  readonly endRemains: typeof endRemains;
  /** Where a generation leads requests: folder to folder. @throws when there is no room for a link */
  readonly link: typeof linkNeighbour;
  load(): HolderState;
  /** False when there is no room. */
  save(state: HolderState): boolean;
  /** The state, for good. */
  forget(): void;
}

export function systemMachine(stateFile: string): HolderMachine {
  return {
    pid: process.pid,
    open: openFrom,
    inode: socketInode,
    takeDescriptor,
    allowBeside,
    steer,
    start: startGeneration,
    find: findGeneration,
    isAlive,
    killGroup: (leader) => void signalGroup(leader, 'SIGKILL'),
    membersOf: ({ pid }) => groupMembers(pid),
    endRemains,
    link: linkNeighbour,
    load: () => loadState(stateFile),
    save: (state) => saveState(stateFile, state),
    forget: () => rmSync(stateFile, { force: true }),
  };
}
