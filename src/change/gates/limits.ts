import { assert, type Diagnostic } from '#base';
import type { BalancerStatus, PlanView } from '#contract';
import type { GuardPolicy, Site, SiteDifference } from '#model';
import { isRenewal } from '../reading.ts';
import {
  type Answer,
  askEvery,
  couldNotTell,
  count,
  type Gate,
  type Proposal,
  passed,
  refused,
} from './gate.ts';

/** What the change does to the site's structure, and to its traffic, stays within the policy; and the text is neither quarantined nor an older one. */
export const limits: Gate<'limits'> = {
  name: 'limits',
  forceable: true,
  askedAfterRefusal: false,
  during: 'proposed',
  async ask(proposal) {
    const { answers, silent } = await askEvery(proposal.balancers, 'status', {}, statusTimeoutMs);
    const statuses = answers.map(({ output }) => output);
    const judged = judgeLimits(proposal, statuses);
    const unseen = proposal.policy.limits.spareBalancersMin > 0 ? silent : [];
    return judged.verdict === 'passed' && !judged.nothingToDo && unseen.length > 0
      ? couldNotTell(unseen)
      : judged;
  },
};

const statusTimeoutMs = 2_000;

/** `lb-1 from builtin to haproxy`, for each that another engine carries: the text that runs brings it back. */
function carriedBalancers(statuses: readonly BalancerStatus[]): readonly string[] {
  return statuses.flatMap(({ balancer, carried }) =>
    carried ? [`${balancer} from ${carried.by} to ${carried.instead}`] : [],
  );
}

/** Pure. */
function judgeLimits(proposal: Proposal, statuses: readonly BalancerStatus[]): Answer {
  const { reading, before, policy, difference, quarantined, ranAt, planned } = proposal;
  assert(reading.site, 'limits are asked after parse');
  const isSame = reading.text.hash === before.text.hash;
  const carried = isSame ? carriedBalancers(statuses) : [];
  if (isSame && carried.length === 0)
    return {
      ...passed('nothing to do: this is the site that already runs', [`hash ${before.text.hash}`]),
      nothingToDo: true,
    };
  const moved = movedTraffic(planned.view, policy);
  const found = [
    ...(quarantined === null ? [] : [inQuarantine(quarantined)]),
    ...(ranAt === null || quarantined !== null || policy.limits.olderTexts === 'allowed'
      ? []
      : [older(ranAt)]),
    ...anotherSite(before.site, reading.site),
    ...removedTooMany(before.site, difference, policy.limits.removedServersShareMax),
    ...leftEmpty(reading.site),
    ...moved.found,
    ...(isSame ? [] : tooFewSpare(statuses, policy.limits.spareBalancersMin)),
  ];
  const evidence = [...moved.evidence, ...evidenceOf(difference)];
  if (found.length > 0) return refused(summaryOf(found), evidence, found);
  if (moved.unknown !== null)
    return { verdict: 'unknown', summary: `could not tell: ${moved.unknown}`, evidence, diagnostics: [] };
  if (isRenewal(reading, before)) return passed('the site that runs, with certificates that were renewed');
  if (isSame) return passed(`the site that runs, brought back to its own engine: ${carried.join(', ')}`);
  return passed([describe(difference), ...moved.evidence].join('; '), evidence);
}

function summaryOf(found: readonly Diagnostic[]): string {
  return found.map(({ path, message }) => [path, message].filter(Boolean).join(' ')).join('; ');
}

function inQuarantine(why: string): Diagnostic {
  return finding('HF106', '', `this text was rolled back before: ${why}`, {
    remedy: 'Change it, or release it: `holdfast apply FILE --release`',
  });
}

function older(ranAt: number): Diagnostic {
  return finding(
    'HF116',
    '',
    `this text ran before what runs now: it is the older one, of ${new Date(ranAt).toISOString()}`,
    {
      remedy:
        'Look for the newer file. If the older text is meant: `holdfast apply FILE --older`; back to what ran just before: `holdfast rollback`',
    },
  );
}

interface Moved {
  readonly found: readonly Diagnostic[];
  readonly evidence: readonly string[];
  readonly unknown: string | null;
}

/** How much of the recent traffic comes to other servers and answers. A renewal has no plan, and moves nothing. */
function movedTraffic(plan: PlanView | null, { limits: { movedTrafficShareMax: max } }: GuardPolicy): Moved {
  const nothing = { found: [], evidence: [], unknown: null };
  if (plan === null) return nothing;
  const { traffic } = plan;
  if (traffic === null)
    return max < 1
      ? { ...nothing, unknown: 'how much traffic it moves, without an access log in a file' }
      : nothing;
  if (traffic.requests === 0) return { ...nothing, evidence: [`no recent request in ${traffic.source}`] };
  const share = traffic.toOthers / traffic.requests;
  const said = `${percent(share)} of ${count(traffic.requests, 'recent request')} moved to other servers or answers`;
  const remedy = 'Move less at a time, or change guard.limits.movedTrafficShareMax first';
  if (share > max)
    return {
      ...nothing,
      found: [finding('HF101', '', `${said}, and at most ${percent(max)} may be at once`, { remedy })],
    };
  const perhaps = (traffic.toOthers + traffic.unknown) / traffic.requests;
  const unknown =
    max < 1 && perhaps > max
      ? `${said}, and where ${count(traffic.unknown, 'more')} would go is not known`
      : null;
  return { found: [], evidence: [said], unknown };
}

/** While one balancer tries a change, so many others serve. */
function tooFewSpare(statuses: readonly BalancerStatus[], min: number): readonly Diagnostic[] {
  const serving = statuses.filter(
    ({ carried, generations }) =>
      carried === null && generations.some(({ role, state }) => role === 'active' && state === 'accepting'),
  );
  const spare = Math.max(0, serving.length - 1);
  if (spare >= min) return [];
  return [
    finding(
      'HF101',
      'balancers',
      `leave ${spare} spare while one tries the change, and at least ${min} must serve beside it`,
      {
        remedy: 'Mend the others first (`holdfast status`), or change guard.limits.spareBalancersMin first',
      },
    ),
  ];
}

/** A change moves requests among servers, or from one engine to another. Which machines there are is for `up` to say. */
function anotherSite(before: Site, after: Site): readonly Diagnostic[] {
  const machines = ({ balancers }: Site) =>
    balancers.map(({ name, address }) => `${name} (on ${address})`).join(', ');
  const remedy = 'Stop the site and start it with this file: `holdfast up FILE`';
  return [
    ...(before.name === after.name
      ? []
      : [finding('HF101', 'site', `is "${after.name}", and "${before.name}" runs here`, { remedy })]),
    ...(machines(before) === machines(after)
      ? []
      : [
          finding('HF101', 'balancers', `are ${machines(after)}, and ${machines(before)} run`, {
            place: after.balancers[0]?.place ?? null,
            remedy,
          }),
        ]),
  ];
}

function removedTooMany(before: Site, difference: SiteDifference, shareMax: number): readonly Diagnostic[] {
  return before.pools.flatMap((pool) => {
    const removed = difference.serversRemoved.filter((server) => server.pool === pool.name);
    const share = removed.length / Math.max(1, pool.servers.length);
    if (removed.length === 0 || share <= shareMax) return [];
    return [
      finding(
        'HF101',
        `pool "${pool.name}"`,
        `loses ${removed.length} of ${pool.servers.length} servers (${percent(share)}), and at most ${percent(shareMax)} may go at once`,
        {
          place: pool.place,
          remedy: 'Remove fewer at a time, or change guard.limits.removedServersShareMax first',
        },
      ),
    ];
  });
}

function leftEmpty(site: Site): readonly Diagnostic[] {
  const empty = site.pools
    .filter(({ servers }) => servers.length === 0)
    .map(({ name, place }) => finding('HF101', `pool "${name}"`, 'has no server', { place }));
  const tables = [
    ...(site.listeners.length === 0 ? ['listeners'] : []),
    // The survey of an own text has no routes, and a text that only redirects has no pool.
    ...(site.routes.length === 0 && !site.own ? ['routes'] : []),
    ...(site.pools.length === 0 && !site.own ? ['pools'] : []),
  ].map((path) => finding('HF101', path, 'would be empty'));
  return [...empty, ...tables];
}

function finding(
  code: string,
  path: string,
  message: string,
  more: Partial<Pick<Diagnostic, 'place' | 'remedy'>> = {},
): Diagnostic {
  return { code, severity: 'error', path, message, place: null, remedy: '', ...more };
}

function describe({ serversAdded, serversRemoved, parts }: SiteDifference): string {
  const said = [
    ...(serversAdded.length > 0 ? [`${count(serversAdded.length, 'server')} added`] : []),
    ...(serversRemoved.length > 0 ? [`${count(serversRemoved.length, 'server')} removed`] : []),
    ...(parts.length > 0 ? [`${count(parts.length, 'part')} changed`] : []),
  ];
  return said.join(', ') || 'no part changes';
}

function evidenceOf({ serversAdded, serversRemoved, parts }: SiteDifference): readonly string[] {
  const where = (place: { file: string; line: number } | null) =>
    place ? `${place.file}:${place.line} ` : '';
  return [
    ...serversRemoved.map((s) => `- ${where(s.place)}pool "${s.pool}" server "${s.server}" ${s.address}`),
    ...serversAdded.map((s) => `+ ${where(s.place)}pool "${s.pool}" server "${s.server}" ${s.address}`),
    ...parts.map(
      (p) => `${p.how === 'added' ? '+' : p.how === 'removed' ? '-' : '~'} ${where(p.place)}${p.what}`,
    ),
  ];
}

export function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
