/**
 * Expressions that may be tried for ever, against one that tries: it goes back as an engine does, and counts. What twelve turns more
 * make a hundred times as much doubles soon.
 */
import { meaning } from '#routing';
import { type Node, parseRegex } from '../../src/routing/meaning/regex/index.ts';
import { type Chance, chanceOf } from '../plan/chance.ts';

export interface BlowingUp {
  readonly kind: 'blow-up';
  readonly source: string;
  readonly endless: boolean;
}

const stepsMax = 150_000;

class Spent extends Error {}

/** How many steps it takes to say that a text is not taken, or that it is. */
function stepsOf(node: Node, text: string): number {
  let steps = 0;
  type Then = (at: number) => boolean;
  const tried = (one: Node, at: number, then: Then): boolean => {
    steps += 1;
    if (steps > stepsMax) throw new Spent();
    switch (one.kind) {
      case 'set':
        return at < text.length && one.set[text.charCodeAt(at)] === 1 && then(at + 1);
      case 'sequence': {
        const from = (index: number, here: number): boolean => {
          const part = one.of[index];
          return part === undefined ? then(here) : tried(part, here, (next) => from(index + 1, next));
        };
        return from(0, at);
      }
      case 'either':
        return one.of.some((way) => tried(way, at, then));
      case 'repeat': {
        const turn = (count: number, here: number): boolean => {
          const again = () =>
            (one.max === null || count < one.max) &&
            tried(one.of, here, (next) => (next > here || count < one.min) && turn(count + 1, next));
          const enough = () => count >= one.min && then(here);
          return one.greed === 'lazy' ? enough() || again() : again() || enough();
        };
        if (one.greed !== 'possessive') return turn(0, at);
        return atomically({ ...one, greed: 'greedy' }, at, then);
      }
      case 'group':
        return tried(one.of, at, then);
      case 'atomic':
        return atomically(one.of, at, then);
      case 'start':
        return at === 0 && then(at);
      case 'end':
      case 'lineEnd':
        return at === text.length && then(at);
      default:
        return then(at);
    }
  };
  const atomically = (one: Node, at: number, then: Then): boolean => {
    let end = -1;
    const taken = tried(one, at, (next) => {
      end = next;
      return true;
    });
    return taken && then(end);
  };
  try {
    tried(node, 0, () => true);
  } catch (error) {
    if (!(error instanceof Spent)) throw error;
  }
  return steps;
}

const pumps = ['a', 'b', 'ab', 'aa', '/a', 'a/', 'aab', 'ba', '/', '1', 'a1'];
const fronts = ['', '/', 'a', 'b'];

/** Whether some text that goes on and on makes it try in ways that double. */
function isEndless(node: Node): boolean {
  return fronts.some((front) =>
    pumps.some((pump) => {
      const [few, more] = [8, 20].map((turns) => stepsOf(node, `${front}${pump.repeat(turns)}!`)) as [
        number,
        number,
      ];
      return more >= stepsMax || more > few * 100;
    }),
  );
}

const atoms = [
  'a',
  'b',
  '[ab]',
  '[^/]',
  '.',
  '\\w',
  '/',
  'ab',
  '(?:a|ab)',
  '(?:a|b)',
  '(?:b|bb?)',
  '[a-z]',
  '\\d',
  'a?',
  '1?',
];
const signs = ['', '', '*', '+', '?', '*?', '+?', '{2}', '{1,2}', '{0,20}', '*+', '{2,}', '++'];

function source(chance: Chance): string {
  const part = () => chance.pick(atoms) + chance.pick(signs);
  const inner = Array.from({ length: 1 + chance.below(3) }, part).join(chance.pick(['', '', '|']));
  const group = `${chance.pick(['(', '(?:', '(?:', '(?>', '(?=', '(?i:'])}${inner})${chance.pick(['*', '+', '+', '*?', '{1,30}', '{3}', '*+', '?', '{2,}'])}`;
  const [before, behind] = [
    chance.pick(['^', '^/', '', '^a']),
    chance.pick(['$', 'x', '', '/?$', '(?:x|y)', '.*', '\\.php$', 'a*', '(?=x)', '\\b', 'x?$']),
  ];
  const whole = before + group + behind;
  return chance.percent(10) ? `(?:${whole})${chance.pick(['', '?', '|zz'])}` : whole;
}

/** Both ways of telling agree on those; and those that the model does not tell. */
export function blowUps(
  seed: number,
  count: number,
): {
  readonly agreed: readonly BlowingUp[];
  readonly missed: readonly string[];
} {
  const chance = chanceOf(seed + 55);
  const agreed: BlowingUp[] = [];
  const missed: string[] = [];
  for (let left = count; left > 0; left -= 1) {
    const one = source(chance);
    const parsed = parseRegex(regexOf(one));
    if (parsed === null) continue;
    const [said, endless] = [meaning.blowsUp(regexOf(one)), isEndless(parsed.node)];
    if (said === endless) agreed.push({ kind: 'blow-up', source: one, endless });
    else if (endless) missed.push(one);
  }
  return { agreed, missed };
}

const regexOf = (one: string): meaning.Regex => ({ source: one, ignoreCase: false, syntax: 'pcre' });

export function blowUpWrong({ source: one, endless }: BlowingUp): string | null {
  const regex = regexOf(one);
  const found = meaning.blowUps(asking(regex, one.length));
  const isFound = found.length === 1 && found[0]?.regex.source === one;
  const isRight = meaning.blowsUp(regex) === endless && isFound === endless && found.length <= 1;
  return isRight ? null : `"${one}" is ${endless ? '' : 'not '}tried for ever`;
}

const place = { file: 'a.cfg', line: 1, column: 1 };

/** A text that asks for it in one of some places. */
function asking(regex: meaning.Regex, which: number): meaning.Meaning {
  const path = meaning.field('path');
  const when: meaning.Condition = { kind: 'in', value: path, language: { kind: 'matches', regex } };
  const plain: meaning.Fate = { kind: 'answer', status: 404, body: null };
  const step = (asks: meaning.Condition, then: meaning.Step['then']): meaning.Step => ({
    when: asks,
    then,
    place,
    text: 'rule',
  });
  const location: meaning.Value = { kind: 'replaced', of: path, regex, every: false, by: ['/'] };
  const asked: meaning.Rules = { steps: [step(when, plain)], otherwise: plain };
  const ways: readonly meaning.Rules[] = [
    asked,
    { steps: [step({ kind: 'always' }, { kind: 'rules', rules: asked })], otherwise: plain },
    { steps: [], otherwise: { kind: 'rules', rules: asked } },
    { steps: [step({ kind: 'always' }, { kind: 'redirect', status: 302, location })], otherwise: plain },
    { steps: [step(when, { kind: 'continue' }), step({ kind: 'not', of: when }, plain)], otherwise: plain },
  ];
  const rules = ways[which % ways.length] ?? asked;
  const listener = { name: 'a', host: '*', port: 80, mode: 'http', tls: false, rules, place } as const;
  const listeners = [listener, { ...listener, port: 81 }];
  return { listeners, pools: [], settings: [], notUnderstood: [] };
}
