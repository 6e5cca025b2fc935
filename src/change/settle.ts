import { Failure } from '#base';
import type { BalancerPort, SiteKeeper } from './ports.ts';

/** The kept text is the one that balancers say is good: those that have yet to hear of a take-back are not to be asked. @throws when none of them answers, or the disk does not take it */
export async function settleByBalancers(
  sites: SiteKeeper,
  balancers: readonly BalancerPort[],
): Promise<void> {
  for (const balancer of balancers) {
    const status = await balancer.call('status', {}).catch(() => null);
    if (status && (await sites.settle(status.lastGoodHash))) return;
  }
  throw new Failure('HF304', 'no balancer says which text is good');
}
