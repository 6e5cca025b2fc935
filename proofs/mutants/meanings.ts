/** Pairs of meanings at random: of many rules, and of one condition beside itself with one request more. */
import fc from 'fast-check';
import { meaning } from '#routing';
import { condition, meaningOf, request, rules, step } from '../../test/routing/meaning/generated.ts';
import type { Meanings } from './judged.ts';

const { all, field, header, sentAsItCame, some } = meaning;

/** Of rules, which have more in them than texts that people write. */
export function ruledMeanings(seed: number, count: number): readonly Meanings[] {
  const asked = fc.array(request, { minLength: 16, maxLength: 16 });
  return fc
    .sample(fc.tuple(rules, rules, asked), { seed, numRuns: count })
    .map(([before, after, requests]) => ({
      kind: 'meanings',
      before: meaningOf(before),
      after: meaningOf(after),
      asked: requests,
      same: false,
    }));
}

const headers = fc.record({
  'x-a': fc.constantFrom(
    ...['a', '1', '12', '-3', '007', 'a, b', 'a ,\tb', 'x,/a', '/a/b', 'a.example', 'b/a', 'A', '', '%61+b'],
  ),
  'x-b': fc.constantFrom('b', 'a', ''),
  cookie: fc.constantFrom(
    ...['a=1', 'ab=/a; a=b', 'b=2, a = b ', 'a', 'A=1;a=/a/', 'a=1;a=2', 'b=1; a\t=\t1', 'xa=1', '=1; a='],
  ),
});

/** What stands around a header's value is no part of it. */
const richer = fc
  .tuple(request, headers, fc.subarray(['x-a', 'x-b', 'cookie'] as const))
  .map(([plain, values, kept]) => ({
    ...plain,
    headers: Object.fromEntries(
      Object.entries({
        ...plain.headers,
        ...Object.fromEntries(kept.map((name) => [name, values[name]])),
      }).map(([name, value]) => [name, value.trim()]),
    ),
  }));

/**
 * A condition, and the same with one whole request beside it: where the condition holds of the request, nothing changes, and
 * where it does not, that request is what changes.
 */
export function pointedMeanings(seed: number, count: number): readonly Meanings[] {
  return fc.sample(fc.tuple(condition, richer), { seed, numRuns: count }).map(([when, asked]) => {
    const before = meaningOf(ruled(when));
    const { exact, ways } = meaning.fateOf(before, asked);
    const held = exact && ways[0]?.fate.kind === 'pool' && ways[0].fate.pool === 'a';
    return {
      kind: 'meanings',
      before,
      after: meaningOf(ruled(some([when, exactly(asked)]))),
      asked: [asked],
      same: held,
    };
  });
}

function ruled(when: meaning.Condition): meaning.Rules {
  return {
    steps: [step(when, { kind: 'pool', pool: 'a', sent: sentAsItCame })],
    otherwise: { kind: 'pool', pool: 'b', sent: sentAsItCame },
  };
}

function exactly(asked: meaning.Request): meaning.Condition {
  const is = (value: meaning.Value, text: string | null): meaning.Condition => ({
    kind: 'in',
    value,
    language: text === null ? { kind: 'absent' } : { kind: 'is', text, ignoreCase: false },
  });
  return all([
    ...(['path', 'query', 'host', 'method'] as const).map((one) => is(field(one), asked[one])),
    ...['x-a', 'x-b', 'cookie'].map((name) => is(header(name), asked.headers[name] ?? null)),
    { kind: 'from', networks: [asked.sourceAddress] },
  ]);
}
