import { type Gate, passed } from './gate.ts';
import { stopAnswer } from './stopped.ts';

/** Still right when the candidate has all new connections of every balancer, with the last good generation parked beside it. */
export const bake: Gate<'bake'> = {
  name: 'bake',
  forceable: false,
  askedAfterRefusal: false,
  during: 'baking',
  async ask({ balancers, watch, policy, difference, show }) {
    for (const balancer of balancers) {
      await watch.expose(balancer, 1, null);
      show({ kind: 'canary', balancer: balancer.name, share: 1, line: 'all new connections' });
    }
    const stop = await watch.until((elapsedMs) => elapsedMs >= policy.bakeMs);
    if (stop)
      return stopAnswer(stop, difference, 'balancer' in stop ? watch.seen.get(stop.balancer) : undefined);
    return passed(`still right after ${Math.round(policy.bakeMs / 100) / 10} s on every balancer`);
  },
};
