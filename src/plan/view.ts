import type { Place } from '#base';
import type { ActionView, RuleView, WitnessView } from '#contract';
import { meaning } from '#routing';

/** What becomes of a request, as a plan says it. */
export function actionOf(fate: meaning.FateView): ActionView {
  switch (fate.kind) {
    case 'pool':
      return { kind: 'pool', pool: fate.pool, servers: fate.servers, sent: {} };
    case 'split':
      return chosenByChance(fate.shares);
    case 'redirect':
      return meaning.isUnknown(fate.location)
        ? unknown(fate.location)
        : { kind: 'redirect', status: fate.status, location: fate.location ?? '' };
    case 'answer':
      return { kind: 'answer', status: fate.status };
    case 'file':
      return meaning.isUnknown(fate.path)
        ? unknown(fate.path)
        : { kind: 'answer', status: 200, file: fate.path ?? '' };
    case 'reject':
      return { kind: 'reject' };
    case 'unknown':
      return unknown(fate);
  }
}

/** The largest share speaks for all, the others stand beside it. */
function chosenByChance(
  shares: readonly { readonly weight: number; readonly fate: meaning.FateView }[],
): ActionView {
  const told = shares.map(({ weight, fate }) => ({ weight, action: actionOf(fate) }));
  const pools = told.flatMap(({ action }) => (action.kind === 'pool' ? [action] : []));
  const [first] = told.toSorted((a, b) => b.weight - a.weight);
  if (!first) return { kind: 'answer', status: 503 };
  if (first.action.kind !== 'pool') return first.action;
  const servers = [...new Set(pools.flatMap((pool) => pool.servers))];
  return { ...first.action, servers, shares: told };
}

/** The same with what the server is told otherwise than the client said. */
export function actionWithSent(fate: meaning.FateView, request: meaning.Request): ActionView {
  const action = actionOf(fate);
  if (action.kind !== 'pool' || fate.kind !== 'pool') return action;
  const { method, path, query, host, headers } = fate.sent;
  const sent: Record<string, string | null> = {};
  const tell = (name: string, now: meaning.Told, before: string | null) => {
    const text = textOf(now);
    if (text !== before) sent[name] = text;
  };
  tell('method', method, request.method);
  tell('path', path, request.path);
  tell('query', query, request.query);
  tell('host', host, request.host);
  for (const [name, value] of Object.entries(headers))
    tell(`header ${name}`, value, request.headers[name] ?? null);
  return { ...action, sent };
}

function textOf(told: meaning.Told): string | null {
  return meaning.isUnknown(told) ? `(${told.text})` : told;
}

function unknown({ why, text }: meaning.Unknown): ActionView {
  return { kind: 'unknown', why, text };
}

export function witnessView(request: meaning.Request): WitnessView {
  const { method, scheme, host, port, sni, path, query, headers, sourceAddress } = request;
  return {
    method,
    scheme,
    host: host ?? '',
    port,
    sni,
    path,
    query: query ?? '',
    headers,
    sourceAddress: sourceAddress === meaning.requestOf({}).sourceAddress ? null : sourceAddress,
  };
}

/** The request again. */
export function requestOfWitness({ host, query, sourceAddress, ...view }: WitnessView): meaning.Request {
  return meaning.requestOf({
    ...view,
    scheme: view.scheme === 'https' ? 'https' : 'http',
    host: host === '' ? null : host,
    query: query === '' ? null : query,
    ...(sourceAddress === null ? {} : { sourceAddress }),
  });
}

export function ruleView(step: { readonly place: Place; readonly text: string }): RuleView {
  return { file: step.place.file, line: step.place.line, text: step.text };
}

/** `GET http://shop.example/cart`, with what is not plain of it behind. */
export function witnessText({
  method,
  scheme,
  host,
  port,
  path,
  query,
  headers,
  sourceAddress,
}: WitnessView): string {
  const usual = scheme === 'https' ? 443 : 80;
  const hasPort = /:\d+$/.test(host) || port === null || port === usual;
  const url = `${scheme}://${host || '(no host)'}${hasPort ? '' : `:${port}`}${path}${query === '' ? '' : `?${query}`}`;
  const more = Object.entries(headers).map(([name, value]) => ` -H '${name}: ${value}'`);
  return `${method} ${url}${more.join('')}${sourceAddress === null ? '' : ` from ${sourceAddress}`}`;
}

/** `pool web (10.0.0.1:80, 10.0.0.2:80)`, `redirect 301 to https://...`, `answer 503`. */
export function actionText(action: ActionView): string {
  switch (action.kind) {
    case 'pool': {
      const shares = action.shares?.map(({ weight, action: one }) => `${weight} ${nameOf(one)}`).join(' : ');
      const sent = Object.entries(action.sent).map(([name, value]) => `${name} ${value ?? 'removed'}`);
      const told = sent.length === 0 ? '' : `, told ${sent.join(', ')}`;
      return `pool ${shares ?? action.pool} (${serversText(action.servers)})${told}`;
    }
    case 'redirect':
      return `redirect ${action.status} to ${action.location}`;
    case 'answer':
      return action.file === undefined ? `answer ${action.status}` : `file ${action.file}`;
    case 'reject':
      return 'connection closed without an answer';
    case 'unknown':
      return `not known (${action.why}): ${action.text}`;
  }
}

const nameOf = (action: ActionView) => (action.kind === 'pool' ? action.pool : actionText(action));
const serversShown = 4;

function serversText(servers: readonly string[]): string {
  if (servers.length === 0) return 'no servers';
  const rest = servers.length - serversShown;
  return servers.slice(0, serversShown).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
