import type { Regex } from '../language.ts';
import type { Meaning, Rules, Step } from '../meaning.ts';
import { type ByteSet, type Node, parseRegex, partsOf } from '../regex/index.ts';

/** An expression that an engine which tries one way after the other may need for ever, and the rule that asks it. */
export interface BlowUp {
  readonly regex: Regex;
  readonly step: Step;
}

/** Each expression once, at the first rule that has it. */
export function blowUps({ listeners }: Meaning): readonly BlowUp[] {
  const found = new Map<string, BlowUp>();
  const seen = new Set<object>();
  const look = (part: object, step: Step): void => {
    if (isBare(part) || seen.has(part)) return;
    seen.add(part);
    if ('source' in part && 'syntax' in part) {
      const regex = part as Regex;
      if (!found.has(regex.source) && blowsUp(regex)) found.set(regex.source, { regex, step });
      return;
    }
    for (const name in part) {
      const one = (part as Readonly<Record<string, unknown>>)[name];
      if (name !== 'place' && typeof one === 'object' && one !== null) look(one, step);
    }
  };
  const walk = (rules: Rules): void => {
    if (seen.has(rules)) return;
    seen.add(rules);
    for (const step of rules.steps) {
      look(step.when, step);
      if (step.then.kind === 'rules') walk(step.then.rules);
      else look(step.then, step);
    }
    if (rules.otherwise.kind === 'rules') walk(rules.otherwise.rules);
  };
  for (const { rules } of listeners) walk(rules);
  return [...found.values()];
}

const bare = new Set([
  'is',
  'begins',
  'ends',
  'contains',
  'field',
  'text',
  'present',
  'absent',
  'from',
  'always',
]);

/** Most that conditions are made of: no expression is in it. */
const isBare = (part: object): boolean => 'kind' in part && bare.has(part.kind as string);

const known = new Map<string, boolean>();
const knownMax = 20_000;

/** Whether some text can be taken by a repetition in a number of ways that doubles with its length, and something behind it can fail. */
export function blowsUp(regex: Regex): boolean {
  // Two repetitions, or one of alternatives, are the least that it takes.
  if (!/\)[*+{]/.test(regex.source)) return false;
  const key = `${regex.syntax}${regex.ignoreCase ? 'i' : 's'}${regex.source}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= knownMax) known.clear();
  const parsed = parseRegex(regex);
  const made = parsed !== null && isEndless(parsed.node, false);
  known.set(key, made);
  return made;
}

/** @param fails whether what follows can. What is atomic or possessive is not gone back into. */
function isEndless(node: Node, fails: boolean): boolean {
  switch (node.kind) {
    case 'sequence':
      return node.of.some((one, index) => isEndless(one, fails || node.of.slice(index + 1).some(mayFail)));
    case 'repeat': {
      const isLoop = isLong(node) && node.greed !== 'possessive';
      if (isLoop && fails && isAmbiguous(node.of)) return true;
      return isEndless(node.of, node.greed !== 'possessive' && (fails || (isLoop && mayFail(node.of))));
    }
    case 'atomic':
    case 'look':
      return isEndless(node.of, false);
    default:
      return partsOf(node).some((one) => isEndless(one, fails));
  }
}

const isLong = ({ max }: Extract<Node, { kind: 'repeat' }>): boolean => max === null || max > 16;

function mayFail(node: Node): boolean {
  switch (node.kind) {
    case 'sequence':
      return node.of.some(mayFail);
    case 'either':
      return node.of.every(mayFail);
    case 'repeat':
      return node.min > 0 && mayFail(node.of);
    case 'group':
    case 'atomic':
      return mayFail(node.of);
    default:
      return true;
  }
}

/** Places of sets in an expression, and which may follow which: one number for each way. */
interface Places {
  readonly sets: ByteSet[];
  readonly follows: Map<number, number[]>;
}

interface Part {
  readonly first: readonly number[];
  readonly last: readonly number[];
  readonly isNullable: boolean;
}

const placesMax = 40;

/** Whether a text that it takes again and again can be taken in more than one way. */
function isAmbiguous(node: Node): boolean {
  const places: Places = { sets: [], follows: new Map() };
  const part = placed(node, places);
  const { sets, follows } = places;
  if (sets.length === 0 || sets.length > placesMax) return false;
  join(part.last, part.first, places);
  for (const next of follows.values()) if (new Set(next).size < next.length) return true;
  const meets = sets.map((one) =>
    sets.map((other) => one.some((flag, code) => flag === 1 && other[code] === 1)),
  );
  const seen = new Set<string>();
  const open: (readonly [number, number])[] = sets.map((_, place) => [place, place]);
  for (let pair = open.pop(); pair; pair = open.pop()) {
    const [one, other] = pair;
    for (const a of follows.get(one) ?? [])
      for (const b of follows.get(other) ?? []) {
        if (meets[a]?.[b] !== true) continue;
        if (one !== other && a === b) return true;
        if (a === b || seen.has(`${a} ${b}`)) continue;
        seen.add(`${a} ${b}`);
        open.push([a, b]);
      }
  }
  return false;
}

function join(last: readonly number[], first: readonly number[], { follows }: Places): void {
  for (const one of last) follows.set(one, [...(follows.get(one) ?? []), ...first]);
}

const empty: Part = { first: [], last: [], isNullable: true };

/** @param held what it took it keeps: it turns one way only. */
function placed(node: Node, places: Places, held = false): Part {
  switch (node.kind) {
    case 'set': {
      const place = places.sets.push(node.set) - 1;
      return { first: [place], last: [place], isNullable: false };
    }
    case 'sequence':
      return node.of.reduce<Part>((before, one) => {
        const part = placed(one, places, held);
        join(before.last, part.first, places);
        return {
          first: before.isNullable ? [...before.first, ...part.first] : before.first,
          last: part.isNullable ? [...before.last, ...part.last] : part.last,
          isNullable: before.isNullable && part.isNullable,
        };
      }, empty);
    case 'either': {
      const parts = node.of.map((one) => placed(one, places, held));
      return {
        first: parts.flatMap(({ first }) => first),
        last: parts.flatMap(({ last }) => last),
        isNullable: parts.some(({ isNullable }) => isNullable),
      };
    }
    case 'repeat': {
      const isHeld = held || node.greed === 'possessive';
      const part = placed(node.of, places, isHeld);
      const turns = (node.max ?? 2) > 1 && node.min !== node.max;
      if (turns && !isHeld) join(part.last, part.first, places);
      return { ...part, isNullable: node.min === 0 || part.isNullable };
    }
    case 'group':
      return placed(node.of, places, held);
    case 'atomic':
      return placed(node.of, places, true);
    default:
      return empty;
  }
}
