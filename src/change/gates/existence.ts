import { assert, type Diagnostic, type Place } from '#base';
import type { ProbeResult } from '#contract';
import type { ActionView, ServerRef } from '#events';
import type { Site, SiteDifference } from '#model';
import {
  type Answer,
  type Asked,
  askEvery,
  couldNotTell,
  count,
  type Gate,
  passed,
  refused,
} from './gate.ts';
import { percent } from './limits.ts';

const probeTimeoutMs = 60_000;

/**
 * Every server that the change adds answers from every balancer, the way the engine would ask; pools that the change touches,
 * or brings requests to, keep their minimum of live servers. A server that was there before and does not answer is reported, and blocks nothing.
 */
export const existence: Gate<'existence'> = {
  name: 'existence',
  forceable: true,
  askedAfterRefusal: true,
  during: 'proposed',
  async ask({ balancers, reading, difference, policy, planned }) {
    assert(reading.site, 'existence is asked after parse');
    const servers = reading.site.pools.flatMap((pool) =>
      pool.servers
        .filter(({ maintenance }) => !maintenance)
        .map((server) => ({ pool: pool.name, server: server.name })),
    );
    const asked = await askEvery(balancers, 'probe', { site: reading.text, servers }, probeTimeoutMs);
    const reached = planned.view?.differences.flatMap(({ after }) => poolsIn(after)) ?? [];
    return judgeExistence(reading.site, difference, asked, {
      reached: new Set(reached),
      liveShareMin: policy.limits.liveServersShareMin,
    });
  },
};

/** What requests come to, also where chance decides. */
function poolsIn(action: ActionView): readonly string[] {
  if (action.kind !== 'pool') return [];
  return [action.pool, ...(action.shares ?? []).flatMap(({ action: one }) => poolsIn(one))];
}

interface Wanted {
  /** Pools that requests come to which did not before. */
  readonly reached: ReadonlySet<string>;
  readonly liveShareMin: number;
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
  const short = poolsBelowMinimum(site, difference, dead, wanted);
  const notes = older.flatMap((one) =>
    one.evidence.map((line) => `was there before, blocks nothing: ${line}`),
  );
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

interface DeadServer extends ServerRef {
  readonly place: Place | null;
  readonly address: string;
  /** One line a balancer that it did not answer. */
  readonly evidence: readonly string[];
  readonly tried: string;
  readonly answered: string;
  readonly from: readonly string[];
}

function deadServers(site: Site, { answers }: Asked<readonly ProbeResult[]>): readonly DeadServer[] {
  const found = new Map<string, DeadServer>();
  for (const { balancer, output } of answers)
    for (const result of output) {
      if (result.ok) continue;
      const key = `${result.pool}/${result.server}`;
      const place = placeOf(site, result);
      const before = found.get(key);
      const where = place ? `${place.file}:${place.line} ` : '';
      const line = `${where}pool "${result.pool}" server "${result.server}" ${result.address}, asked from ${balancer}: ${result.tried}: ${result.answered}`;
      found.set(key, {
        pool: result.pool,
        server: result.server,
        address: result.address,
        place,
        tried: result.tried,
        answered: result.answered,
        from: [...(before?.from ?? []), balancer],
        evidence: [...(before?.evidence ?? []), line],
      });
    }
  return [...found.values()];
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

function poolsBelowMinimum(
  site: Site,
  { serversAdded, serversRemoved }: SiteDifference,
  dead: readonly ServerRef[],
  { reached, liveShareMin }: Wanted,
): readonly Diagnostic[] {
  const touched = new Set([...reached, ...[...serversAdded, ...serversRemoved].map(({ pool }) => pool)]);
  return site.pools.flatMap((pool) => {
    const all = pool.servers.length;
    const live = all - dead.filter((one) => one.pool === pool.name).length;
    if (!touched.has(pool.name) || live / Math.max(1, all) >= liveShareMin) return [];
    return [
      {
        code: 'HF103',
        severity: 'error',
        place: pool.place,
        path: `pool "${pool.name}"`,
        message: `would have ${live} of ${count(all, 'server')} live, and at least ${percent(liveShareMin)} must be`,
        remedy: 'Start servers first, or change guard.limits.liveServersShareMin first',
      } as const,
    ];
  });
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

function placeOf(site: Site, ref: ServerRef): Place | null {
  const pool = site.pools.find(({ name }) => name === ref.pool);
  return pool?.servers.find(({ name }) => name === ref.server)?.place ?? null;
}

function isSame(a: ServerRef, b: ServerRef): boolean {
  return a.pool === b.pool && a.server === b.server;
}
