import type { BalancerPort } from './ports.ts';
import { type Told, tellEvery } from './take-back.ts';

/** Balancers that did not hear that a change is taken back. */
export interface Missed {
  /** Who answered is told no more, who did not is told again. */
  remember(told: Told, change: string, reason: string): void;
  /** Those that have nothing to hear: what they say is good has been decided to be. */
  heard(): readonly BalancerPort[];
  /** Resolves with whether somebody heard it at last. */
  tellAgain(): Promise<boolean>;
}

export function createMissed(balancers: readonly BalancerPort[]): Missed {
  const missed = new Map<string, { readonly change: string; readonly reason: string }>();
  const remember: Missed['remember'] = (told, change, reason) => {
    for (const { balancer, error } of told)
      if (error) missed.set(balancer, { change, reason });
      else missed.delete(balancer);
  };
  return {
    remember,
    heard: () => balancers.filter(({ name }) => !missed.has(name)),
    async tellAgain() {
      const before = missed.size;
      for (const [name, { change, reason }] of missed) {
        const still = balancers.filter((balancer) => balancer.name === name);
        remember(await tellEvery(still, change, reason), change, reason);
      }
      return missed.size < before;
    },
  };
}
