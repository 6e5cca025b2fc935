import type { FaultScope } from '#events';
import type { ChangePicture, Picture } from '../picture.ts';
import { type Finding, namesOf, unique, verb } from './finding.ts';

/** A change is looked at for so long after it got its first traffic. */
const suspectMs = 300_000;
/** Clocks, and the time between a tick and its change's record. */
const slackMs = 2_000;
/** One so near before the fault is named even where nothing proves it. */
const nearMs = 30_000;

export interface Blamed extends Finding {
  readonly change: ChangePicture | null;
}

/** Joins what was found with the change that may have brought it: by what it added, by what it touched, by when it came. */
export function blame(finding: Finding, { changes, startedAt }: Picture): Blamed {
  const recent = changes.filter(({ at }) => at <= startedAt + slackMs && startedAt - at <= suspectMs);
  const adding = recent.find(({ added }) => isAdded(finding, added));
  if (adding) return { ...byServers(finding, adding, startedAt), change: adding };
  const touching = recent.find((change) => touches(change, finding));
  if (touching) return { ...byParts(finding, touching, startedAt), change: touching };
  const near = recent.find(({ at, inFlight }) => inFlight || startedAt - at <= nearMs);
  if (near && !finding.certain) {
    const scope: FaultScope = { kind: 'change', change: near.change, place: null };
    return {
      ...finding,
      culprits: [...finding.culprits, scope],
      sentence: `${finding.sentence}; or change ${near.change} (${beforeWords(near, startedAt)}), which says nothing of it`,
      change: null,
    };
  }
  return { ...finding, change: null };
}

function isAdded({ servers = [] }: Finding, added: ChangePicture['added']): boolean {
  return (
    servers.length > 0 &&
    servers.every(({ pool, server }) => added.some((one) => one.pool === pool && one.server === server))
  );
}

function byServers(finding: Finding, change: ChangePicture, startedAt: number): Finding {
  const servers = finding.servers ?? [];
  const [first] = servers.flatMap(({ pool, server }) =>
    change.added.filter((one) => one.pool === pool && one.server === server),
  );
  const place = first?.place ?? null;
  const line = place ? ` (${place.file}:${place.line})` : '';
  return {
    ...finding,
    culprits: [{ kind: 'change', change: change.change, place }],
    sentence: `${finding.sentence}, and ${verb(servers.length, 'has', 'have')} never answered; change ${change.change} added ${verb(servers.length, 'it', 'them')} ${beforeWords(change, startedAt)}${line}`,
    evidence: [
      ...finding.evidence,
      `${change.change} by ${change.by} added ${namesOf(servers.map((s) => `${s.pool}/${s.server}`))}${line}`,
    ],
    advice: `holdfast rollback: takes change ${change.change} back`,
    certain: true,
  };
}

function touches({ difference }: ChangePicture, { pools, culprits }: Finding): boolean {
  const fromServers =
    culprits.length > 0 &&
    culprits.every(
      ({ kind }) =>
        kind === 'server' || kind === 'zone' || kind === 'host' || kind === 'network' || kind === 'name',
    );
  if (fromServers) return false;
  const named = pools === 'all' ? [] : pools;
  const inParts = difference.parts.some(
    ({ what }) =>
      named.length === 0 ||
      named.some((pool) => what.includes(`"${pool}"`)) ||
      /^(?:routes?|listeners?)\b/.test(what),
  );
  return inParts || difference.serversRemoved.some(({ pool }) => named.includes(pool));
}

function byParts(finding: Finding, change: ChangePicture, startedAt: number): Finding {
  const { parts, serversRemoved } = change.difference;
  const [first] = parts;
  const place = first?.place ?? null;
  const said = unique([
    ...parts.map(({ what, how }) => `${what} ${how}`),
    ...serversRemoved.map(({ pool, server }) => `server ${pool}/${server} removed`),
  ]);
  const line = place ? ` (${place.file}:${place.line})` : '';
  const before = beforeWords(change, startedAt);
  return {
    ...finding,
    culprits: finding.certain
      ? [{ kind: 'change', change: change.change, place }]
      : [{ kind: 'change', change: change.change, place }, ...finding.culprits],
    sentence: `${finding.sentence}; change ${change.change} (${namesOf(said, 3)})${line} came ${before}`,
    evidence: [...finding.evidence, `${change.change} by ${change.by}, ${before}: ${namesOf(said)}`],
    advice: `holdfast rollback: takes change ${change.change} back; if it goes on, it was not the change`,
  };
}

function beforeWords({ at, inFlight }: ChangePicture, startedAt: number): string {
  const seconds = Math.max(0, startedAt - at) / 1_000;
  const before = seconds < 120 ? `${seconds.toFixed(1)} s before` : `${Math.round(seconds / 60)} min before`;
  return inFlight ? `${before}, and is still in flight` : before;
}
