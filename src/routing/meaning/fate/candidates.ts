import { Keys } from '../keys.ts';
import type { Rules, Step } from '../meaning.ts';
import { needsOf, textNeeded } from '../needs.ts';
import type { Value } from '../value.ts';
import { evaluate } from './evaluate.ts';
import type { World } from './world.ts';

interface Table {
  readonly values: readonly {
    readonly value: Value;
    readonly byText: ReadonlyMap<string, readonly number[]>;
  }[];
  readonly rest: readonly number[];
}

const tables = new WeakMap<Rules, Table>();

/** With fewer it is quicker to ask them all. */
const stepsMin = 16;

/** Steps that may hold, in order: those that ask for another text than a value has are left out. */
export function candidates(rules: Rules, world: World): readonly Step[] {
  const { steps } = rules;
  if (steps.length < stepsMin) return steps;
  const table = tables.get(rules) ?? tableOf(rules);
  tables.set(rules, table);
  const found = [...table.rest];
  for (const { value, byText } of table.values) {
    const told = evaluate(value, world);
    // A list of hosts is no host that `needsOf` reckons with.
    if (typeof told === 'string' && /[\s,]/.test(told)) return steps;
    if (typeof told === 'string') for (const index of byText.get(textNeeded(told)) ?? []) found.push(index);
  }
  if (table.rest.length > 0 || table.values.length > 1) found.sort((a, b) => a - b);
  const here: Step[] = [];
  for (const index of found) {
    const step = steps[index];
    if (step) here.push(step);
  }
  return here;
}

function tableOf({ steps }: Rules): Table {
  const keys = new Keys();
  const values = new Map<number, { value: Value; byText: Map<string, number[]> }>();
  const rest: number[] = [];
  for (const [index, { when }] of steps.entries()) {
    const asked = needsOf(when, keys).find((need) => need.beginnings.length === 0 && isPlain(need.value));
    if (asked === undefined) {
      rest.push(index);
      continue;
    }
    const { key, value, texts } = asked;
    const group = values.get(key) ?? { value, byText: new Map<string, number[]>() };
    values.set(key, group);
    for (const text of texts) {
      const there = group.byText.get(text) ?? [];
      group.byText.set(text, there);
      there.push(index);
    }
  }
  return { values: [...values.values()], rest };
}

/** Nothing that is not known can be in it. */
function isPlain(value: Value): boolean {
  if (value.kind === 'field') return true;
  return ['lower', 'part', 'slice'].includes(value.kind) && 'of' in value && isPlain(value.of);
}
