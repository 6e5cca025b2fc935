/** Whether a request was treated as its meaning says. */
import type { meaning } from '#routing';
import type { Seen } from './servers.ts';
import type { Reply } from './wire.ts';

/** Null: as predicted. Otherwise what was predicted and what came, for people. */
export function disagreement(
  fate: meaning.FateView,
  reply: Reply,
  serverOf: (pool: string) => string | null,
): string | null {
  switch (fate.kind) {
    case 'pool': {
      const server = serverOf(fate.pool);
      if (server === null) return status(reply) === 503 ? null : wrong(fate.pool, reply);
      const seen = seenIn(reply);
      return seen?.server === server ? sentWrong(fate.sent, seen) : wrong(`server ${server}`, reply);
    }
    case 'redirect': {
      const location = reply.kind === 'answer' ? reply.headers.get('location') : null;
      const asTold = typeof fate.location !== 'string' || location === fate.location.trim();
      return status(reply) === fate.status && asTold
        ? null
        : wrong(`${fate.status} to ${String(fate.location)}`, reply);
    }
    case 'answer':
      return status(reply) === fate.status && seenIn(reply) === null ? null : wrong(`${fate.status}`, reply);
    case 'reject':
      return reply.kind === 'closed' ? null : wrong('a closed connection', reply);
    default:
      return null;
  }
}

const status = (reply: Reply) => (reply.kind === 'answer' ? reply.status : null);

function seenIn(reply: Reply): Seen | null {
  const seen = reply.kind === 'answer' ? reply.headers.get('x-seen') : undefined;
  return seen === undefined ? null : (JSON.parse(Buffer.from(seen, 'base64').toString('latin1')) as Seen);
}

function wrong(expected: string, reply: Reply): string {
  const seen = seenIn(reply);
  if (reply.kind === 'closed') return `expected ${expected}, the connection was closed`;
  if (seen) return `expected ${expected}, server ${seen.server} saw ${seen.method} ${seen.url}`;
  return `expected ${expected}, got ${reply.status} ${reply.headers.get('location') ?? ''}`;
}

/** The parts of a request that a rule has changed, as the server saw them. */
function sentWrong(sent: meaning.SentView, seen: Seen): string | null {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < seen.headers.length; index += 2) {
    const name = (seen.headers[index] ?? '').toLowerCase();
    const value = seen.headers[index + 1] ?? '';
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const at = seen.url.indexOf('?');
  const path = at === -1 ? seen.url : seen.url.slice(0, at);
  const query = at === -1 ? null : seen.url.slice(at + 1);
  const pairs: readonly (readonly [string, unknown, string | null])[] = [
    ['method', sent.method, seen.method],
    ['path', sent.path, path],
    ['query', sent.query, query],
    ['host', sent.host, headers.get('host') ?? null],
    ...Object.entries(sent.headers).map(
      ([name, value]) => [`header ${name}`, value, headers.get(name) ?? null] as const,
    ),
  ];
  const bad = pairs.find(([, told, saw]) => typeof told === 'string' && plain(told) !== plain(saw));
  const gone = pairs.find(([, told, saw]) => told === null && saw !== null);
  const [name, told, saw] = bad ?? gone ?? [];
  return name === undefined
    ? null
    : `${name}: expected ${JSON.stringify(told)}, the server saw ${JSON.stringify(saw)}`;
}

/** Spaces around a header and its commas say nothing. */
const plain = (text: string | null) => text?.trim().replaceAll(/\s*,\s*/g, ',');
