import type { DifferenceView, TrafficSummary } from '#contract';
import { meaning } from '#routing';
import type { LoggedRequest, Traffic } from './traffic.ts';
import { actionWithSent, ruleView } from './view.ts';

export interface MovedTraffic {
  readonly summary: TrafficSummary;
  /** Of all requests, those whose fates and rules are this difference's. */
  shareOf(difference: Pick<DifferenceView, 'ruleBefore' | 'ruleAfter' | 'before' | 'after'>): number;
}

/** Recent requests by both texts. The same request many times is worked out once. */
export function moveTraffic(traffic: Traffic, before: meaning.Meaning, after: meaning.Meaning): MovedTraffic {
  const counts = new Map<string, { readonly request: LoggedRequest; count: number }>();
  for (const request of traffic.requests) {
    const key = JSON.stringify(request);
    const known = counts.get(key);
    if (known) known.count += 1;
    else counts.set(key, { request, count: 1 });
  }
  const byClass = new Map<string, number>();
  let [moved, unknown, toOthers] = [0, 0, 0];
  const listeners = after.listeners.filter(({ mode }) => mode === 'http');
  for (const { request, count } of counts.values()) {
    const asked = asAsked(request, listeners);
    const [was, is] = [meaning.fateOf(before, asked), meaning.fateOf(after, asked)];
    const [wasWay, isWay] = [was.ways[0], is.ways[0]];
    if (!wasWay || !isWay) continue;
    const actions = [actionWithSent(wasWay.fate, asked), actionWithSent(isWay.fate, asked)] as const;
    if (!was.exact || !is.exact || request.host === null) unknown += count;
    if (sameAction(actions[0], actions[1])) continue;
    moved += count;
    toOthers += count * otherPart(actions[0], actions[1]);
    const [stepBefore, stepAfter] = [wasWay.steps.at(-1), isWay.steps.at(-1)];
    const key = classKey({
      ruleBefore: stepBefore ? ruleView(stepBefore) : null,
      ruleAfter: stepAfter ? ruleView(stepAfter) : null,
      before: actions[0],
      after: actions[1],
    });
    byClass.set(key, (byClass.get(key) ?? 0) + count);
  }
  const requests = traffic.requests.length;
  return {
    summary: { source: traffic.source, requests, unread: traffic.unread, moved, unknown, toOthers },
    shareOf: (difference) => (requests === 0 ? 0 : (byClass.get(classKey(difference)) ?? 0) / requests),
  };
}

/** By the rules that decide and what they do; what a server is told is each request's own. */
function classKey(one: Pick<DifferenceView, 'ruleBefore' | 'ruleAfter' | 'before' | 'after'>): string {
  const rule = (view: DifferenceView['ruleBefore']) =>
    view ? `${view.file}:${view.line} ${view.text}` : '-';
  const kind = ({ kind, ...rest }: DifferenceView['before']) => `${kind} ${'pool' in rest ? rest.pool : ''}`;
  return [rule(one.ruleBefore), rule(one.ruleAfter), kind(one.before), kind(one.after)].join('\n');
}

/** Whatever a pool is called. */
export function sameAction(a: DifferenceView['before'], b: DifferenceView['before']): boolean {
  const { pool: _a, ...restA } = a.kind === 'pool' ? a : { ...a, pool: '' };
  const { pool: _b, ...restB } = b.kind === 'pool' ? b : { ...b, pool: '' };
  return JSON.stringify(restA) === JSON.stringify(restB);
}

/** The part of the requests that come to a server, or get an answer, that they could not come to before. */
function otherPart(before: DifferenceView['before'], after: DifferenceView['before']): number {
  if (before.kind !== 'pool' || after.kind !== 'pool') return 1;
  const known = new Set(before.servers);
  const others = after.servers.filter((server) => !known.has(server));
  return after.servers.length === 0 ? 1 : others.length / after.servers.length;
}

/** A log mostly tells no scheme: TLS where there is a listener for it, else what there is. */
export function asAsked(
  { host, scheme, method, path, query, sourceAddress }: LoggedRequest,
  listeners: readonly meaning.ListenerMeaning[],
): meaning.Request {
  const fits = (tls: boolean) => listeners.find((one) => one.tls === tls && one.port !== null);
  const listener = scheme === null ? (fits(true) ?? fits(false)) : fits(scheme === 'https');
  const over = listener?.tls ? 'https' : 'http';
  return meaning.requestOf({
    method,
    scheme: over,
    port: listener?.port ?? (over === 'https' ? 443 : 80),
    host,
    path,
    query: query === '' ? null : query,
    ...(sourceAddress === null ? {} : { sourceAddress }),
  });
}
