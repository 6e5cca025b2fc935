import type { PlanView, SiteText } from '#contract';
import { filesAround } from '#model';
import { planWritten } from '#plan';
import { fourServers, shop, siteText } from '../world/changes.ts';

/** A shop with quick steps: what a change goes through is the same, only sooner. */
const quick = (servers: readonly string[]) =>
  shop(servers).replace('step: 2s', 'step: 500ms').replace('bake: 5s', 'bake: 1s');

const known = new Map<number, SiteText>();

/** Number 0 runs at the beginning; each has servers of its own beside those of number 0. */
export function textNumber(number: number): SiteText {
  const found = known.get(number);
  if (found) return found;
  const more = number === 0 ? [] : [`10.0.1.${number}:80`];
  const text = siteText(quick([...fourServers, ...more]));
  known.set(number, text);
  return text;
}

const plans = new Map<string, PlanView>();

/** A plan is pure: of the same two texts the same each time, so it is made once. */
export function plannedOnce(before: SiteText, after: SiteText): PlanView {
  const key = `${before.hash} ${after.hash}`;
  const found = plans.get(key) ?? planWritten(before, after, filesAround);
  plans.set(key, found);
  return found;
}
