import { isSpent, withinBudget, workMax } from '../automata/index.ts';
import { describeUnknown } from '../fate/describe.ts';
import { firstWayOf, type Way } from '../fate/fate.ts';
import type { Request } from '../fate/request.ts';
import { type FateView, poolsOf } from '../fate/view.ts';
import { Keys } from '../keys.ts';
import type { Fate, ListenerMeaning, Meaning, Step } from '../meaning.ts';
import { eitherOf, needsOf } from '../needs.ts';
import { poolKey } from './canonical.ts';
import { changedWhen, isWrittenAlike, samePools } from './common.ts';
import { complexSteps } from './complex.ts';
import { describeClass } from './description.ts';
import { type List, Lists, Sames } from './lists.ts';
import { type Meeting, meetings } from './meetings.ts';
import { Terms } from './terms.ts';
import { type Chosen, type Group, Walk } from './walk.ts';
import { type Witness, witnessOf } from './witness.ts';

/** Requests that are treated differently, with one of them. */
export interface Difference {
  /** Of after; of before where it is gone. */
  readonly listener: ListenerMeaning;
  readonly witness: Request;
  /** What is taken to hold of what is not known: `be_conn(web) gt 100`: yes. */
  readonly assuming: readonly { readonly text: string; readonly is: string | null }[];
  readonly before: FateView;
  readonly after: FateView;
  /** What decided, outermost first; none where the last word of the rules did. */
  readonly steps: { readonly before: readonly Step[]; readonly after: readonly Step[] };
  /** The requests, in words: `host is "shop.example", path begins with "/cart"`. */
  readonly description: string;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Written differently, and the same on every request that was tried: not known to be the same. */
  readonly notKnownSame: readonly Difference[];
  /** False: a named limit was met, and there may be more. */
  readonly complete: boolean;
  /** Rules that were past a named limit: they were taken as ones that may hold or not. */
  readonly tooComplex: readonly Step[];
}

/** What a change does to every request. Throws when a difference that was worked out is none: that is a defect of ours. */
export function difference(before: Meaning, after: Meaning): Comparison {
  const keys = new Keys();
  // There is nothing to compare, however complex it is.
  if (isWrittenAlike(before, after, keys))
    return { differences: [], notKnownSame: [], complete: true, tooComplex: [] };
  return withinBudget(workMax, () => {
    const first = new Side(before, after, keys, { rawPath: false, byChoices: false });
    const rawPath = first.asksBothPaths;
    const found = (rawPath ? new Side(before, after, keys, { rawPath, byChoices: false }) : first).compare();
    if (found.notKnownSame.length === 0 || isSpent()) return found;
    const closer = new Side(before, after, keys, { rawPath, byChoices: true }).compare();
    return closer.complete ? closer : found;
  });
}

interface Closeness {
  readonly rawPath: boolean;
  readonly byChoices: boolean;
}

class Side {
  readonly #before: Meaning;
  readonly #after: Meaning;
  readonly #terms: Terms;
  readonly #lists: { readonly before: Lists; readonly after: Lists };
  readonly #meetings: readonly Meeting[];
  readonly #toCompare = new Map<Meeting, Pair | null>();
  readonly #sames: Sames;
  readonly asksBothPaths: boolean;

  constructor(before: Meaning, after: Meaning, keys: Keys, { rawPath, byChoices }: Closeness) {
    const sames = new Sames(samePools(before, after), keys);
    this.#sames = sames;
    this.#before = before;
    this.#after = after;
    this.#terms = new Terms(rawPath, keys);
    this.#lists = {
      before: new Lists(before, this.#terms, sames, byChoices),
      after: new Lists(after, this.#terms, sames, byChoices),
    };
    this.#meetings = meetings(before, after);
    for (const meeting of this.#meetings) this.#toCompare.set(meeting, this.#pairOf(meeting));
    const { fieldKeys } = this.#terms.formulas;
    this.asksBothPaths = fieldKeys.includes('path') && fieldKeys.includes('normalisedPath');
  }

  /** Few steps that changed: only the requests that they may take are looked at. Null: somebody listens on one side only. */
  #pairOf({ before, after }: Meeting): Pair | null {
    if (!before || !after) return null;
    const [left, right] = [this.#lists.before, this.#lists.after];
    const { keys } = this.#sames;
    const conditions = changedWhen(before.rules, after.rules, this.#sames);
    if (conditions === null || conditions.length > changedMax)
      return { before: left.ofRules(before.rules), after: right.ofRules(after.rules) };
    const within = this.#terms.formulas.or(conditions.map((one) => this.#terms.formula(one)));
    const needs = eitherOf(conditions.map((one) => needsOf(one, keys)));
    return {
      before: left.ofRulesWithin(before.rules, within, needs),
      after: right.ofRulesWithin(after.rules, within, needs),
    };
  }

  compare(): Comparison {
    const differences: Difference[] = [];
    const notKnownSame: Difference[] = [];
    let complete = true;
    const tooComplex = new Set<Step>();
    for (const meeting of this.#meetings) {
      const pair = this.#toCompare.get(meeting);
      if (!pair) {
        const witness = witnessOf(meeting.plain, null, firstWord);
        differences.push(this.#told(meeting, null, witness, this.#ends(witness)));
        continue;
      }
      const walk = new Walk(this.#terms, this.#lists.before, this.#lists.after, (field) =>
        onlyWords(field, meeting),
      );
      const groups = walk.groups(pair.before, pair.after);
      complete &&= walk.complete;
      for (const list of [pair.before, pair.after])
        for (const step of complexSteps(list, this.#terms, walk.complex)) tooComplex.add(step);
      for (const group of groups) {
        const { found, differs } = this.#judge(meeting, group);
        if (!differs && isSpent() && group.samples.some(isComplex)) {
          // What it depends on is said to be too complex, once, at its line.
          complete = false;
          continue;
        }
        (differs ? differences : notKnownSame).push(found);
      }
    }
    return { differences, notKnownSame, complete, tooComplex: [...tooComplex] };
  }

  /** Only what differs on a concrete request, by the steps that were worked out, is called a difference. */
  #judge(meeting: Meeting, group: Group): { readonly found: Difference; readonly differs: boolean } {
    let first: Difference | null = null;
    for (const witness of candidates(meeting, group)) {
      const ends = this.#ends(witness);
      if (!isSame(ends.before.steps, group.before.steps) || !isSame(ends.after.steps, group.after.steps))
        continue;
      const found = this.#told(meeting, group, witness, ends);
      first ??= found;
      if (this.#differs(ends, witness.request)) return { found, differs: true };
    }
    const sure = group.before.leaf.canonical().shape !== group.after.leaf.canonical().shape;
    if ((first === null || sure) && !group.samples.every(isComplex))
      throw new Error(
        `a difference that is none: ${JSON.stringify(first?.witness ?? null)}, ${describeClass(group, this.#terms)}`,
      );
    if (first) return { found: first, differs: false };
    const witness = witnessOf(meeting.plain, group.samples[0] ?? null, firstWord);
    const found = this.#told(meeting, group, witness, this.#ends(witness));
    const steps = { before: group.before.steps, after: group.after.steps };
    return { found: { ...found, steps }, differs: false };
  }

  #ends({ request, oracle }: Witness): Ends {
    const before = firstWayOf(this.#before, request, oracle);
    const after = firstWayOf(this.#after, request, oracle);
    return { before, after };
  }

  #differs({ before, after }: Ends, request: Request): boolean {
    const key = (fate: FateView, meaning: Meaning) =>
      JSON.stringify(keyOfView(fate, meaning, request), withoutPlaces);
    return key(before.fate, this.#before) !== key(after.fate, this.#after);
  }

  #told(
    meeting: Meeting,
    group: Group | null,
    { request, assumed }: Witness,
    { before, after }: Ends,
  ): Difference {
    const listener = meeting.after ?? meeting.before;
    if (!listener) throw new Error('somebody listens on one side at least');
    return {
      listener,
      witness: request,
      assuming: [...assumed].map(([key, is]) => ({ text: textOf(key), is })),
      before: before.fate,
      after: after.fate,
      steps: { before: before.steps, after: after.steps },
      description: group ? describeClass(group, this.#terms) : `every request on ${listener.name}`,
    };
  }
}

/** Of `whether:unknown:files\n-f /a`, in words. */
function textOf(key: string): string {
  const at = key.indexOf('\n');
  const text = key.slice(at + 1);
  return describeUnknown({ text, why: key.slice(0, at).endsWith(':files') ? 'files' : 'state' });
}

interface Pair {
  readonly before: List;
  readonly after: List;
}

/** With more than that it is no short cut. */
const changedMax = 500;

interface Ends {
  readonly before: Way;
  readonly after: Way;
}

function isSame(a: readonly Step[], b: readonly Step[]): boolean {
  return a.length === b.length && a.every((step, index) => step === b[index]);
}

const firstWord = (_: string, words: readonly (string | null)[]) => words[0] ?? null;

export function onlyWords(field: string, { plain, schemes }: Meeting): readonly string[] | null {
  if (field === 'scheme') return schemes;
  if (field === 'localPort') return [`${plain.port}`];
  return null;
}

function isComplex(chosen: Chosen | null): boolean {
  for (let at = chosen; at !== null; at = at.rest)
    if (at.field.startsWith('whether:unknown:complex')) return true;
  return false;
}

const freeVariants: readonly Partial<Request>[] = [
  {},
  { path: '/a/b.html' },
  { query: 'a=1' },
  { host: 'Other.example.net:8080' },
  { method: 'POST' },
  { sourceAddress: '192.0.2.7' },
  { headers: { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https', cookie: 'a=1' } },
];

/** Requests of the classes: the plainest first, then one field or one free part at a time otherwise. */
function* candidates({ plain }: Meeting, group: Group): Generator<Witness> {
  const variants = [...freeVariants, ...withHeaders(group)];
  for (const sample of group.samples) {
    for (const free of variants) yield witnessOf(plain, sample, firstWord, free);
    for (let at = sample; at !== null; at = at.rest) {
      const { field } = at;
      for (let i = 1; i < at.words.length; i += 1)
        yield witnessOf(plain, sample, (one, words) =>
          one === field ? (words[i] ?? null) : (words[0] ?? null),
        );
    }
  }
}

/** That have the headers which a rule touches: one alone, and all. */
function withHeaders({ before, after }: Group): readonly Partial<Request>[] {
  const names = new Set([before, after].flatMap(({ leaf: { ending } }) => headersOf(ending)));
  const one = [...names].filter((name) => !framing.has(name)).slice(0, headersMax);
  const all = Object.fromEntries(one.map((name) => [name, 'a']));
  return [
    ...one.map((name) => ({ headers: { [name]: 'a' } })),
    ...(one.length > 1 ? [{ headers: all }] : []),
  ];
}

const headersMax = 8;
/** They say how a message goes on: not for anybody to make up. */
const framing = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'expect',
]);

function headersOf(fate: Fate): readonly string[] {
  if (fate.kind === 'pool') return Object.keys(fate.sent.headers);
  return fate.kind === 'split' ? fate.shares.flatMap((share) => headersOf(share.fate)) : [];
}

const withoutPlaces = (name: string, part: unknown) => (name === 'place' ? undefined : part);

/** By what it does: pools by their servers. */
function keyOfView(view: FateView, meaning: Meaning, request: Request): unknown {
  if (view.kind === 'pool') {
    // What is sent as it came, or removed where it never was, is nothing that is done to it.
    const headers = Object.entries(view.sent.headers)
      .filter(([name, value]) => value !== (request.headers[name] ?? null))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return [poolKey(view.pool, poolsOf(meaning).get(view.pool)), { ...view.sent, headers }];
  }
  if (view.kind !== 'split') return { ...view, place: null };
  const whole = view.shares.reduce((sum, { weight }) => sum + weight, 0) || 1;
  return view.shares
    .map(({ weight, fate }) =>
      JSON.stringify([weight / whole, keyOfView(fate, meaning, request)], withoutPlaces),
    )
    .sort();
}
