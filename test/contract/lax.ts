import { MessageReader } from './message.ts';

/**
 * How servers in the wild read what is not exactly right. What a front passes on must be read alike by all of them:
 * then no server can take part of one request for another. That chunks are known at all is taken for granted: a server
 * that speaks only HTTP/1.0 must not stand behind anything that takes uploads.
 */
export interface Quirks {
  /** A bare line feed ends a line. */
  readonly lineFeeds?: true;
  /** A bare carriage return ends a line. */
  readonly returns?: true;
  /** White space before a colon does not belong to the name. */
  readonly spacedNames?: true;
  /** A line that begins with white space goes on with the one before it. */
  readonly folds?: true;
  /** A zero byte ends a value. */
  readonly zeros?: true;
  /** Which says how long a body is when both do. */
  readonly precedence?: 'length' | 'coding';
  /** Anything that has `chunked` in it is. */
  readonly anyChunked?: true;
  /** Which of several lengths counts. */
  readonly lengths?: 'first' | 'last';
  /** `+5`, `5, 5`, `5x` are 5. */
  readonly looseNumbers?: true;
  /** What stands behind the digits of a chunk's size is read over, line ends too. */
  readonly looseChunks?: true;
}

export const readers: Readonly<Record<string, Quirks>> = {
  'ends lines at a line feed': { lineFeeds: true },
  'ends lines at a carriage return': { returns: true, lineFeeds: true },
  'trims names': { spacedNames: true },
  'joins folded lines': { folds: true },
  'ends values at a zero byte': { zeros: true },
  'believes the length': { precedence: 'length' },
  'believes the coding': { precedence: 'coding' },
  'finds chunked anywhere': { anyChunked: true },
  'takes the first length': { lengths: 'first' },
  'takes the last length': { lengths: 'last' },
  'reads numbers loosely': { looseNumbers: true, lengths: 'first' },
  'reads chunk sizes loosely': { looseChunks: true },
  'does all of it, length first': {
    ...{ lineFeeds: true, returns: true, spacedNames: true, folds: true, zeros: true, precedence: 'length' },
    ...{ anyChunked: true, lengths: 'first', looseNumbers: true, looseChunks: true },
  },
  'does all of it, coding first': {
    ...{ lineFeeds: true, returns: true, spacedNames: true, folds: true, zeros: true, precedence: 'coding' },
    ...{ anyChunked: true, lengths: 'last', looseNumbers: true, looseChunks: true },
  },
};

const requestsMax = 1_000;

/** The first lines of all requests that such a server would see begin in these bytes. Ends at what it cannot read. */
export function readLaxly(bytes: string, quirks: Quirks): string[] {
  const lines: string[] = [];
  let rest = bytes;
  while (rest !== '' && lines.length < requestsMax) {
    const end = headEnd(rest, quirks);
    if (end === null) break;
    const [start = '', ...fields] = linesOf(rest.slice(0, end.from), quirks);
    rest = rest.slice(end.to);
    if (start === '') continue;
    lines.push(start);
    const length = bodyLength(rest, fieldsOf(fields, quirks), quirks);
    if (length === null) break;
    rest = rest.slice(length);
  }
  return lines;
}

/** Of a strict server; null when it would refuse. */
export function readStrictly(bytes: string): string[] | null {
  const reader = new MessageReader({ kind: 'request', tolerant: true });
  reader.push(bytes);
  return reader.fault === null ? reader.messages.map(({ start }) => start) : null;
}

/** Why these bytes can be read in two ways; null when all servers read them alike. */
export function ambiguity(bytes: string): string | null {
  const strict = readStrictly(bytes);
  if (strict === null) return 'a strict server refuses them';
  for (const [name, quirks] of Object.entries(readers)) {
    const lax = readLaxly(bytes, quirks);
    if (lax.length !== strict.length || lax.some((line, i) => line !== strict[i]))
      return `a server that ${name} sees ${lax.length} requests, a strict one ${strict.length}`;
  }
  return null;
}

function lineEnds({ lineFeeds, returns }: Quirks): string {
  return returns ? '(?:\\r\\n|\\r(?!\\n)|\\n)' : lineFeeds ? '\\r?\\n' : '\\r\\n';
}

function headEnd(bytes: string, quirks: Quirks): { readonly from: number; readonly to: number } | null {
  const found = new RegExp(`^${lineEnds(quirks)}|${lineEnds(quirks)}${lineEnds(quirks)}`).exec(bytes);
  return found ? { from: found.index, to: found.index + found[0].length } : null;
}

function linesOf(head: string, quirks: Quirks): string[] {
  const lines = head.split(new RegExp(lineEnds(quirks)));
  if (!quirks.folds) return lines;
  return lines.reduce<string[]>((joined, line) => {
    const last = joined.at(-1);
    if (/^[ \t]/.test(line) && last !== undefined && joined.length > 1)
      joined[joined.length - 1] = `${last} ${line.trim()}`;
    else joined.push(line);
    return joined;
  }, []);
}

function fieldsOf(lines: readonly string[], quirks: Quirks): [string, string][] {
  return lines.flatMap((line): [string, string][] => {
    const colon = line.indexOf(':');
    if (colon < 0) return [];
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1);
    return [
      [
        (quirks.spacedNames ? name.trim() : name).toLowerCase(),
        (quirks.zeros ? value.replace(/\0.*$/s, '') : value).replace(/^[ \t]+|[ \t]+$/g, ''),
      ],
    ];
  });
}

/** How many bytes behind the head belong to the request; null when such a server would refuse it. */
function bodyLength(rest: string, fields: readonly [string, string][], quirks: Quirks): number | null {
  const of = (wanted: string) => fields.flatMap(([name, value]) => (name === wanted ? [value] : []));
  const codings = of('transfer-encoding');
  const lengths = of('content-length');
  const isChunked = quirks.anyChunked
    ? codings.some((coding) => /chunked/i.test(coding))
    : codings.at(-1)?.toLowerCase() === 'chunked';
  if (isChunked && (lengths.length === 0 || quirks.precedence !== 'length'))
    return chunkedLength(rest, quirks);
  const length = quirks.lengths === 'last' ? lengths.at(-1) : lengths[0];
  if (length === undefined) return 0;
  const digits = (quirks.looseNumbers ? /^\+?(\d+)/ : /^(\d+)$/).exec(length)?.[1];
  return digits === undefined ? null : Number(digits);
}

function chunkedLength(bytes: string, quirks: Quirks): number | null {
  const end = quirks.looseChunks || quirks.lineFeeds ? '\\r?\\n' : '\\r\\n';
  const sizeLine = quirks.looseChunks
    ? new RegExp(`^[ \\t]*(?:0x)?([0-9a-fA-F]+)[^\\n]*?${end}`)
    : new RegExp(`^([0-9a-fA-F]+)[ \\t]*(?:;[^\\r\\n]*)?${end}`);
  let at = 0;
  for (;;) {
    const found = sizeLine.exec(bytes.slice(at));
    if (!found) return at >= bytes.length ? at : bytes.length;
    const size = Number.parseInt(found[1] ?? '', 16);
    at += found[0].length;
    if (size === 0) break;
    at += size;
    at += new RegExp(`^${end}`).exec(bytes.slice(at))?.[0].length ?? 0;
    if (at >= bytes.length) return bytes.length;
  }
  const trailers = new RegExp(`^(?:[^\\r\\n]+${end})*${end}`).exec(bytes.slice(at));
  return trailers ? at + trailers[0].length : bytes.length;
}
