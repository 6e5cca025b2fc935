import { type Answer, type Gate, type Proposal, passed } from './gate.ts';
import { type ParkedWatch, watchParked } from './parked.ts';
import { answeredWith, tryRoutes } from './routes.ts';
import { stopAnswer } from './stopped.ts';

/**
 * Still right when the candidate has all new connections of every balancer, with the last good generation parked beside
 * it, which is tried again and again; every route was asked, by users or by us; and, where the change asks for it, confirmed
 * by a person: until then its leases are renewed, and it is not good.
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
    const parked = watchParked(proposal);
    const stop = await watch.until((elapsedMs) => {
      const mayEnd = parked.mayEnd(elapsedMs);
      return isTooLate(elapsedMs) || (elapsedMs >= policy.bakeMs && isConfirmed() && mayEnd);
    });
    if (stop)
      return stopAnswer(stop, difference, 'balancer' in stop ? watch.seen.get(stop.balancer) : undefined);
    return isConfirmed() ? await stillRight(proposal, parked) : unconfirmed(proposal);
  },
};

/** Nothing is called good that nobody has asked for: every route of every balancer once more. */
async function stillRight(proposal: Proposal, parked: ParkedWatch): Promise<Answer> {
  const { policy, confirmation, balancers } = proposal;
  const notes: string[] = [];
  for (const balancer of balancers) {
    const routes = await tryRoutes(proposal, balancer);
    if (routes.against) return routes.against;
    notes.push(
      `${balancer.name}: ${answeredWith(routes.asked)}`,
      ...routes.unasked.map((why) => `${balancer.name}: not asked: ${why}`),
    );
  }
  // To take back what users are well with, to where they would not be, would be the worse of the two.
  const closed = parked.closed();
  const said = [
    `still right after ${Math.round(policy.bakeMs / 100) / 10} s on every balancer`,
    ...(confirmation ? [`confirmed by ${confirmation.by()}`] : []),
    ...(closed.length > 0 ? [`NO WAY BACK: ${closed.join(', ')}`] : []),
  ];
  return passed(said.join('; '), [...notes, ...parked.notes()]);
}

function unconfirmed({ confirmation, difference }: Proposal): Answer {
  return stopAnswer({ kind: 'unconfirmed', withinMs: confirmation?.withinMs ?? 0 }, difference);
}
