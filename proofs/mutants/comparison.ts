/**
 * Whether what is told of two meanings is so, by asking both of them about one request after the other: each witness is treated
 * differently, each request that is treated differently is in a difference that is told, and what is the same is said to be.
 */
import { meaning } from '#routing';
import type { Judgement } from './judged.ts';
import { counted } from './work.ts';

export interface Compared {
  readonly before: meaning.Meaning;
  readonly after: meaning.Meaning;
  readonly asked: readonly meaning.Request[];
  readonly same: boolean;
}

/** Much less than a plan may spend: what is past it says little, and there are many of them. */
const workMax = 1_000_000;

/** What is open: what is not known, each rule that nobody comes to and that is not told, and witnesses that are longer than they need be. */
export function comparison(compared: Compared): Judgement {
  const { told, dead, work } = counted(workMax, () => ({
    told: meaning.difference(compared.before, compared.after),
    dead: meaning.unreached(compared.after),
  }));
  const wrong =
    witnessWrong(compared, told) ??
    requestWrong(compared, told) ??
    reachedWrong(compared, dead) ??
    (compared.same && told.differences.length > 0 ? 'what is the same is said to differ' : null);
  const open =
    told.notKnownSame.length +
    told.tooComplex.length +
    (told.complete ? 0 : 1) +
    (dead.complete ? 0 : 1) -
    (dead.steps.length + dead.pools.length) / 1_000 +
    told.differences.reduce((sum, { witness }) => sum + JSON.stringify(witness).length, 0) / 1_000_000;
  return { wrong, open, work };
}

function witnessWrong({ before, after }: Compared, { differences }: meaning.Comparison): string | null {
  for (const one of differences) {
    if (one.assuming.length > 0) continue;
    const [was, is] = [meaning.fateOf(before, one.witness), meaning.fateOf(after, one.witness)];
    const shown = JSON.stringify(one.witness);
    if (done(was, before) === done(is, after)) return `a witness is treated alike: ${shown}`;
    if (!same(one.steps.before, stepsOf(was)) || !same(one.steps.after, stepsOf(is)))
      return `other steps decide of a witness: ${shown}`;
    if (plain(one.before) !== plain(was.ways[0]?.fate) || plain(one.after) !== plain(is.ways[0]?.fate))
      return `a witness has another fate: ${shown}`;
  }
  return null;
}

/** Only of what is known for sure on both sides. */
function requestWrong({ before, after, asked }: Compared, told: meaning.Comparison): string | null {
  if (!told.complete) return null;
  const all = [...told.differences, ...told.notKnownSame];
  for (const request of asked) {
    const [was, is] = [meaning.fateOf(before, request), meaning.fateOf(after, request)];
    if (!was.exact || !is.exact || done(was, before) === done(is, after)) continue;
    const isTold = all.some(
      ({ steps }) => same(steps.before, stepsOf(was)) && same(steps.after, stepsOf(is)),
    );
    if (!isTold && was.listener !== null && is.listener !== null)
      return `treated differently, and not told: ${JSON.stringify(request)}`;
    if (all.length === 0) return `somebody listens on one side, and it is not told`;
  }
  return null;
}

/** Of what nobody reaches, something was reached. */
function reachedWrong({ after, asked }: Compared, dead: meaning.Unreached): string | null {
  const [steps, pools] = [
    new Set(dead.steps.map(({ step }) => step)),
    new Set(dead.pools.map(({ name }) => name)),
  ];
  for (const request of asked)
    for (const { steps: by, fate } of meaning.fateOf(after, request).ways) {
      if (by.some((step) => steps.has(step)))
        return `a rule that nobody comes to took ${JSON.stringify(request)}`;
      if (fate.kind === 'pool' && pools.has(fate.pool))
        return `pool ${fate.pool}, which nobody reaches, was reached`;
    }
  return null;
}

const stepsOf = ({ ways }: meaning.Explanation) => ways[0]?.steps ?? [];
const same = (a: readonly meaning.Step[], b: readonly meaning.Step[]) =>
  a.length === b.length && a.every((one, index) => one === b[index]);
const plain = (fate: unknown) => JSON.stringify(fate, (name, part) => (name === 'place' ? undefined : part));

/** What is done with a request, whatever the pools are called. */
function done({ ways, listener }: meaning.Explanation, of: meaning.Meaning): string {
  const fate = ways[0]?.fate;
  return listener === null || !fate ? 'nobody' : plain(doneBy(fate, of));
}

function doneBy(fate: meaning.FateView, of: meaning.Meaning): unknown {
  if (fate.kind === 'split') {
    const whole = fate.shares.reduce((sum, { weight }) => sum + weight, 0) || 1;
    return fate.shares.map((share) => plain([share.weight / whole, doneBy(share.fate, of)])).sort();
  }
  if (fate.kind !== 'pool') return fate;
  const pool = of.pools.find(({ name }) => name === fate.pool);
  const whole = pool?.servers.reduce((sum, { weight }) => sum + weight, 0) || 1;
  const servers = pool?.servers.map(
    ({ address, weight, spare, disabled }) => `${address} ${weight / whole} ${spare} ${disabled}`,
  );
  const headers = Object.entries(fate.sent.headers).sort(([a], [b]) => (a < b ? -1 : 1));
  return [servers?.length ? [pool?.mode, ...servers.sort()] : fate.pool, { ...fate.sent, headers }];
}
