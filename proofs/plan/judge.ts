/** Whether a real engine did what the meaning of its text says. Pure. */
import { meaning } from '#routing';
import { type Asked, type Case, rootFiles } from './case.ts';
import { type Head, seenIn } from './servers.ts';
import type { Reply } from './wire.ts';

/** Of one decision. */
export interface Verdict {
  /** What came is not what is said; null: it is, or nothing is said. */
  readonly wrong: string | null;
  /** `exact`: from the text and the request alone. `ways`: one of several. `unsaid`: the meaning says that it cannot tell. */
  readonly said: 'exact' | 'ways' | 'unsaid';
  /** What kind of fate it is. */
  readonly kind: string;
  /** The steps that decided. */
  readonly by: string;
}

export function verdictOf(one: Case, lifted: meaning.Meaning, asked: Asked, reply: Reply): Verdict {
  const { ways, exact, more, unknowns } = meaning.fateOf(lifted, asked.request);
  const by = ways[0]?.steps.map(({ place, text }) => `${place.line} ${text}`).join(' > ') ?? '';
  const kind = ways[0]?.fate.kind ?? 'none';
  const isOpen =
    more ||
    unknowns.some(({ why }) => why === 'not understood' || (why === 'complex' && one.steady !== true));
  if (isOpen) return { wrong: null, said: 'unsaid', kind, by };
  const reasons = ways.map(({ fate }) => wrongWith(fate, reply, asked, one));
  const wrong = reasons.includes(null) ? null : reasons.join(' | ');
  // What the plan tells as its finding: an expression that can blow up, until NGINX gives up on it and answers 500.
  const isGivenUp = wrong !== null && statusOf(reply) === 500 && serverIn(reply) === null;
  if (isGivenUp && meaning.blowUps(lifted).length > 0) return { wrong: null, said: 'unsaid', kind, by };
  return { wrong, said: exact ? 'exact' : 'ways', kind, by };
}

/** Null: what came is what the fate says. Otherwise what was expected and what came. */
function wrongWith(fate: meaning.FateView, reply: Reply, asked: Asked, one: Case): string | null {
  switch (fate.kind) {
    case 'pool':
      return wrongPool(fate, reply, one);
    case 'redirect': {
      const location = reply.kind === 'answer' ? (reply.headers.get('location') ?? null) : null;
      const isAsTold = typeof fate.location !== 'string' || location === fate.location.trim();
      return statusOf(reply) === fate.status && isAsTold
        ? null
        : came(`${fate.status} to ${String(fate.location)}`, reply);
    }
    case 'answer':
      return wrongAnswer(fate, reply, asked, one);
    case 'file':
      return wrongFile(fate.path, reply, asked, one);
    case 'split':
      return fate.shares.some((share) => wrongWith(share.fate, reply, asked, one) === null)
        ? null
        : came('one of several', reply);
    case 'reject':
      return reply.kind === 'closed' ? null : came('a closed connection', reply);
    case 'unknown':
      return null;
  }
}

const statusOf = (reply: Reply) => (reply.kind === 'answer' ? reply.status : null);
const serverIn = (reply: Reply) => (reply.kind === 'answer' ? seenIn(reply.headers) : null);

function came(expected: string, reply: Reply): string {
  const seen = serverIn(reply);
  if (reply.kind === 'closed') return `expected ${expected}, the connection was closed`;
  if (seen) return `expected ${expected}, server ${seen.server} saw ${seen.head?.method} ${seen.head?.url}`;
  return `expected ${expected}, got ${reply.status} ${reply.headers.get('location') ?? ''}`;
}

function wrongAnswer(
  fate: Extract<meaning.FateView, { kind: 'answer' }>,
  reply: Reply,
  { request }: Asked,
  one: Case,
): string | null {
  if (reply.kind === 'closed' || serverIn(reply)) return came(`${fate.status}`, reply);
  // The file of an error page may not be there, of which the meaning says nothing.
  const isLost =
    fate.status >= 300 &&
    fate.body === null &&
    [301, 403, 404, 405].includes(reply.status) &&
    one.text.includes('error_page');
  if (!isLost && reply.status !== fate.status) return came(`${fate.status}`, reply);
  const hasBody =
    typeof fate.body === 'string' && request.method !== 'HEAD' && ![204, 304].includes(fate.status);
  return hasBody && fate.body !== reply.body
    ? `expected the text ${JSON.stringify(fate.body)}, got ${JSON.stringify(reply.body)}`
    : null;
}

/**
 * Of a file that it is the one, where it is there; of what is not there, that it is answered as files are: 404, 403, 405 and 500,
 * 301 to a folder, or an error page.
 */
function wrongFile(
  path: meaning.Told,
  reply: Reply,
  { request }: Asked,
  { root, text }: Case,
): string | null {
  if (reply.kind === 'closed' || serverIn(reply)) return came('a file', reply);
  if (![200, 301, 403, 404, 405, 500].includes(reply.status)) return came('a file', reply);
  const isThere = rootFiles.some((name) => path === `${root}/${name}`);
  if (reply.status !== 200 && isThere && ['GET', 'HEAD'].includes(request.method))
    return came('the file, which is there,', reply);
  if (reply.status !== 200 || typeof path !== 'string' || !path.startsWith(root ?? '') || reply.body === '')
    return null;
  // To the file system several slashes are one.
  const name = path.slice(root?.length).replaceAll(/\/+/g, '/').replace(/^\//, '');
  const isFolder = name === '' || name.endsWith('/');
  const indexes = [...text.matchAll(/\bindex ([^;/]+);/g)].flatMap(([, all = '']) => all.split(' '));
  const names = isFolder ? ['index.html', ...indexes].map((index) => name + index) : [name];
  const isAsTold = reply.body === 'file error' || names.some((one) => reply.body === `file ${one}`);
  const isList = isFolder && text.includes('autoindex on') && reply.body.includes('<h1>Index of');
  return isAsTold || isList ? null : `expected the file ${names[0]}, got ${JSON.stringify(reply.body)}`;
}

function wrongPool(
  fate: Extract<meaning.FateView, { kind: 'pool' }>,
  reply: Reply,
  one: Case,
): string | null {
  const numbers = fate.servers.map((address) => one.servers[address]);
  const seen = serverIn(reply);
  if (numbers.length === 0 && one.engine === 'haproxy')
    return statusOf(reply) === 503 && !seen ? null : came(`503 of ${fate.pool}, which has no server`, reply);
  if (!seen || !numbers.includes(seen.server))
    return came(`server ${numbers.join(' or ')} of ${fate.pool}`, reply);
  return seen.head && sentWrong(fate.sent, seen.head, one.engine);
}

/** The parts of a request that a rule has changed, as the server saw them. */
function sentWrong(sent: meaning.SentView, seen: Head, engine: Case['engine']): string | null {
  const url = seen.url.replace(/^https?:\/\/[^/?]*/, '');
  // NGINX does not tell what is empty from what is not there.
  const nothing = engine === 'nginx' ? '' : null;
  const header = (name: string) => plain(seen.headers.get(name) ?? nothing);
  const asTold = (told: meaning.Told) =>
    typeof told === 'string' ? plain(told) : told === null ? nothing : told;
  const pairs: readonly (readonly [string, unknown, string | null])[] = [
    ['method', sent.method, seen.method],
    ['URL', urlOf(sent), url],
    ['host', asTold(sent.host), header('host')],
    ...Object.entries(sent.headers).map(
      ([name, told]) => [`header ${name}`, asTold(told), header(name)] as const,
    ),
  ];
  const bad = pairs.find(([, told, saw]) => (typeof told === 'string' || told === null) && told !== saw);
  return bad
    ? `${bad[0]}: expected ${JSON.stringify(bad[1])}, the server saw ${JSON.stringify(bad[2])}`
    : null;
}

function urlOf({ path, query }: meaning.SentView): meaning.Told {
  if (typeof path !== 'string') return path;
  return query === null ? path : typeof query === 'string' ? `${path}?${query}` : query;
}

/** Spaces around a header and its commas say nothing. */
const plain = (text: string | null) => text?.trim().replaceAll(/\s*,\s*/g, ',') ?? null;
