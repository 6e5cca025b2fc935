import type { BalancerPort } from './ports.ts';
import { type Told, tellEvery } from './take-back.ts';

/** Balancers that did not hear that a change is taken back. */
export interface Missed {
  /** Who answered is told no more, who did not is told again. */
  remember(told: Told, change: string, reason: string): void;
  tellAgain(): Promise<void>;
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
    async tellAgain() {
      for (const [name, { change, reason }] of missed) {
        const still = balancers.filter((balancer) => balancer.name === name);
        remember(await tellEvery(still, change, reason), change, reason);
      }
    },
  };
}
