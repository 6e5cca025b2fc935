import type { Filters, HeaderChanges, RoutedListener } from '#routing';
import { changed } from './answers.ts';
import { format, milliseconds, ours, word } from './vocabulary.ts';

/**
 * What routes do to requests and answers on their way. Frontends only note which filters a request gets, in a
 * variable: the request itself is changed in the pool's section, so that the take-back leads it as it came.
 */
export interface FilterTable {
  /** `f1`, the same for every rule with the same filters. */
  idOf(filters: Filters): string;
  /** What requests of this pool may get, in the order of their ids. */
  of(pool: string): readonly (readonly [id: string, filters: Filters])[];
}

export function filterTable(routed: readonly RoutedListener[]): FilterTable {
  const ids = new Map<
    string,
    { readonly id: string; readonly filters: Filters; readonly pools: Set<string> }
  >();
  for (const { action, filters } of routed.flatMap(({ rules }) => rules)) {
    if (filters === null) continue;
    const key = JSON.stringify(filters);
    const known = ids.get(key) ?? { id: `f${ids.size + 1}`, filters, pools: new Set() };
    ids.set(key, known);
    if (action.kind === 'pool') known.pools.add(action.pool);
    if (action.kind === 'split') for (const { pool } of action.shares) known.pools.add(pool);
  }
  return {
    idOf: (filters) => ids.get(JSON.stringify(filters))?.id ?? '',
    of: (pool) => [...ids.values()].filter(({ pools }) => pools.has(pool)).map((f) => [f.id, f.filters]),
  };
}

/** The pool's lines. `net`: a request may go on to the neighbour, which chooses its route anew. */
export function filterLines(table: FilterTable, pool: string, net: boolean): string[] {
  const all = table.of(pool);
  const response = all.some(([, { responseHeaders }]) => responseHeaders !== null);
  return [
    ...all.flatMap(([id, filters]) => [
      `acl ${id} ${ours.filters} -m str ${id}`,
      ...requestLines(filters, net).map((line) => `http-request ${line} if ${id}`),
      ...addLines(filters, id, net),
    ]),
    ...(response && net ? [`acl from.net srv_name -m str ${ours.net}`] : []),
    ...all.flatMap(([id, { responseHeaders }]) =>
      changeLines(responseHeaders).map(
        // The neighbour has changed its answer already.
        (line) => `http-response ${line} if ${id}${net ? ' !from.net' : ''}`,
      ),
    ),
  ];
}

function requestLines({ rewrite, requestHeaders, timeouts }: Filters, net: boolean): string[] {
  const host = rewrite?.hostname ?? null;
  const path = rewrite?.path ?? null;
  return [
    ...(net && rewrite
      ? [`set-header ${ours.originalHost} %[req.hdr(host)]`, `set-header ${ours.originalTarget} %[pathq]`]
      : []),
    ...(path === null
      ? []
      : [`set-var(txn.target) ${word(changed('path', path))}`, 'set-path %[var(txn.target)]']),
    ...(host === null ? [] : [`set-header Host ${word(format(host))}`]),
    ...changeLines(requestHeaders && { ...requestHeaders, add: [] }),
    ...timeoutLine('server', timeouts?.serverMs),
    ...timeoutLine('tunnel', timeouts?.tunnelMs),
  ];
}

/** What a neighbour has added before its net sent the request here is not added again. */
function addLines({ requestHeaders }: Filters, id: string, net: boolean): string[] {
  const add = requestHeaders?.add ?? [];
  if (add.length === 0) return [];
  const names = [...new Set(add.map(({ name }) => name.toLowerCase()))];
  return [
    ...add.map(({ name, value }) => {
      const before = `{ var(${ours.addedVariable}) -m sub -- ${word(`,${name.toLowerCase()},`)} }`;
      return `http-request add-header ${word(name)} ${word(format(value))} if ${id} !${before}`;
    }),
    ...(net
      ? [`http-request set-header ${ours.added} ${word(format(`,${names.join(',')},`))} if ${id}`]
      : []),
  ];
}

function timeoutLine(name: 'server' | 'tunnel', ms: number | null | undefined): string[] {
  return ms == null ? [] : [`set-timeout ${name} ${milliseconds(ms)}`];
}

function changeLines(changes: HeaderChanges | null): string[] {
  if (changes === null) return [];
  return [
    ...changes.remove.map((name) => `del-header ${word(name)}`),
    ...changes.set.map(({ name, value }) => `set-header ${word(name)} ${word(format(value))}`),
    ...changes.add.map(({ name, value }) => `add-header ${word(name)} ${word(format(value))}`),
  ];
}

/** In the private entrance, first of all: what a neighbour's net had changed before it found no server. */
export const restoreLines: readonly string[] = [
  `http-request set-header Host %[req.hdr(${ours.originalHost})] if { req.hdr(${ours.originalHost}) -m found }`,
  `http-request set-pathq %[req.hdr(${ours.originalTarget})] if { req.hdr(${ours.originalTarget}) -m found }`,
  `http-request set-var(${ours.addedVariable}) req.fhdr(${ours.added}) if { req.fhdr(${ours.added}) -m found }`,
  `http-request del-header ${ours.originalPrefix} -m beg`,
];

/** In every public door: nobody but a neighbour says what a request was. */
export const forbidLines: readonly string[] = [`http-request del-header ${ours.originalPrefix} -m beg`];
