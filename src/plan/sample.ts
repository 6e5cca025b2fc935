import type { ActionView, RecentRequest, RecentSample } from '#contract';
import type { RealRequests } from '#model';
import { meaning } from '#routing';
import type { LoggedRequest, Traffic } from './traffic.ts';
import { asAsked, sameAction } from './traffic-share.ts';
import { actionWithSent, witnessView } from './view.ts';

const safe: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];
/** So many different ones of a log are looked at, those that came most often. */
const differentMax = 2_000;
/** By which servers and people may know them. No header of a client is in a log that is read, and none is sent. */
const headers = { 'user-agent': 'holdfast-rehearsal' };

/**
 * Some requests of every kind (the rules that decide before and after), of each kind those that came most often. Only what is
 * safe to send again: no bodies, no headers of clients, no values and addresses but where the owner says so. Pure.
 */
export function sampleOf(
  { source, requests }: Traffic,
  before: meaning.Meaning,
  after: meaning.Meaning,
  wanted: RealRequests,
): RecentSample {
  const counts = new Map<string, { readonly request: LoggedRequest; count: number }>();
  let leftOut = 0;
  for (const logged of requests) {
    if (!maySend(logged, wanted)) {
      leftOut += 1;
      continue;
    }
    const sourceAddress = wanted.clientAddresses ? logged.sourceAddress : null;
    const request = { ...logged, sourceAddress };
    const key = JSON.stringify(request);
    const known = counts.get(key);
    if (known) known.count += 1;
    else counts.set(key, { request, count: 1 });
  }
  const often = [...counts.values()].toSorted((a, b) => b.count - a.count).slice(0, differentMax);
  const listeners = after.listeners.filter(({ mode }) => mode === 'http');
  const kinds = new Map<string, RecentRequest[]>();
  for (const { request } of often) {
    const { kind, told } = foretold(asAsked(request, listeners), before, after);
    const others = kinds.get(kind);
    if (others) others.push(told);
    else kinds.set(kind, [told]);
  }
  return { source, requests: inTurns([...kinds.values()], wanted.sample), leftOut };
}

function maySend({ method, host, path }: LoggedRequest, { exceptPaths }: RealRequests): boolean {
  if (!safe.includes(method) || host === null || !/^\/[\x21-\x7e]*$/.test(path)) return false;
  return !exceptPaths.some((one) => path === one || path.startsWith(one.endsWith('/') ? one : `${one}/`));
}

function foretold(
  asked: meaning.Request,
  before: meaning.Meaning,
  after: meaning.Meaning,
): { readonly kind: string; readonly told: RecentRequest } {
  const request = { ...asked, headers: { ...asked.headers, ...headers } };
  const [was, is] = [fateOf(before, request), fateOf(after, request)];
  return {
    kind: `${was.rule}\n${is.rule}\n${request.host}`,
    told: {
      witness: witnessView(request),
      before: was.action,
      after: is.action,
      same: sameAction(was.action, is.action),
    },
  };
}

function fateOf(text: meaning.Meaning, request: meaning.Request): { action: ActionView; rule: string } {
  const { ways, exact, more, listener } = meaning.fateOf(text, request);
  const [first] = ways;
  const step = first?.steps.at(-1);
  const rule = step ? `${step.place.line} ${step.text}` : '-';
  if (!first || listener === null)
    return { rule, action: { kind: 'unknown', why: 'nobody listens there', text: request.host ?? '' } };
  const actions = ways.map((way) => actionWithSent(way.fate, request));
  const isOne = !more && new Set(actions.map((one) => JSON.stringify(one))).size === 1;
  const [action] = actions;
  if (action && (exact || isOne)) return { rule, action };
  return {
    rule,
    action: { kind: 'unknown', why: 'it depends on more than text and request say', text: '' },
  };
}

/** One of each kind, then another of each, until there are enough. */
function inTurns<T>(kinds: readonly (readonly T[])[], most: number): readonly T[] {
  const chosen: T[] = [];
  for (let turn = 0; chosen.length < most && kinds.some((one) => one.length > turn); turn += 1)
    for (const kind of kinds) {
      const one = kind[turn];
      if (one !== undefined && chosen.length < most) chosen.push(one);
    }
  return chosen;
}
