import type { Condition, Unknown } from '../condition.ts';
import type { Fate, ListenerMeaning, Meaning, Rules, Step } from '../meaning.ts';
import { candidates } from './candidates.ts';
import { holds } from './holds.ts';
import { listenerOf } from './listener.ts';
import type { Request } from './request.ts';
import { type Ending, type FateView, viewOf } from './view.ts';
import { type Assumption, type Oracle, type World, Worlds } from './world.ts';

/** What a meaning does to one request, and why. */
export interface Explanation {
  /** Null: nobody listens there. */
  readonly listener: ListenerMeaning | null;
  /** Whether it follows from the text and the request alone. Otherwise `ways` are all that are possible. */
  readonly exact: boolean;
  /** At least one. */
  readonly ways: readonly Way[];
  /** There are more ways than are told. */
  readonly more: boolean;
  /** What was met and is not known. */
  readonly unknowns: readonly Unknown[];
}

export interface Way {
  readonly fate: FateView;
  /** The steps that decided, outermost first; none where nothing but the last word of the rules did. */
  readonly steps: readonly Step[];
  readonly assuming: readonly Assumption[];
  /** Step by step, as they were looked at. */
  readonly because: readonly Reason[];
}

export interface Reason {
  readonly step: Step;
  readonly held: boolean;
  /** The smallest part of its condition that decided. */
  readonly part: Condition;
  /** Whether that part holds: one below a `not` does where its rule does not. */
  readonly partHeld: boolean;
  /** How deep the rules lie in others. */
  readonly depth: number;
}

const waysMax = 64;

/** The one definition of what a meaning says. The oracle answers unknowns, such as whether a file is there. */
export function fateOf(meaning: Meaning, request: Request, oracle: Oracle = {}): Explanation {
  const listener = listenerOf(meaning, request);
  if (listener === null) return nobody;
  const worlds = new Worlds(request, oracle);
  const ways: Way[] = [];
  let more = false;
  do {
    if (ways.length >= waysMax) {
      more = true;
      break;
    }
    const world = worlds.world();
    const way = walk(meaning, listener.rules, world);
    ways.push({ ...way, assuming: worlds.assumptions() });
  } while (worlds.next());
  const unknowns = unknownsIn(ways);
  return { listener, exact: ways.length === 1 && unknowns.length === 0, ways, more, unknowns };
}

const nobody: Explanation = {
  listener: null,
  exact: true,
  ways: [{ fate: { kind: 'reject', how: 'refused' }, steps: [], assuming: [], because: [] }],
  more: false,
  unknowns: [],
};

/** The first way alone, without `because`: for whoever asks of many requests. */
export function firstWayOf(meaning: Meaning, request: Request, oracle: Oracle): Way {
  const listener = listenerOf(meaning, request);
  const [refused] = nobody.ways;
  if (listener === null && refused) return refused;
  const worlds = new Worlds(request, oracle);
  const world = worlds.world();
  const steps: Step[] = [];
  const end = endOf({ kind: 'rules', rules: listener?.rules ?? noRules }, world, { steps, because: null });
  return { fate: viewOf(end, meaning, world), steps, because: [], assuming: worlds.assumptions() };
}

/** Where the first way ends, without what becomes of its values: for whoever asks of all rules of a text. */
export function firstEndOf(
  meaning: Meaning,
  request: Request,
): { readonly ending: Ending; readonly steps: readonly Step[] } {
  const listener = listenerOf(meaning, request);
  const steps: Step[] = [];
  const world = new Worlds(request, {}).world();
  const rules = listener?.rules ?? noRules;
  return { ending: endOf({ kind: 'rules', rules }, world, { steps, because: null }), steps };
}

const noRules: Rules = { steps: [], otherwise: { kind: 'reject', how: 'reset' } };

function walk(meaning: Meaning, outer: Rules, world: World): Omit<Way, 'assuming'> {
  const because: Reason[] = [];
  const steps: Step[] = [];
  const end = endOf({ kind: 'rules', rules: outer }, world, { steps, because });
  return { fate: viewOf(end, meaning, world), steps, because };
}

interface Walked {
  readonly steps: Step[];
  /** Null: nobody asks why, and only steps that could hold are looked at. */
  readonly because: Reason[] | null;
}

function endOf(from: Fate, world: World, walked: Walked, outerDepth = 0): Ending {
  let fate = from;
  for (let depth = outerDepth; fate.kind === 'rules'; depth += 1) {
    const { rules }: { readonly rules: Rules } = fate;
    const here = walked.because === null ? candidates(rules, world) : rules.steps;
    fate = firstOf(here, world, depth, walked) ?? rules.otherwise;
  }
  if (fate.kind !== 'split') return fate;
  // What decides inside of a share decides for that share alone.
  const shares = fate.shares.map(({ weight, fate: one }) => ({
    weight,
    fate: endOf(one, world, { ...walked, steps: [] }, outerDepth + 1),
  }));
  return { kind: 'split', shares };
}

function firstOf(all: readonly Step[], world: World, depth: number, { because, steps }: Walked): Fate | null {
  for (const step of all) {
    const found = because === null ? null : decided(step.when, world);
    const held = found === null ? holds(step.when, world) : found.held;
    if (found) because?.push({ step, ...found, depth });
    if (!held || step.then.kind === 'continue') continue;
    steps.push(step);
    return step.then;
  }
  return null;
}

type Decided = Pick<Reason, 'held' | 'part' | 'partHeld'>;

/** Whether it holds, and the smallest part that made it so. */
function decided(condition: Condition, world: World): Decided {
  if (condition.kind === 'not') {
    const { held, part, partHeld } = decided(condition.of, world);
    return { held: !held, part, partHeld };
  }
  if (condition.kind !== 'all' && condition.kind !== 'some') {
    const held = holds(condition, world);
    return { held, part: condition, partHeld: held };
  }
  const wanted = condition.kind === 'some';
  for (const one of condition.of) {
    const found = decided(one, world);
    if (found.held === wanted) return found;
  }
  return { held: !wanted, part: condition, partHeld: !wanted };
}

function unknownsIn(ways: readonly Way[]): readonly Unknown[] {
  const found = new Map<string, Unknown>();
  const add = (unknown: Unknown) => found.set(`${unknown.why}\n${unknown.text}`, unknown);
  for (const { assuming, fate } of ways) {
    for (const { unknown } of assuming) add(unknown);
    for (const unknown of unknownsOf(fate)) add(unknown);
  }
  return [...found.values()];
}

/** What is not known of a fate itself: where it goes, or a value in it. */
export function unknownsOf(fate: FateView): readonly Unknown[] {
  switch (fate.kind) {
    case 'unknown':
      return [fate];
    case 'pool': {
      const { method, path, query, host, headers } = fate.sent;
      return [method, path, query, host, ...Object.values(headers)].filter(isOne);
    }
    case 'split':
      return fate.shares.flatMap((share) => unknownsOf(share.fate));
    case 'redirect':
      return [fate.location].filter(isOne);
    case 'answer':
      return [fate.body].filter(isOne);
    case 'file':
      return [fate.path].filter(isOne);
    case 'reject':
      return [];
  }
}

const isOne = (told: string | null | Unknown): told is Unknown => typeof told === 'object' && told !== null;
