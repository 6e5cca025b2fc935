import type { ChangedServer, SiteDifference } from './difference.ts';
import { meaningOf } from './hash.ts';
import type { OwnText } from './own.ts';
import type { Pool } from './pool.ts';
import { hostPort } from './route.ts';
import type { Site } from './site.ts';

type Part = SiteDifference['parts'][number];

/** What a change does to the site's parts. A server is its address within its pool; a new name for it is a change of the pool. */
export function siteDifference(before: Site, after: Site): SiteDifference {
  const was = serversOf(before);
  const is = serversOf(after);
  return {
    serversAdded: [...is].filter(([key]) => !was.has(key)).map(([, server]) => server),
    serversRemoved: [...was].filter(([key]) => !is.has(key)).map(([, server]) => server),
    parts: [
      ...(before.name === after.name ? [] : [changed(`site "${after.name}"`)]),
      ...named('listeners', before.listeners, after.listeners, meaningOf),
      ...named('routes', before.routes, after.routes, meaningOf),
      ...orderOfRoutes(before, after),
      ...named('pools', before.pools, after.pools, poolMeaning),
      ...named('balancers', before.balancers, after.balancers, meaningOf),
      ...(meaningOf(before.timeouts) === meaningOf(after.timeouts) ? [] : [changed('timeouts')]),
      ...(meaningOf(before.accessLog) === meaningOf(after.accessLog) ? [] : [changed('accessLog')]),
      ...(meaningOf(before.guard) === meaningOf(after.guard) ? [] : [changed('guard')]),
      ...ownText(before, after),
    ],
  };
}

/** What an own text says beyond its listeners and servers is compared as text: any difference may matter. */
function ownText({ own: before }: Site, { own: after }: Site): Part[] {
  if (before === null && after === null) return [];
  if (!before || !after)
    return [changed(after ? `the text, now ${after.file}` : 'the text, now a site.yaml')];
  const texts = (own: OwnText) =>
    new Map([
      ['', own.text],
      ...own.includes.map((i) => [i.path, i.text] as const),
      ...own.digests.map((d) => [d.path, d.sha256] as const),
    ]);
  const [was, is] = [texts(before), texts(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((path): Part[] => {
    const [old, now] = [was.get(path), is.get(path)];
    if (old === now) return [];
    const file = path === '' ? after.file : path;
    if (old === undefined || now === undefined)
      return [{ what: file, how: old === undefined ? 'added' : 'removed', place: null }];
    return [{ what: file, how: 'changed', place: { file, line: firstDifference(old, now), column: 1 } }];
  });
}

function firstDifference(a: string, b: string): number {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const at = right.findIndex((line, index) => line !== left[index]);
  return (at === -1 ? right.length : at) + 1;
}

function serversOf(site: Site): Map<string, ChangedServer> {
  return new Map(
    site.pools.flatMap((pool) =>
      pool.servers.map((server) => {
        const address = hostPort(server.host, server.port);
        const changedServer = { pool: pool.name, server: server.name, address, place: server.place };
        return [`${pool.name} ${address}`, changedServer] as const;
      }),
    ),
  );
}

function changed(what: string): Part {
  return { what, how: 'changed', place: null };
}

interface Named {
  readonly name: string;
  readonly place: NonNullable<Part['place']>;
}

/** Places are the new file's, or the old one's for what is gone. */
function named<T extends Named>(
  section: string,
  before: readonly T[],
  after: readonly T[],
  meaning: (part: T, other: T) => string,
): Part[] {
  const old = new Map(before.map((part) => [part.name, part]));
  const now = new Set(after.map((part) => part.name));
  const addedOrChanged = after.flatMap((part, index): Part[] => {
    const earlier = old.get(part.name);
    const what = `${section}[${index}] "${part.name}"`;
    if (earlier === undefined) return [{ what, how: 'added', place: part.place }];
    return meaning(earlier, part) === meaning(part, earlier)
      ? []
      : [{ what, how: 'changed', place: part.place }];
  });
  const removed = before.flatMap((part, index): Part[] =>
    now.has(part.name)
      ? []
      : [{ what: `${section}[${index}] "${part.name}"`, how: 'removed', place: part.place }],
  );
  return [...addedOrChanged, ...removed];
}

/** A pool without the servers that only one side has: those are told on their own. */
function poolMeaning(pool: Pool, other: Pool): string {
  const kept = new Set(other.servers.map((server) => hostPort(server.host, server.port)));
  const servers = pool.servers.filter((server) => kept.has(hostPort(server.host, server.port)));
  return meaningOf({ ...pool, servers });
}

/** Among routes that are equally specific the first in the file decides. */
function orderOfRoutes(before: Site, after: Site): Part[] {
  const common = (site: Site, other: Site) => {
    const names = new Set(other.routes.map((route) => route.name));
    return site.routes.map((route) => route.name).filter((name) => names.has(name));
  };
  const same = meaningOf(common(before, after)) === meaningOf(common(after, before));
  return same ? [] : [changed('order of routes')];
}
