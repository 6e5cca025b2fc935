import { type AST, RegExpParser } from '@eslint-community/regexpp';
import { pathWithin, stronglyConnected } from './graph.ts';

/**
 * Whether a client can choose a value over which an engine that tries one way after the other (PCRE, under HAProxy and
 * NGINX) takes time that doubles with each character: two different ways through the expression that begin and end in
 * the same place and read the same characters, so that they can be taken again and again.
 */
export interface Ambiguity {
  /** Leads there. */
  readonly prefix: string;
  /** Can be read in two ways, any number of times. */
  readonly pump: string;
}

/** A place in the expression where one character is read. What can follow it, and in how many ways. */
interface Position {
  readonly reads: readonly boolean[];
  readonly next: Map<number, number>;
}

interface Part {
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly canBeEmpty: boolean;
}

const charactersMax = 128;
/** More copies of a repeated part than this tell nothing new, and cost much. */
const copiesMax = 32;
const positionsMax = 120;
const partsMax = 2_000;
/** Pairs of steps; what takes more is left to the engines' own limits. */
const pairsMax = 3_000_000;
const nothing: Part = { first: [], last: [], canBeEmpty: true };

/** A site is read again and again, and says the same. */
const known = new Map<string, Ambiguity | null>();
const knownMax = 1_000;

/** Null: none was found. The expression is one that `RegExp` takes. */
export function ambiguityIn(source: string): Ambiguity | null {
  const before = known.get(source);
  if (before !== undefined) return before;
  const found = lookFor(source);
  if (known.size >= knownMax) known.clear();
  known.set(source, found);
  return found;
}

function lookFor(source: string): Ambiguity | null {
  const { alternatives } = new RegExpParser({ ecmaVersion: 2018 }).parsePattern(source);
  const builder = new Builder();
  const { first } = builder.anyOf(alternatives);
  return ambiguous(builder.positions, first);
}

class Builder {
  readonly positions: Position[] = [];
  #parts = 0;

  anyOf(alternatives: readonly AST.Alternative[]): Part {
    const parts = alternatives.map(({ elements }) => this.#oneAfterAnother(elements));
    return {
      first: parts.flatMap(({ first }) => first),
      last: parts.flatMap(({ last }) => last),
      canBeEmpty: parts.some(({ canBeEmpty }) => canBeEmpty),
    };
  }

  #oneAfterAnother(elements: readonly AST.Element[]): Part {
    return elements.reduce<Part>((before, element) => this.#join(before, this.#part(element)), nothing);
  }

  #join(before: Part, after: Part): Part {
    this.#connect(before.last, after.first);
    return {
      first: before.canBeEmpty ? [...before.first, ...after.first] : before.first,
      last: after.canBeEmpty ? [...before.last, ...after.last] : after.last,
      canBeEmpty: before.canBeEmpty && after.canBeEmpty,
    };
  }

  #connect(from: readonly number[], to: readonly number[]): void {
    for (const one of from)
      for (const other of to) {
        const next = this.positions[one]?.next;
        next?.set(other, (next.get(other) ?? 0) + 1);
      }
  }

  #part(element: AST.Element): Part {
    this.#parts += 1;
    switch (element.type) {
      case 'Group':
      case 'CapturingGroup':
        return this.anyOf(element.alternatives);
      case 'Quantifier':
        return this.#repeated(element);
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return this.#character(element.raw);
      default:
        // An assertion reads nothing.
        return nothing;
    }
  }

  #character(raw: string): Part {
    const test = new RegExp(`^(?:${raw})$`);
    const reads = Array.from({ length: charactersMax }, (_, code) => test.test(String.fromCharCode(code)));
    const position = this.positions.push({ reads, next: new Map() }) - 1;
    return { first: [position], last: [position], canBeEmpty: false };
  }

  #repeated({ element, min, max }: AST.Quantifier): Part {
    if (max === 0) return nothing;
    if (max <= copiesMax && this.#hasRoom()) return this.#copies(element, min, max);
    const once = this.#part(element);
    if (max > 1) this.#connect(once.last, once.first);
    return min === 0 ? { ...once, canBeEmpty: true } : once;
  }

  #copies(element: AST.QuantifiableElement, min: number, max: number): Part {
    let whole: Part = nothing;
    // From the last: each that need not be there is followed by the rest of them or by nothing.
    for (let copy = max; copy > 0; copy -= 1) {
      if (copy < max && !this.#hasRoom()) return whole;
      whole = this.#join(this.#part(element), whole);
      if (copy > min) whole = { ...whole, canBeEmpty: true };
    }
    return whole;
  }

  #hasRoom(): boolean {
    return this.positions.length < positionsMax && this.#parts < partsMax;
  }
}

function ambiguous(positions: readonly Position[], first: readonly number[]): Ambiguity | null {
  const nextOf = (one: number) => [...(positions[one]?.next.keys() ?? [])];
  const circles = stronglyConnected(positions.length, nextOf);
  const witness = (from: number, through: readonly number[]): Ambiguity => ({
    prefix: read(positions, pathWithin(first, nextOf, (one) => one === from) ?? []),
    pump: through.map((one) => characterOf(positions, [one])).join(''),
  });
  // The same step can be made in two ways, as the inner and the outer repetition of (a+)+.
  for (const [one, { next }] of positions.entries())
    for (const [other, ways] of next)
      if (ways > 1 && circles[one] === circles[other]) {
        const back = pathWithin([other], nextOf, (found) => found === one);
        if (back) return witness(one, back);
      }
  return twoWays(positions, circles, nextOf, witness);
}

/** Two places at once that read the same: the same place, then two others, then the same place again. */
function twoWays(
  positions: readonly Position[],
  circles: readonly number[],
  nextOf: (one: number) => number[],
  witness: (from: number, through: readonly number[]) => Ambiguity,
): Ambiguity | null {
  const count = positions.length;
  const overlap = positions.map((one) =>
    positions.map((other) => one.reads.some((r, i) => r && other.reads[i])),
  );
  let looked = 0;
  const nextPairs = (pair: number) => {
    if (looked > pairsMax) return [];
    const [one, other] = [Math.floor(pair / count), pair % count];
    const stay = nextOf(one).filter((next) => circles[next] === circles[one]);
    const others = nextOf(other).filter((next) => circles[next] === circles[one]);
    looked += stay.length * others.length;
    return stay.flatMap((a) => others.filter((b) => overlap[a]?.[b]).map((b) => a * count + b));
  };
  const groups = stronglyConnected(count * count, nextPairs);
  for (let one = 0; one < count; one += 1) {
    const same = one * count + one;
    const isOther = (pair: number) =>
      Math.floor(pair / count) !== pair % count && groups[pair] === groups[same];
    const away = pathWithin([same], nextPairs, isOther);
    const last = away?.at(-1);
    if (!away || last === undefined) continue;
    const back = pathWithin([last], nextPairs, (pair) => pair === same) ?? [];
    const pairs = [...away.slice(1), ...back.slice(1)];
    const through = pairs.map(
      (pair) => characterOf(positions, [Math.floor(pair / count), pair % count]) ?? '',
    );
    return { ...witness(one, []), pump: through.join('') };
  }
  return null;
}

function read(positions: readonly Position[], path: readonly number[]): string {
  return path.map((one) => characterOf(positions, [one]) ?? '').join('');
}

/** A character that all of them read, letters first; null when there is none. */
function characterOf(positions: readonly Position[], all: readonly number[]): string | null {
  const found = preferred.find((code) => all.every((one) => positions[one]?.reads[code]));
  return found === undefined ? null : String.fromCharCode(found);
}

const codes = Array.from({ length: charactersMax }, (_, code) => code);
const preferred = codes.toSorted((a, b) => rank(a) - rank(b) || a - b);

function rank(code: number): number {
  const text = String.fromCharCode(code);
  if (/[a-z]/.test(text)) return 0;
  return /[\w/.-]/.test(text) ? 1 : code > 32 && code < 127 ? 2 : 3;
}
