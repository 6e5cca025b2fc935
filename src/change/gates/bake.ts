import { type Answer, type Gate, type Proposal, passed } from './gate.ts';
import { stopAnswer } from './stopped.ts';

/**
 * Still right when the candidate has all new connections of every balancer, with the last good generation parked beside
 * it; and, where the change asks for it, confirmed by a person: until then its leases are renewed, and it is not good.
 */
export const bake: Gate<'bake'> = {
  name: 'bake',
  forceable: false,
  askedAfterRefusal: false,
  during: 'baking',
  async ask(proposal) {
    const { balancers, watch, policy, difference, show, confirmation } = proposal;
    for (const balancer of balancers) {
      await watch.expose(balancer, 1, null);
      show({ kind: 'canary', balancer: balancer.name, share: 1, line: 'all new connections' });
    }
    await confirmation?.begin();
    const isConfirmed = () => confirmation === null || confirmation.by() !== null;
    const isTooLate = (elapsedMs: number) =>
      confirmation !== null && elapsedMs >= confirmation.withinMs && !isConfirmed();
    const stop = await watch.until(
      (elapsedMs) => isTooLate(elapsedMs) || (elapsedMs >= policy.bakeMs && isConfirmed()),
    );
    if (stop)
      return stopAnswer(stop, difference, 'balancer' in stop ? watch.seen.get(stop.balancer) : undefined);
    return isConfirmed() ? stillRight(proposal) : unconfirmed(proposal);
  },
};

function stillRight({ policy, confirmation }: Proposal): Answer {
  const right = `still right after ${Math.round(policy.bakeMs / 100) / 10} s on every balancer`;
  return passed(confirmation ? `${right}; confirmed by ${confirmation.by()}` : right);
}

function unconfirmed({ confirmation, difference }: Proposal): Answer {
  return stopAnswer({ kind: 'unconfirmed', withinMs: confirmation?.withinMs ?? 0 }, difference);
}
