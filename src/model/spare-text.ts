import { isMap, isScalar, isSeq, parseDocument, type Scalar, type YAMLMap } from 'yaml';
import type { Server } from './pool.ts';
import { hostPort } from './route.ts';
import { mark, spareName } from './spares.ts';

/**
 * The text of a site file in which that spare server serves beside the others, or is spare again; every other character is
 * as it was. Null: it is written in a way that cannot be edited (an alias, a short form).
 */
export function withSpare(text: string, pool: string, server: Server, joins: boolean): string | null {
  const entry = entryOf(text, pool, hostPort(server.host, server.port), server.name);
  const spare = entry && scalarOf(entry, 'spare');
  const name = entry && scalarOf(entry, 'name');
  if (!entry || !spare?.range) return null;
  const wanted = joins ? `${server.name}${mark}` : spareName(server.name);
  if (name?.range) return replaced(text, [name.range, wanted], [spare.range, String(!joins)]);
  // The key, its colon and its value: of a block each stands on a line of its own.
  const keyAt = keyStart(entry, 'spare');
  if (keyAt === null) return null;
  const indent = keyAt - (text.lastIndexOf('\n', keyAt - 1) + 1);
  const between = entry.flow ? ', ' : `\n${' '.repeat(indent)}`;
  return replaced(text, [[keyAt, keyAt], `name: ${wanted}${between}`], [spare.range, String(!joins)]);
}

function entryOf(text: string, pool: string, address: string, name: string): YAMLMap | null {
  const pools = parseDocument(text).get('pools');
  const found = isSeq(pools) ? pools.items.find((one) => isMap(one) && one.get('name') === pool) : null;
  const servers = isMap(found) ? found.get('servers') : null;
  if (!isSeq(servers)) return null;
  const entry = servers.items.find(
    (one) => isMap(one) && (one.get('name') === name || (!one.has('name') && one.get('address') === address)),
  );
  return isMap(entry) ? entry : null;
}

function scalarOf(entry: YAMLMap, key: string): Scalar | null {
  const node = entry.get(key, true);
  return isScalar(node) ? node : null;
}

function keyStart(entry: YAMLMap, key: string): number | null {
  const pair = entry.items.find((one) => isScalar(one.key) && one.key.value === key);
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? null) : null;
}

type Edit = readonly [readonly [number, number, ...unknown[]], string];

function replaced(text: string, ...edits: readonly Edit[]): string {
  const backwards = edits.toSorted(([[a]], [[b]]) => b - a);
  return backwards.reduce((now, [[from, to], word]) => now.slice(0, from) + word + now.slice(to), text);
}
