import { createHash } from 'node:crypto';
import { always, type Condition, describeValue, type Fate, type Unknown, type Value } from './meaning.ts';
import type { Lifting, State, Where } from './state.ts';
import { stepThen } from './steps.ts';
import type { Node } from './tree.ts';

export interface Asked {
  readonly node: Node;
  readonly passes: Condition;
  readonly refusals: readonly { readonly status: number; readonly when: Condition | null }[];
}

export function askedOf(node: Node, why: Unknown['why'], line: string, statuses: readonly number[]): Asked {
  const refusals = statuses.map((status, index) => ({
    status,
    when: index === statuses.length - 1 ? null : opaque(node, why, `${node.text}: answers ${status}`),
  }));
  return { node, passes: opaque(node, why, line), refusals };
}

export interface AccessEnds {
  readonly none: Fate;
  readonly allowed: Fate;
  readonly denied: (node: Node) => Fate;
  readonly where: Where;
  readonly state: State;
  readonly lifting: Lifting;
}

/** The first rule whose network holds the address decides. */
export function accessRules(rules: readonly Node[], ends: AccessEnds): Fate {
  return rules.reduceRight<Fate>((fate, node) => {
    const then = node.name === 'allow' ? ends.allowed : ends.denied(node);
    return stepThen(node, networkOf(node, ends.state.addressBy !== null), then, fate);
  }, ends.none);
}

function networkOf(node: Node, moved: boolean): Condition {
  const [network = ''] = node.words;
  if (network === 'all') return always;
  if (network === 'unix:') return opaque(node, 'complex', node.text);
  if (moved) return opaque(node, 'complex', `the real address is in ${network}`);
  return { kind: 'from', networks: [network] };
}

export function opaque({ place, text: line }: Node, why: Unknown['why'], shown = line): Condition {
  return { kind: 'unknown', why, place, text: shown };
}

/** Whether a file is there: the same question of the same file, however its rules came to it. */
export function isThere(test: '-f' | '-d' | '-e' | '-x', file: Value, node: Node): Condition {
  return opaque(node, 'files', `${test} ${shownFile(file)}`);
}

/** `/var/www{uri}index.html`. Two files have two names: what has no short one is named by its text and all that it is made of. */
export function shownFile(file: Value): string {
  const known = shownFiles.get(file);
  if (known !== undefined) return known;
  const shown = namedFile(file);
  shownFiles.set(file, shown);
  return shown;
}

const shownFiles = new WeakMap<Value, string>();

function namedFile(file: Value): string {
  switch (file.kind) {
    case 'text':
      return file.text;
    case 'joined':
      return file.parts.map(shownFile).join('');
    case 'field':
      return file.field.kind === 'normalisedPath' ? '{uri}' : `{${describeValue(file)}}`;
    default:
      return `{${describeValue(file)} ${createHash('sha256').update(withoutPlaces(file)).digest('hex').slice(0, 6)}}`;
  }
}

/** Wherever its parts stand in a text. */
const withoutPlaces = (file: Value): string =>
  JSON.stringify(file, (name, part: unknown) => (name === 'place' ? undefined : part));
