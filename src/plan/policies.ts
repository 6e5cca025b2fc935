import type { PolicyResult } from '#contract';
import { meaning } from '#routing';
import type { ApprovalRisk, Policy, PolicyFile, RequestClass } from './policy-file.ts';
import { conditionOf } from './request-class.ts';
import { actionText, actionWithSent, witnessText, witnessView } from './view.ts';

type Difference = meaning.Difference;

/** Every policy of a file against a text: held for every possible request, or broken by one that is shown. */
export function checkPolicies(text: meaning.Meaning, { policies }: PolicyFile): readonly PolicyResult[] {
  return policies.filter(({ rule }) => rule.kind !== 'approvals').map((policy) => checkPolicy(text, policy));
}

/** A policy that asks for approvals of what the change does. */
export interface Touched {
  readonly name: string;
  readonly count: number;
  /** Only a change of at least this risk; null: any. */
  readonly risk: ApprovalRisk | null;
}

/** Policies that ask for approvals: of requests that the change treats otherwise, or of any change where none are named. */
export function protectedTouched(
  before: meaning.Meaning,
  after: meaning.Meaning,
  { policies }: PolicyFile,
): readonly Touched[] {
  return policies.flatMap(({ name, rule }) => {
    if (rule.kind !== 'approvals') return [];
    const { requests, count, risk } = rule;
    if (risk !== null && isEvery(requests)) return [{ name, count, risk }];
    const { differences, notKnownSame, complete } = meaning.difference(
      within(before, requests),
      within(after, requests),
    );
    const touched = differences.length + notKnownSame.length > 0 || !complete;
    return touched ? [{ name, count, risk }] : [];
  });
}

const isEvery = ({ hostnames, path, methods, scheme, from }: RequestClass) =>
  hostnames.length + methods.length + from.length === 0 && path === null && scheme === null;

function checkPolicy(text: meaning.Meaning, { name, place, rule }: Policy): PolicyResult {
  const result = (held: boolean, message: string, found: Difference | null = null): PolicyResult => ({
    policy: name,
    place,
    held,
    exact: found === null || found.assuming.length === 0,
    witness: found && witnessView(found.witness),
    message,
  });
  if (rule.kind === 'servers') {
    const short = text.pools.flatMap((pool) => {
      const serving = pool.servers.filter(({ disabled, spare }) => !disabled && !spare).length;
      return rule.pools.includes(pool.name) && serving < rule.min ? [`pool ${pool.name} has ${serving}`] : [];
    });
    const missing = rule.pools.filter((pool) => !text.pools.some((one) => one.name === pool));
    const all = [...short, ...missing.map((pool) => `there is no pool ${pool}`)];
    return result(all.length === 0, all.join(', '));
  }
  if (rule.kind === 'approvals') return result(true, '');
  const broken = classesWithin(text, rule.requests).find((one) => breaks(one, rule));
  if (!broken) return result(true, '');
  const { witness, after } = broken;
  const what = `${witnessText(witnessView(witness))} gets ${actionText(actionWithSent(after, witness))}`;
  const if_ = broken.assuming.map((one) => `${one.text}: ${one.is ?? 'nothing'}`).join(', ');
  return result(false, if_ === '' ? what : `${what}, if ${if_}`, broken);
}

function breaks({ after, witness }: Difference, rule: Policy['rule']): boolean {
  switch (rule.kind) {
    case 'always':
      return !poolsOf(after).every((pool) => typeof pool === 'string' && rule.pools.includes(pool));
    case 'never':
      return poolsOf(after).some((pool) =>
        typeof pool === 'string' ? rule.pools.includes(pool) : pool === unknownPool,
      );
    case 'https':
      return witness.scheme === 'http' && !isToHttps(after);
    default:
      return false;
  }
}

const unknownPool = Symbol('not known');

function poolsOf(fate: meaning.FateView): readonly (string | null | typeof unknownPool)[] {
  switch (fate.kind) {
    case 'pool':
      return [fate.pool];
    case 'split':
      return fate.shares.flatMap((share) => poolsOf(share.fate));
    case 'unknown':
      return [unknownPool];
    default:
      return [null];
  }
}

function isToHttps(fate: meaning.FateView): boolean {
  return fate.kind === 'redirect' && typeof fate.location === 'string' && /^https:/i.test(fate.location);
}

/** An answer that no text gives. */
const outside: meaning.Fate = { kind: 'answer', status: 0, body: null };

/** The text, but for requests that are not of the class: they all get one answer. */
function within(text: meaning.Meaning, requests: RequestClass): meaning.Meaning {
  const when = meaning.not(conditionOf(requests));
  const listeners = text.listeners
    .filter(({ mode }) => mode === 'http')
    .map((listener) => {
      const then: meaning.Fate = outside;
      const step: meaning.Step = { when, then, place: listener.place, text: 'other requests' };
      const otherwise: meaning.Fate = { kind: 'rules', rules: listener.rules };
      return { ...listener, rules: when.kind === 'never' ? listener.rules : { steps: [step], otherwise } };
    });
  return { ...text, listeners };
}

/** What each kind of request of a class gets: the difference to a text that gives all of them nothing. */
function classesWithin(text: meaning.Meaning, requests: RequestClass): readonly Difference[] {
  const nothing = {
    ...text,
    listeners: text.listeners
      .filter(({ mode }) => mode === 'http')
      .map((listener) => ({ ...listener, rules: { steps: [], otherwise: outside } })),
  };
  const { differences, notKnownSame } = meaning.difference(nothing, within(text, requests));
  return [...differences, ...notKnownSame];
}
