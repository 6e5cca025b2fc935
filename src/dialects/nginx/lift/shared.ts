import type { Place } from '#base';
import type { Fate, Rules, Step } from './meaning.ts';
import type { Pools } from './pools.ts';
import type { Lifting, Server } from './state.ts';

/** A pool that was asked for on the way: an address that stands in a text alone becomes one by that. */
interface Asked {
  readonly authority: string;
  readonly port: number;
  readonly place: Place;
}

interface Known {
  readonly fate: Fate;
  readonly place: Place;
  readonly asked: readonly Asked[];
}

/** Servers of several texts with the same around them. */
export interface Among {
  of(server: Server, lifting: Lifting, make: (lifting: Lifting) => Fate): Fate;
}

/**
 * What becomes of requests in `server` blocks, for texts that are lifted to be compared: of one that both have letter for
 * letter, with the same around it, only the places are others. So its conditions are one and the same in both.
 */
export class SharedServers {
  readonly #known = new Map<string, Map<string, Known>>();
  readonly #plain = new WeakSet<object>();

  /** @param around all that servers may depend on beside their own text: long, so it is asked for once. */
  among(around: string): Among {
    const here = this.#known.get(around) ?? new Map<string, Known>();
    this.#known.set(around, here);
    return { of: (server, lifting, make) => this.#of(server, here, lifting, make) };
  }

  #of(server: Server, here: Map<string, Known>, lifting: Lifting, make: (lifting: Lifting) => Fate): Fate {
    const source = server.scope.node?.source;
    // What it includes stands elsewhere.
    if (source === undefined || source.includes('include')) return make(lifting);
    const known = here.get(source);
    // Looked at when it is asked for again: most servers of a text that was changed everywhere never are.
    if (known && this.#isPlain(known.fate)) return again(known, server.place, lifting.pools);
    const heard = listening(lifting);
    const fate = make(heard.lifting);
    if (!heard.isOdd()) here.set(source, { fate, place: server.place, asked: heard.asked });
    return fate;
  }

  /** Nothing in it is not known: that has a place, wherever it stands. */
  #isPlain(part: object): boolean {
    if ('kind' in part) {
      if (part.kind === 'unknown') return false;
      if (bare.has(part.kind)) return true;
    }
    if (this.#plain.has(part)) return true;
    for (const name in part) {
      const one = (part as Readonly<Record<string, unknown>>)[name];
      if (name !== 'place' && typeof one === 'object' && one !== null && !this.#isPlain(one)) return false;
    }
    this.#plain.add(part);
    return true;
  }
}

/** Most that conditions and values are made of: nothing is in them. */
const bare = new Set<unknown>([
  'is',
  'begins',
  'ends',
  'contains',
  'field',
  'text',
  'present',
  'absent',
  'always',
]);

/** The same lifting, and what was asked of it. Odd: something was refused, or all pools of the text were looked at. */
function listening(lifting: Lifting) {
  const asked: Asked[] = [];
  let isOdd = false;
  const { pools } = lifting;
  const heard: Pools = {
    get all() {
      isOdd = true;
      return pools.all;
    },
    has: (name) => pools.has(name),
    of(authority, port, place) {
      asked.push({ authority, port, place });
      return pools.of(authority, port, place);
    },
  };
  const refuse: Lifting['refuse'] = (node, why) => {
    isOdd = true;
    lifting.refuse(node, why);
  };
  return { lifting: { ...lifting, pools: heard, refuse }, asked, isOdd: () => isOdd };
}

function again({ fate, place, asked }: Known, now: Place, pools: Pools): Fate {
  const placed = ({ line, column }: Place): Place => ({
    file: now.file,
    line: line + now.line - place.line,
    column,
  });
  for (const one of asked) pools.of(one.authority, one.port, placed(one.place));
  if (now.file === place.file && now.line === place.line) return fate;
  const lists = new Map<Rules, Rules>();
  const moved = (one: Fate): Fate => {
    if (one.kind === 'split')
      return {
        kind: 'split',
        shares: one.shares.map(({ weight, fate: of }) => ({ weight, fate: moved(of) })),
      };
    return one.kind === 'rules' ? { kind: 'rules', rules: movedRules(one.rules) } : one;
  };
  const movedRules = (rules: Rules): Rules => {
    const known = lists.get(rules);
    if (known) return known;
    const steps = rules.steps.map((step): Step => {
      const then = step.then.kind === 'continue' ? step.then : moved(step.then);
      return { when: step.when, then, place: placed(step.place), text: step.text };
    });
    const made = { steps, otherwise: moved(rules.otherwise) };
    lists.set(rules, made);
    return made;
  };
  return moved(fate);
}
