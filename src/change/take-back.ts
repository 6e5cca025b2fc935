import { messageOf } from '#base';
import type { RollbackView } from '#contract';
import type { BalancerPort } from './ports.ts';

const rollbackTimeoutMs = 5_000;

export type Told = RollbackView['balancers'];

/** Tells every balancer at once to take `change` back (null: whatever it promoted last). Never rejects: who did not answer is named. */
export function tellEvery(
  balancers: readonly BalancerPort[],
  change: string | null,
  reason: string,
): Promise<Told> {
  return Promise.all(
    balancers.map(async (balancer) => {
      try {
        const takeBack = await balancer.call('rollback', { change, reason }, rollbackTimeoutMs);
        return { balancer: balancer.name, takeBack, error: '' };
      } catch (error) {
        return { balancer: balancer.name, takeBack: null, error: messageOf(error) };
      }
    }),
  );
}
