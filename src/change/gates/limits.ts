import { assert, type Diagnostic } from '#base';
import type { Site, SiteDifference } from '#model';
import { isRenewal } from '../reading.ts';
import { type Answer, askEvery, count, type Gate, type Proposal, passed, refused } from './gate.ts';

/** What the change does to the site's structure stays within the policy, and the text was not rolled back before. */
export const limits: Gate<'limits'> = {
  name: 'limits',
  forceable: true,
  askedAfterRefusal: false,
  during: 'proposed',
  ask: async (proposal) => judgeLimits(proposal, await carriedBalancers(proposal)),
};

const statusTimeoutMs = 2_000;

/** `lb-1 from builtin to haproxy`, for each that another engine carries: the text that runs brings it back. */
async function carriedBalancers({ balancers, reading, before }: Proposal): Promise<readonly string[]> {
  if (reading.text.hash !== before.text.hash) return [];
  const { answers } = await askEvery(balancers, 'status', {}, statusTimeoutMs);
  return answers.flatMap(({ balancer, output: { carried } }) =>
    carried ? [`${balancer} from ${carried.by} to ${carried.instead}`] : [],
  );
}

/** Pure. */
function judgeLimits(
  proposal: Pick<Proposal, 'reading' | 'before' | 'policy' | 'difference' | 'quarantined'>,
  carried: readonly string[] = [],
): Answer {
  const { reading, before, policy, difference, quarantined } = proposal;
  assert(reading.site, 'limits are asked after parse');
  const isSame = reading.text.hash === before.text.hash;
  if (isSame && carried.length === 0)
    return {
      ...passed('nothing to do: this is the site that already runs', [`hash ${before.text.hash}`]),
      nothingToDo: true,
    };
  const found = [
    ...(quarantined === null ? [] : [inQuarantine(quarantined)]),
    ...anotherSite(before.site, reading.site),
    ...removedTooMany(before.site, difference, policy.limits.removedServersShareMax),
    ...leftEmpty(reading.site),
  ];
  if (found.length > 0) return refused(summaryOf(found), evidenceOf(difference), found);
  if (isRenewal(reading, before)) return passed('the site that runs, with certificates that were renewed');
  if (isSame) return passed(`the site that runs, brought back to its own engine: ${carried.join(', ')}`);
  return passed(describe(difference), evidenceOf(difference));
}

function summaryOf(found: readonly Diagnostic[]): string {
  return found.map(({ path, message }) => [path, message].filter(Boolean).join(' ')).join('; ');
}

function inQuarantine(why: string): Diagnostic {
  return finding('HF106', '', `this text was rolled back before: ${why}`, {
    remedy: 'Change it, or release it: `holdfast apply FILE --release`',
  });
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
