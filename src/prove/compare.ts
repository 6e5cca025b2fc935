import type { StagedText } from '#dialects';
import { meaning } from '#routing';
import type { Reply } from './ask.ts';
import { markHeader, type Seen } from './stand-ins.ts';

/** What came back of one request. */
export interface Came {
  readonly reply: Reply;
  /** What the stand-in that answered saw; null: none did. */
  readonly seen: Seen | null;
}

/** What came, for people: `pool web, server web1 (10.0.0.1:80)`, `redirect 301 to https://...`. */
export function cameText({ reply, seen }: Came): string {
  if (seen) return `pool ${seen.server.pool}, server ${seen.server.server} (${seen.server.address})`;
  if (reply.kind === 'closed') return 'connection closed without an answer';
  if (reply.kind === 'silent') return 'no answer';
  const location = reply.headers.get('location');
  return location === undefined ? `answer ${reply.status}` : `redirect ${reply.status} to ${location}`;
}

export function seenIn(reply: Reply, seen: (mark: string) => Seen | null): Seen | null {
  const mark = reply.kind === 'answer' ? reply.headers.get(markHeader) : undefined;
  return mark === undefined ? null : seen(mark);
}

/** Null: as foretold. Otherwise what differs, for people. */
export function disagreement(
  fate: meaning.FateView,
  came: Came,
  staged: Pick<StagedText, 'names'>,
  port: number | null,
): string | null {
  const { reply, seen } = came;
  const status = reply.kind === 'answer' ? reply.status : null;
  switch (fate.kind) {
    case 'pool':
      return ofPool(fate, came, staged);
    case 'split': {
      const wrong = fate.shares
        .filter(({ weight }) => weight > 0)
        .map((share) => disagreement(share.fate, came, staged, port));
      return wrong.some((one) => one === null) ? null : (wrong[0] ?? 'none of the shares');
    }
    case 'redirect': {
      const location = reply.kind === 'answer' ? (reply.headers.get('location') ?? null) : null;
      if (status !== fate.status) return `status ${fate.status} was foretold`;
      if (typeof fate.location !== 'string') return null;
      const [told, got] = [fate.location.trim(), location].map((one) => withoutPort(one, port));
      return told === got ? null : `a redirect to ${fate.location} was foretold`;
    }
    case 'answer':
      return status === fate.status && seen === null ? null : `answer ${fate.status} was foretold`;
    case 'file':
      return seen === null && status !== null && fileStatuses.has(status) ? null : 'a file was foretold';
    case 'reject':
      if (fate.how === 'silent') return reply.kind === 'answer' ? 'silence was foretold' : null;
      return reply.kind === 'closed' ? null : 'a closed connection was foretold';
    case 'unknown':
      return null;
  }
}

/** Whatever becomes of a file: there, moved to its folder, not allowed, not there, not by that method; an error page. */
const fileStatuses = new Set([200, 206, 301, 304, 403, 404, 405, 500]);

/** A listener on a private socket has no port of its own to write into a URL. */
function withoutPort(location: string | null | undefined, port: number | null): string | null {
  if (location === null || location === undefined || port === null) return location ?? null;
  return location.replace(new RegExp(`^(https?://[^/?#]*?):${port}(?=[/?#]|$)`), '$1');
}

function ofPool(
  fate: Extract<meaning.FateView, { kind: 'pool' }>,
  { reply, seen }: Came,
  { names }: Pick<StagedText, 'names'>,
): string | null {
  if (fate.servers.length === 0) {
    const isEmpty = reply.kind === 'answer' && [502, 503].includes(reply.status);
    return isEmpty || reply.kind === 'closed' ? null : `pool ${fate.pool} without a server was foretold`;
  }
  if (!seen || seen.server.pool !== fate.pool) return `pool ${fate.pool} was foretold`;
  if (!fate.servers.includes(seen.server.address))
    return `one of ${fate.servers.slice(0, 5).join(', ')} was foretold`;
  return seen.server.foreign ? null : sentWrong(fate.sent, seen, names);
}

/** Of what the server was sent, the parts of which something was foretold. */
function sentWrong(
  sent: meaning.SentView,
  { method, url, headers }: Seen,
  names: StagedText['names'],
): string | null {
  const at = url.indexOf('?');
  const pairs: readonly (readonly [string, meaning.Told, string | null])[] = [
    ['method', sent.method, method],
    ['path', sent.path, at === -1 ? url : url.slice(0, at)],
    ['query', sent.query, at === -1 ? null : url.slice(at + 1)],
    ['host', sent.host, headers.get('host') ?? null],
    ...Object.entries(sent.headers).map(
      ([name, told]) => [`header ${name}`, told, headers.get(name) ?? null] as const,
    ),
  ];
  const bad = pairs.find(
    ([, told, saw]) => !meaning.isUnknown(told) && plain(told) !== plain(named(saw, names)),
  );
  if (!bad) return null;
  const [what, told, saw] = bad;
  return `${what} ${JSON.stringify(told)} was foretold, the server saw ${JSON.stringify(named(saw, names))}`;
}

function named(text: string | null, names: StagedText['names']): string | null {
  if (text === null) return null;
  return text.replaceAll(/\bstage\d+\b/g, (name) => names[name] ?? name);
}

/** Spaces around a header and its commas say nothing; neither does one that is empty. */
const plain = (text: meaning.Told) =>
  typeof text === 'string' ? text.trim().replaceAll(/\s*,\s*/g, ',') : '';
