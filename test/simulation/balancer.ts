import type { SiteText } from '#contract';
import type { GuardRecord } from '#events';
import type { Random } from '../world/random.ts';
import type { Network } from './network.ts';
import type { Badness } from './plan.ts';
import type { Scheduler, SimulatedProcess } from './scheduler.ts';

/** What is broken on purpose, one thing for each invariant, to see that it is found. */
export type Planted =
  | 'the journal is not synced'
  | 'the journal forgets quarantine'
  | 'the journal forgets ends'
  | 'the journal writes another state'
  | 'a balancer forgets a take-back'
  | 'a balancer gives twice the share'
  | 'a guard acts twice'
  | 'a guard numbers its records anew'
  | 'a candidate goes on without a lease'
  | 'a promotion is not kept'
  | 'a rehearsal never ends well'
  | 'the kept text is not written'
  | 'a balancer answers nonsense';

/** What a balancer may know of the world that it stands in. */
export interface SimulatedWorld {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly network: Network;
  readonly skewMs: () => number;
  badnessOf(siteHash: string): Badness;
  /** Told when a guard took a change back because of what the traffic said. */
  takenBack(change: string): void;
  readonly planted: Planted | null;
  /** Told whenever a candidate is given a share. */
  exposed(balancer: string, change: string, share: number): void;
}

/** A balancer as the simulation sees it, from outside of all of its processes. */
export interface SimulatedBalancer {
  readonly name: string;
  readonly agent: SimulatedProcess;
  readonly lastGood: SiteText;
  /** With the share that it has now; 0 without a lease. */
  readonly candidate: { readonly change: string; readonly share: number } | null;
  readonly records: readonly GuardRecord[];
  killAgent(): void;
  startAgent(): void;
}
