import { constants, createGzip, type Gzip } from 'node:zlib';
import type { Compression } from '#model';
import { pairs, type RawHeaders, valuesOf } from './headers.ts';

/** What an answer has to do with compression. `may`: some client gets it compressed, so caches are told. */
export interface Compressing {
  readonly headers: readonly string[];
  readonly stream: Gzip | null;
}

/** `accepts`: what the client said it takes; null: a client that takes nothing, such as one of HTTP/1.0. */
export function compressing(
  { types, minBytes }: Compression,
  asked: { readonly method: string; readonly accepts: readonly string[] | null },
  status: number,
  headers: RawHeaders,
): Compressing {
  if (status !== 200 || asked.method === 'HEAD' || !fits(types, minBytes, headers))
    return { headers: [...headers], stream: null };
  const varied = withVary(headers);
  if (!takesGzip(asked.accepts)) return { headers: varied, stream: null };
  // Each piece goes out as it comes: an answer may be a stream of events.
  const stream = createGzip({ flush: constants.Z_SYNC_FLUSH });
  return { headers: [...compressedHeaders(varied), 'content-encoding', 'gzip'], stream };
}

function fits(types: readonly string[], minBytes: number | null, headers: RawHeaders): boolean {
  const [type = ''] = valuesOf(headers, 'content-type');
  const [length] = valuesOf(headers, 'content-length');
  const control = valuesOf(headers, 'cache-control').join(',').toLowerCase();
  return (
    types.includes(type.replace(/;.*$/, '').trim().toLowerCase()) &&
    valuesOf(headers, 'content-encoding').length === 0 &&
    !control.includes('no-transform') &&
    (length === undefined || Number(length) >= Math.max(1, minBytes ?? 1))
  );
}

function takesGzip(accepts: readonly string[] | null): boolean {
  const offers = (accepts ?? []).join(',').split(',');
  const of = (coding: string) => {
    const found = offers.find((offer) => offer.replace(/;.*$/, '').trim().toLowerCase() === coding);
    return found === undefined ? null : !/;\s*q=0(?:\.0*)?\s*$/.test(found);
  };
  return of('gzip') ?? of('*') ?? false;
}

function withVary(headers: RawHeaders): string[] {
  const said = valuesOf(headers, 'vary').join(',').toLowerCase();
  return said.includes('accept-encoding') || said.includes('*')
    ? [...headers]
    : [...headers, 'vary', 'Accept-Encoding'];
}

/** Of other bytes: another length, no ranges, and the same only by meaning. */
function compressedHeaders(headers: RawHeaders): string[] {
  return [...pairs(headers)].flatMap(([name, lower, value]) => {
    if (lower === 'content-length' || lower === 'accept-ranges') return [];
    if (lower === 'etag' && !value.startsWith('W/')) return [name, `W/${value}`];
    return [name, value];
  });
}
