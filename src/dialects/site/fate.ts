import {
  type Action,
  type Filters,
  type HeaderChanges,
  meaning,
  type PathChange,
  type RedirectTarget,
} from '#routing';

type Value = meaning.Value;
const { field, header, joined, text } = meaning;

/** What a site's action makes of a request, with what its filters change for the server. */
export function fateOf(action: Action, filters: Filters | null): meaning.Fate {
  switch (action.kind) {
    case 'pool':
      return { kind: 'pool', pool: action.pool, sent: sentBy(filters) };
    case 'split': {
      const sent = sentBy(filters);
      const [only, ...more] = action.shares;
      if (only && more.length === 0) return { kind: 'pool', pool: only.pool, sent };
      return {
        kind: 'split',
        shares: action.shares.map(({ pool, weight }) => ({ weight, fate: { kind: 'pool', pool, sent } })),
      };
    }
    case 'redirect':
      return redirected(action.status, action.to);
    case 'answer':
      return { kind: 'answer', status: action.status, body: action.body && text(action.body.text) };
    case 'reject':
      return { kind: 'reject', how: 'close' };
  }
}

function sentBy(filters: Filters | null): meaning.Sent {
  if (filters === null) return meaning.sentAsItCame;
  const { rewrite, requestHeaders } = filters;
  return {
    ...meaning.sentAsItCame,
    path: rewrite?.path ? changedPath(rewrite.path) : null,
    host: rewrite?.hostname ? text(rewrite.hostname) : null,
    headers: requestHeaders ? headersBy(requestHeaders) : {},
  };
}

/** `changedPath` in routing/outcome.ts, as a value. */
function changedPath(change: PathChange): Value {
  if (change.kind === 'full') return text(change.value);
  const rest: Value = { kind: 'slice', of: field('path'), from: change.prefix.length, length: null };
  const whole = joined([text(change.value.replace(/\/+$/, '')), rest]);
  return { kind: 'orElse', of: whole, otherwise: text('/') };
}

/** In this order: remove, set, add. */
function headersBy({ remove, set, add }: HeaderChanges): Readonly<Record<string, Value | null>> {
  const sent = new Map<string, Value | null>();
  for (const name of remove) sent.set(name.toLowerCase(), null);
  for (const { name, value } of set) sent.set(name.toLowerCase(), text(value));
  for (const { name, value } of add) {
    const known = sent.get(name.toLowerCase());
    const before = known === undefined ? header(name) : known;
    sent.set(name.toLowerCase(), before === null ? text(value) : behind(before, value));
  }
  return Object.fromEntries(sent);
}

function behind(before: Value, value: string): Value {
  return {
    kind: 'chosen',
    when: { kind: 'in', value: before, language: { kind: 'present' } },
    then: joined([before, text(`, ${value}`)]),
    otherwise: text(value),
  };
}

const port: meaning.Regex = { source: ':[0-9]*$', ignoreCase: false, syntax: 'pcre' };
const ownHost: Value = {
  kind: 'replaced',
  of: { kind: 'lower', of: field('host') },
  regex: port,
  every: false,
  by: [],
};
/** Nothing but, perhaps, a port. */
const noHost: meaning.Language = {
  kind: 'union',
  of: [{ kind: 'absent' }, { kind: 'matches', regex: { ...port, source: '^(?::[0-9]*)?$' } }],
};

function redirected(status: number, { scheme, hostname, port: number, path }: RedirectTarget): meaning.Fate {
  const query: Value = {
    kind: 'chosen',
    when: { kind: 'in', value: field('query'), language: { kind: 'length', min: 1, max: null } },
    then: joined([text('?'), field('query')]),
    otherwise: text(''),
  };
  const host = hostname === null ? ownHost : text(hostname);
  const where = path === null ? field('path') : changedPath(path);
  const behindHost = number === null ? '' : `:${number}`;
  const location = joined([text(`${scheme}://`), host, text(behindHost), where, query]);
  const redirect: meaning.Fate = { kind: 'redirect', status, location };
  if (hostname !== null) return redirect;
  const place = { file: '', line: 1, column: 1 };
  const when: meaning.Condition = { kind: 'in', value: field('host'), language: noHost };
  const refused: meaning.Fate = { kind: 'answer', status: 400, body: null };
  const steps = [{ when, then: refused, place, text: 'a request that names no host' }];
  return { kind: 'rules', rules: { steps, otherwise: redirect } };
}
