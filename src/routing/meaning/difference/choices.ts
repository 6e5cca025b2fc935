import { TooComplex } from '../automata/index.ts';
import { all, type Condition } from '../condition.ts';
import type { Ending } from '../fate/view.ts';
import type { Sent } from '../meaning.ts';
import type { Value } from '../value.ts';
import { casesOf } from './terms.ts';

/** One of the fates that a fate may be by its conditions: `set-header X-A 1 if { ... }` makes two. */
export interface Choice {
  readonly when: Condition;
  readonly ending: Ending;
}

/** More are taken as they are written. */
const choicesMax = 16;

/** Of which exactly one holds, whatever the request. Null: there is nothing to choose, or too much. */
export function choicesOf(ending: Ending): readonly Choice[] | null {
  try {
    const found = chosen(ending);
    return found.length > 1 ? found : null;
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error;
    return null;
  }
}

function chosen(ending: Ending): readonly Choice[] {
  switch (ending.kind) {
    case 'pool':
      return sentBy(ending.sent).map(({ when, of }) => ({ when, ending: { ...ending, sent: of } }));
    case 'redirect':
      return waysOf(ending.location).map(({ when, of }) => ({ when, ending: { ...ending, location: of } }));
    case 'file':
      return waysOf(ending.path).map(({ when, of }) => ({ when, ending: { ...ending, path: of } }));
    case 'answer':
      return told(ending.body).map(({ when, of }) => ({ when, ending: { ...ending, body: of } }));
    case 'split':
    case 'reject':
    case 'unknown':
      return [{ when: all([]), ending }];
  }
}

interface Way<T> {
  readonly when: Condition;
  readonly of: T;
}

function waysOf(value: Value): readonly Way<Value>[] {
  return casesOf(value).map(({ when, value: of }) => ({ when, of }));
}

function told(value: Value | null): readonly Way<Value | null>[] {
  return value === null ? [{ when: all([]), of: null }] : waysOf(value);
}

function sentBy({ headers, ...parts }: Sent): readonly Way<Sent>[] {
  const none: readonly Way<Sent>[] = [{ when: all([]), of: { ...parts, headers: {} } }];
  const withParts = (['method', 'path', 'query', 'host'] as const).reduce(
    (ways, part) => crossed(ways, told(parts[part]), (sent, value) => ({ ...sent, [part]: value })),
    none,
  );
  return Object.entries(headers).reduce(
    (ways, [name, value]) =>
      crossed(ways, told(value), (sent, one) => ({ ...sent, headers: { ...sent.headers, [name]: one } })),
    withParts,
  );
}

function crossed<A, B>(
  ways: readonly Way<A>[],
  more: readonly Way<B>[],
  both: (a: A, b: B) => A,
): readonly Way<A>[] {
  if (ways.length * more.length > choicesMax) throw new TooComplex();
  return ways.flatMap((one) =>
    more.map((other) => ({ when: all([one.when, other.when]), of: both(one.of, other.of) })),
  );
}
