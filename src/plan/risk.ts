import type { ActionView, DifferenceView, PlanView, RiskView } from '#contract';
import type { Touched } from './policies.ts';
import { count, percent } from './words.ts';

/** Moving more than this of recent traffic at once is a high risk, whatever moves. */
const shareHigh = 0.2;

/** What is lost is told before what is moved. */
export function severityOf(before: ActionView, after: ActionView): DifferenceView['severity'] {
  if (isServed(before) && !isServed(after)) return 'lost';
  if (!isServed(before) && isServed(after)) return 'gained';
  return before.kind === 'pool' && after.kind === 'pool' && before.servers.join() !== after.servers.join()
    ? 'moved'
    : 'changed';
}

function isServed(action: ActionView): boolean {
  switch (action.kind) {
    case 'pool':
      return action.servers.length > 0;
    case 'answer':
      return action.status < 400;
    case 'redirect':
      return true;
    case 'reject':
    case 'unknown':
      return false;
  }
}

/** Somebody meant that these do not get in. */
function isRefusal(action: ActionView): boolean {
  return action.kind === 'reject' || (action.kind === 'answer' && [401, 403, 429].includes(action.status));
}

const levels = ['none', 'low', 'medium', 'high'] as const;

const order = { lost: 0, moved: 1, changed: 2, gained: 3 } as const;

/** Worst first: what is lost, then what moves most. */
export function byWeight(a: DifferenceView, b: DifferenceView): number {
  return order[a.severity] - order[b.severity] || (b.trafficShare ?? 0) - (a.trafficShare ?? 0);
}

export function riskOf(plan: Omit<PlanView, 'risk'>, touched: readonly Touched[]): RiskView {
  const level = levelOf(plan, touched);
  const needed = touched.filter(
    ({ risk }) => risk === null || levels.indexOf(level.level) >= levels.indexOf(risk),
  );
  const count = Math.max(0, ...needed.map((one) => one.count));
  const because = needed.map(
    ({ name, count: n }) => `${name} (${n === 1 ? 'an approval' : `${n} approvals`})`,
  );
  return { ...level, approvals: { count, because } };
}

function levelOf(plan: Omit<PlanView, 'risk'>, touched: readonly Touched[]): Omit<RiskView, 'approvals'> {
  const approvals = touched
    .filter(({ risk }) => risk === null)
    .map(({ name, count: n }) => `${name} (${n} approvals)`);
  const { differences, settings, policies, traffic, same } = plan;
  if (same) return { level: 'none', because: [] };
  const lost = differences.filter(({ severity }) => severity === 'lost').length;
  const moved = traffic ? traffic.moved / Math.max(1, traffic.requests) : 0;
  const inexact = differences.filter(({ exact, limit }) => !exact && limit === undefined).length;
  const high = [
    ...(lost > 0 ? [`${count(lost, 'class', 'classes')} of requests lost`] : []),
    ...policies.filter(({ held }) => !held).map(({ policy }) => `policy does not hold: ${policy}`),
    ...approvals.map((policy) => `touches what is protected: ${policy}`),
    ...(moved > shareHigh ? [`${percent(moved)} of recent traffic is treated differently`] : []),
    ...(inexact > 0
      ? [`${count(inexact, 'difference depends', 'differences depend')} on what is not known`]
      : []),
  ];
  if (high.length > 0) return { level: 'high', because: high };
  const opened = differences.filter(
    ({ before, severity }) => severity === 'gained' && isRefusal(before),
  ).length;
  if (opened > 0)
    return {
      level: 'medium',
      because: [`${count(opened, 'class', 'classes')} of requests let in that were refused`],
    };
  const gained = differences.every(({ severity }) => severity === 'gained');
  if (differences.length > 0 && !gained)
    return {
      level: 'medium',
      because: [`${count(differences.length, 'class', 'classes')} of requests treated differently`],
    };
  return {
    level: 'low',
    because: [settings.length > 0 ? 'only settings change' : 'requests are served that were not'],
  };
}
