import { firstValues, pairs, type RawHeaders, valuesOf } from './headers.ts';

/** What stands before the body, checked: nothing in it can be read in two ways. */
export interface Head {
  readonly method: string;
  readonly host: string;
  /** Path and query as they came. */
  readonly target: string;
  readonly path: string;
  readonly query: string;
  readonly raw: RawHeaders;
  readonly hasBody: boolean;
  /** Names of headers that a neighbour has added already, in lower case. */
  readonly added?: ReadonlySet<string>;
}

export interface Refusal {
  readonly status: number;
  readonly why: string;
}

/** `old`: HTTP/1.0. `unknown`: what nobody may speak here. */
export type HttpVersion = 'unknown' | 'old' | '1.1' | '2';

export interface HeadSource {
  readonly method: string;
  readonly url: string;
  readonly raw: RawHeaders;
  readonly version: HttpVersion;
  readonly hasBody: boolean;
}

const hostShape = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(:\d{1,5})?$/;
const targetShape = /^\/[\x21\x22\x24-\x7e]*$/;

/** Node's parser has refused by now: content-length with transfer-encoding, two lengths, bare line feeds. */
export function readHead(source: HeadSource): Head | Refusal {
  const { method, raw, hasBody } = source;
  if (source.version === 'unknown') return { status: 505, why: 'a version of HTTP that is not spoken here' };
  const bad = framing(source);
  if (bad) return bad;
  const where = target(source);
  if ('why' in where) return where;
  return { method, host: where.host, ...targetParts(where.target), raw, hasBody };
}

function framing({ raw, version }: HeadSource): Refusal | null {
  const codings = valuesOf(raw, 'transfer-encoding');
  const lengths = valuesOf(raw, 'content-length');
  if (codings.length > 0 && lengths.length > 0)
    return { status: 400, why: 'both transfer-encoding and content-length' };
  if (codings.length > 0 && version !== '1.1')
    return { status: 400, why: 'transfer-encoding, which only HTTP/1.1 has' };
  if (lengths.length > 1 || lengths.some((l) => !/^\d{1,15}$/.test(l)))
    return { status: 400, why: 'content-length is not one number' };
  if (codings.length > 1 || codings.some((c) => c.trim().toLowerCase() !== 'chunked'))
    return { status: 501, why: 'a transfer-encoding other than chunked' };
  return null;
}

/** Host and target, from absolute form or HTTP/2's `:authority` where given; two that differ are refused. */
function target(source: HeadSource): { readonly host: string; readonly target: string } | Refusal {
  const hosts = valuesOf(source.raw, 'host');
  if (hosts.length > 1) return { status: 400, why: 'more than one host' };
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(source.url);
  const named = absolute?.[1] ?? valuesOf(source.raw, ':authority')[0];
  const host = named ?? hosts[0] ?? '';
  if (named !== undefined && hosts[0] !== undefined && named.toLowerCase() !== hosts[0].toLowerCase())
    return { status: 400, why: 'host and target name different hosts' };
  if (host === '' ? source.version !== 'old' : !hostShape.test(host))
    return { status: 400, why: 'host is missing or no host name' };
  const rest = absolute ? (absolute[2] ?? '') : source.url;
  const path = absolute && !rest.startsWith('/') ? `/${rest}` : rest;
  // The server as a whole: RFC 9112, 3.2.4.
  const isWhole = source.method === 'OPTIONS' && source.url === '*';
  return isWhole || targetShape.test(path)
    ? { host, target: path }
    : { status: 400, why: 'the target is no path' };
}

/** `decide`'s headers; `host` is the one that was settled on. */
export function routedHeaders(head: Head): Record<string, string> {
  return {
    ...firstValues([...pairs(head.raw)].flatMap(([n, , v]) => (n.startsWith(':') ? [] : [n, v]))),
    host: head.host,
  };
}

/** Headers in which another engine's net tells how a request was before it was rewritten, and which headers it has added. */
export const originalHeaders = ['holdfast-host', 'holdfast-target', 'holdfast-added'] as const;

/** The request as its client sent it. Only for what comes by the private entrance. */
export function restored(head: Head): Head {
  const [host] = valuesOf(head.raw, originalHeaders[0]);
  const [target] = valuesOf(head.raw, originalHeaders[1]);
  const [added] = valuesOf(head.raw, originalHeaders[2]);
  if (host === undefined && target === undefined && added === undefined) return head;
  const raw = [...pairs(head.raw)].flatMap(([name, lower, value]) =>
    originalHeaders.some((original) => original === lower) ? [] : [name, value],
  );
  const before = added === undefined ? {} : { added: new Set(added.split(',')) };
  return {
    ...head,
    ...before,
    host: host ?? head.host,
    raw,
    ...(target === undefined ? {} : targetParts(target)),
  };
}

function targetParts(target: string): Pick<Head, 'target' | 'path' | 'query'> {
  const question = target.indexOf('?');
  return {
    target,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? '' : target.slice(question + 1),
  };
}
