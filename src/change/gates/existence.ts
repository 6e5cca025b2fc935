import { assert, type Diagnostic } from '#base';
import type { DifferenceView, PlanView, ProbeResult } from '#contract';
import type { ActionView } from '#events';
import type { Site, SiteDifference } from '#model';
import {
  type Answer,
  type Asked,
  askEvery,
  couldNotTell,
  count,
  type Gate,
  type Proposal,
  passed,
  refused,
} from './gate.ts';
import { type DeadServer, deadServers, isSame, poolsBelowMinimum, type Wanted } from './servers.ts';

const probeTimeoutMs = 60_000;

/**
 * Every server that the change adds answers from every balancer, the way the engine would ask, also in pools that only a
 * name made of the request leads to; pools that the change touches, or brings requests to, keep their minimum of live servers.
 * A server that was there before and does not answer is reported, and blocks nothing; nor does a pool that the change leaves
 * with no fewer live servers than it has.
 */
export const existence: Gate<'existence'> = {
  name: 'existence',
  forceable: true,
  askedAfterRefusal: true,
  during: 'proposed',
  async ask(proposal) {
    const { balancers, reading, difference, policy, planned } = proposal;
    assert(reading.site, 'existence is asked after parse');
    const servers = reading.site.pools.flatMap((pool) =>
      pool.servers
        .filter(({ maintenance }) => !maintenance)
        .map((server) => ({ pool: pool.name, server: server.name })),
    );
    const [asked, removed] = await Promise.all([
      askEvery(balancers, 'probe', { site: reading.text, servers }, probeTimeoutMs),
      liveRemoved(proposal),
    ]);
    return judgeExistence(reading.site, difference, asked, {
      reached: reachedPools(reading.site, planned.view),
      removed,
      liveShareMin: policy.limits.liveServersShareMin,
    });
  },
};

/** What requests come to, also where chance decides. */
function poolsIn(action: ActionView): readonly string[] {
  if (action.kind !== 'pool') return [];
  return [action.pool, ...(action.shares ?? []).flatMap(({ action: one }) => poolsIn(one))];
}

/** A name that only a request makes may lead to any pool. */
function reachedPools(site: Site, plan: PlanView | null): ReadonlySet<string> {
  const after = (plan?.differences ?? []).map((difference) => difference.after);
  if (after.some(isUnknown)) return new Set(site.pools.map(({ name }) => name));
  const brought = ({ before, after: to }: DifferenceView) => {
    const were = poolsIn(before);
    return poolsIn(to).filter((pool) => !were.includes(pool));
  };
  return new Set(plan?.differences.flatMap(brought));
}

function isUnknown(action: ActionView): boolean {
  if (action.kind === 'unknown') return true;
  return action.kind === 'pool' && (action.shares ?? []).some(({ action: one }) => isUnknown(one));
}

/** A server that goes counted for something where any balancer reached it; who cannot say speaks for it. */
async function liveRemoved({ balancers, before, difference }: Proposal): Promise<Wanted['removed']> {
  const servers = difference.serversRemoved.map(({ pool, server }) => ({ pool, server }));
  if (servers.length === 0) return [];
  const { answers } = await askEvery(balancers, 'probe', { site: before.text, servers }, probeTimeoutMs);
  const isDead = (one: (typeof servers)[number]) =>
    answers.length > 0 &&
    answers.every(({ output }) => output.some((result) => isSame(result, one) && !result.ok));
  return servers.map((one) => ({ ...one, live: !isDead(one) }));
}

/** Pure. */
function judgeExistence(
  site: Site,
  difference: SiteDifference,
  asked: Asked<readonly ProbeResult[]>,
  wanted: Wanted,
): Answer {
  const dead = deadServers(site, asked);
  const added = dead.filter((one) => difference.serversAdded.some((server) => isSame(server, one)));
  const older = dead.filter((one) => !added.includes(one));
  const { against: short, notWorse } = poolsBelowMinimum(site, difference, dead, wanted);
  const notes = [
    ...older.flatMap((one) => one.evidence.map((line) => `was there before, blocks nothing: ${line}`)),
    ...notWorse,
  ];
  const unanswered = unansweredBy(difference, asked);
  if (added.length > 0 || short.length > 0)
    return refused(
      summaryOf(added.length, difference.serversAdded.length, short),
      [...added.flatMap((one) => one.evidence), ...notes],
      [...added.map(absent), ...short],
    );
  const silent = [...asked.silent, ...unanswered];
  if (silent.length > 0) return couldNotTell(silent);
  const from = asked.answers.map(({ balancer }) => balancer).join(' and ');
  const which = difference.serversAdded.length;
  return passed(
    which > 0
      ? `${which} of ${count(which, 'added server')} answered from ${from}`
      : `no server is added${older.length > 0 ? `; ${count(older.length, 'server')} that was there before does not answer` : ''}`,
    [...notes, ...answeredLines(difference, asked)],
  );
}

/** A balancer that answered but left out an added server has not said that it exists. */
function unansweredBy(
  { serversAdded }: SiteDifference,
  { answers }: Asked<readonly ProbeResult[]>,
): Asked<unknown>['silent'] {
  return answers.flatMap(({ balancer, output }) =>
    serversAdded
      .filter((server) => !output.some((result) => isSame(result, server)))
      .map(({ pool, server }) => ({ balancer, why: `said nothing about pool "${pool}" server "${server}"` })),
  );
}

function absent({ place, pool, server, address, tried, answered, from }: DeadServer): Diagnostic {
  return {
    code: 'HF103',
    severity: 'error',
    place,
    path: `pool "${pool}" server "${server}"`,
    message: `${address} does not answer ${from.join(', ')}: ${tried}: ${answered}`,
    remedy: 'Start it, mend its address, or leave it out',
  };
}

function summaryOf(dead: number, added: number, short: readonly Diagnostic[]): string {
  const said = [
    ...(dead > 0
      ? [`${dead} of ${count(added, 'added server')} ${dead === 1 ? 'does' : 'do'} not answer`]
      : []),
    ...short.map(({ path, message }) => `${path} ${message}`),
  ];
  return said.join('; ');
}

function answeredLines(
  { serversAdded }: SiteDifference,
  { answers }: Asked<readonly ProbeResult[]>,
): string[] {
  return answers.flatMap(({ balancer, output }) =>
    output
      .filter((result) => serversAdded.some((server) => isSame(server, result)))
      .map(
        (r) =>
          `pool "${r.pool}" server "${r.server}" ${r.address}, asked from ${balancer}: ${r.tried}: ${r.answered}`,
      ),
  );
}
