import type { RoutesResult } from '#contract';
import type { BalancerPort } from '../ports.ts';
import { type Answer, count, type Proposal } from './gate.ts';
import { stopAnswer } from './stopped.ts';

const routesTimeoutMs = 60_000;
const shownMax = 10;

export type RoutesTried = { readonly against: Answer } | ({ readonly against: null } & RoutesResult);

/**
 * One safe request of every route by the candidate's private entrance: what users did not ask, or too seldom. One that fails
 * there again and again, and not with the incumbent, speaks against the change.
 */
export async function tryRoutes(proposal: Proposal, balancer: BalancerPort): Promise<RoutesTried> {
  const { watch, change, difference } = proposal;
  const asked = await watch.during(balancer.call('tryRoutes', { change }, routesTimeoutMs));
  if (asked.stop) return { against: stopAnswer(asked.stop, difference, watch.seen.get(balancer.name)) };
  const worse = asked.value.asked.filter((one) => one.worse);
  if (worse.length === 0) return { against: null, ...asked.value };
  const lines = worse.slice(0, shownMax).map(worseLine);
  const why = `${count(worse.length, 'route')} of ${asked.value.asked.length}, asked by the private entrance: ${lines[0]}`;
  const answer = stopAnswer({ kind: 'routes', balancer: balancer.name, why }, difference);
  return { against: { ...answer, evidence: lines } };
}

function worseLine({ request, status, incumbent }: RoutesResult['asked'][number]): string {
  const other = incumbent === undefined ? '' : `, with the incumbent ${said(incumbent)}`;
  return `${request}: ${said(status)}${other}`;
}

function said(status: RoutesResult['asked'][number]['status']): string {
  return status === 0 ? 'no answer' : `${status}`;
}

/** `4 synthetic requests were answered with 2 x 200, 2 x 404` */
export function answeredWith(asked: RoutesResult['asked']): string {
  if (asked.length === 0) return 'no synthetic request was made';
  const kinds = [...Map.groupBy(asked, ({ status }) => said(status))].map(
    ([status, all]) => `${all.length > 1 ? `${all.length} x ` : ''}${status}`,
  );
  const was = asked.length === 1 ? 'was' : 'were';
  return `${count(asked.length, 'synthetic request')} ${was} answered with ${kinds.join(', ')}`;
}
