import { changedPath, type Filters, type HeaderChanges } from '#routing';
import type { Head } from './head.ts';
import { pairs, type RawHeaders } from './headers.ts';
import type { SendOptions } from './send.ts';

/** `at` in [0, 1). */
export function drawnPool(
  shares: readonly { readonly pool: string; readonly weight: number }[],
  at: number,
): string {
  let left = at * shares.reduce((sum, { weight }) => sum + weight, 0);
  for (const { pool, weight } of shares) {
    left -= weight;
    if (left < 0) return pool;
  }
  return shares.at(-1)?.pool ?? '';
}

/** What a server sees of a request, and what is done to its answer. A neighbour gets the request as it came. */
export function filtered(
  filters: Filters | null,
  head: Head,
  options: SendOptions,
): [head: Head, options: SendOptions] {
  if (filters === null) return [head, options];
  const { rewrite, requestHeaders, responseHeaders, timeouts } = filters;
  const path = changedPath(rewrite?.path ?? null, head.path);
  // The target's own end, so that a `?` with nothing behind it stays.
  const target = path + head.target.slice(head.path.length);
  const hostname = rewrite?.hostname ?? null;
  const named =
    hostname === null
      ? options.headers
      : changedHeaders(options.headers, { remove: [], set: [{ name: 'host', value: hostname }], add: [] });
  // What a neighbour has added before its net sent the request here is not added again.
  const add = requestHeaders?.add.filter(({ name }) => !head.added?.has(name.toLowerCase())) ?? [];
  const headers = requestHeaders ? changedHeaders(named, { ...requestHeaders, add }) : named;
  return [
    { ...head, target },
    {
      ...options,
      headers,
      responseHeaders,
      serverMs: timeouts?.serverMs ?? options.serverMs,
      tunnelMs: timeouts?.tunnelMs ?? options.tunnelMs,
    },
  ];
}

export function changedHeaders(raw: RawHeaders, { remove, set, add }: HeaderChanges): string[] {
  const gone = new Set([...remove, ...set.map(({ name }) => name)].map((name) => name.toLowerCase()));
  const kept = [...pairs(raw)].flatMap(([name, lower, value]) => (gone.has(lower) ? [] : [name, value]));
  return [...kept, ...[...set, ...add].flatMap(({ name, value }) => [name, value])];
}
