import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { meaning } from '#routing';
import { condition, meaningOf, request, rules, step } from './generated.ts';

const { difference, fateOf } = meaning;

/** What is seen of a fate, without the names of pools. */
function seen(of: meaning.Meaning, asked: meaning.Request, holds: boolean): string {
  const [way] = fateOf(of, asked, { condition: () => holds }).ways;
  const fate = way?.fate;
  return JSON.stringify(fate?.kind === 'pool' ? { ...fate, pool: '' } : { ...fate, place: null });
}

describe('the difference of two meanings', () => {
  test('none is missed, and each that is claimed is there', () => {
    let found = 0;
    fc.assert(
      fc.property(
        rules,
        rules,
        fc.array(request, { minLength: 30, maxLength: 30 }),
        (one, other, requests) => {
          const [before, after] = [meaningOf(one), meaningOf(other)];
          const { differences, notKnownSame, complete } = difference(before, after);
          assert.equal(complete, true);
          found += differences.length;
          for (const { witness, assuming, before: was, after: is } of differences) {
            assert.notDeepEqual(was, is, JSON.stringify(witness));
            if (assuming.length > 0) continue;
            assert.deepEqual(fateOf(before, witness).ways[0]?.fate, was);
            assert.deepEqual(fateOf(after, witness).ways[0]?.fate, is);
          }
          if (differences.length > 0 || notKnownSame.length > 0) return;
          for (const asked of requests)
            for (const holds of [true, false])
              assert.equal(seen(before, asked, holds), seen(after, asked, holds), JSON.stringify(asked));
        },
      ),
      { numRuns: 60, seed: 4 },
    );
    assert.ok(found > 20);
  });

  test('a request that is treated differently is in a difference that is decided by the same steps', () => {
    fc.assert(
      fc.property(
        rules,
        rules,
        fc.array(request, { minLength: 20, maxLength: 20 }),
        (one, other, requests) => {
          const [before, after] = [meaningOf(one), meaningOf(other)];
          const { differences, notKnownSame } = difference(before, after);
          for (const asked of requests) {
            const [was, is] = [fateOf(before, asked), fateOf(after, asked)];
            if (!was.exact || !is.exact || seen(before, asked, true) === seen(after, asked, true)) continue;
            const by = ({ steps }: meaning.Difference) =>
              same(steps.before, was.ways[0]?.steps) && same(steps.after, is.ways[0]?.steps);
            assert.ok([...differences, ...notKnownSame].some(by), JSON.stringify(asked));
          }
        },
      ),
      { numRuns: 60, seed: 4 },
    );
  });

  test('the same, renamed and with steps that are never come to, is no difference', () => {
    fc.assert(
      fc.property(rules, condition, (of, when) => {
        const renamed = JSON.parse(
          JSON.stringify(of).replaceAll('"pool":"', '"pool":"new-'),
        ) as meaning.Rules;
        const more = { ...renamed, steps: [...renamed.steps, step(when, renamed.otherwise)] };
        const { differences, notKnownSame } = difference(meaningOf(of), meaningOf(more, 'new-'));
        assert.deepEqual([...differences, ...notKnownSame], []);
      }),
      { numRuns: 60, seed: 4 },
    );
  });
});

function same(a: readonly meaning.Step[], b: readonly meaning.Step[] = []): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}

describe('ten thousand routes over a thousand hosts', () => {
  const host: meaning.Value = {
    kind: 'lower',
    of: { kind: 'part', of: meaning.field('host'), separators: ':', number: 1 },
  };
  const site = (poolOf: (index: number) => string): meaning.Meaning => {
    const steps = Array.from({ length: 10_000 }, (_, index) =>
      step(
        meaning.all([
          {
            kind: 'in',
            value: host,
            language: { kind: 'is', text: `www${index % 1_000}.shop.example`, ignoreCase: false },
          },
          {
            kind: 'in',
            value: meaning.field('path'),
            language: { kind: 'begins', text: `/part${Math.floor(index / 1_000)}/`, ignoreCase: false },
          },
        ]),
        { kind: 'pool', pool: poolOf(index), sent: meaning.sentAsItCame },
      ),
    );
    return meaningOf({ steps, otherwise: { kind: 'answer', status: 404, body: null } });
  };
  const before = site((index) => ['a', 'b'][index % 2] ?? '');

  test('one that goes elsewhere is the only difference', () => {
    const { differences } = difference(
      before,
      site((index) => (index === 4_321 ? 'c' : (['a', 'b'][index % 2] ?? ''))),
    );
    assert.deepEqual(
      differences.map(({ witness, description }) => [witness.host, witness.path, description]),
      [['www321.shop.example', '/part4/', 'host is www321.shop.example, path begins with "/part4/"']],
    );
  });

  test('no difference where the same is written the other way round', () => {
    const { steps, otherwise } = before.listeners[0]?.rules ?? {
      steps: [],
      otherwise: { kind: 'reject', how: 'close' },
    };
    const { differences, notKnownSame } = difference(
      before,
      meaningOf({ steps: [...steps].reverse(), otherwise }),
    );
    assert.deepEqual([...differences, ...notKnownSame], []);
  });

  test('a listener of one address that becomes one of all is there for the others, and they are asked for', () => {
    const all = meaningOf({ steps: [], otherwise: { kind: 'reject', how: 'close' } });
    const [listener] = all.listeners;
    assert.ok(listener);
    const own = { ...all, listeners: [{ ...listener, host: '192.0.2.1' }] };
    const any = { ...all, listeners: [{ ...listener, host: '*' }] };
    for (const [before, after] of [
      [own, any],
      [any, own],
    ] as const) {
      const { differences } = difference(before, after);
      assert.deepEqual(
        differences.map(({ witness }) => witness.address),
        ['192.0.2.2'],
      );
      const [one] = differences;
      assert.ok(one);
      assert.notDeepEqual(fateOf(before, one.witness).listener, fateOf(after, one.witness).listener);
    }
  });
});
