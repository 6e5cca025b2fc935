import type { Condition } from '../condition.ts';
import type { Rules } from '../meaning.ts';
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

/** The places of steps that may hold, in order: those that ask for another text than a value has are left out. */
export function candidates(rules: Rules, world: World): readonly number[] {
  const table = tables.get(rules) ?? tableOf(rules);
  tables.set(rules, table);
  const found = [...table.rest];
  for (const { value, byText } of table.values) {
    const told = evaluate(value, world);
    if (typeof told === 'string') found.push(...(byText.get(told) ?? []));
  }
  return found.sort((a, b) => a - b);
}

function tableOf({ steps }: Rules): Table {
  const values = new Map<string, { value: Value; byText: Map<string, number[]> }>();
  const rest: number[] = [];
  for (const [index, { when }] of steps.entries()) {
    const asked = askedText(when);
    if (!asked) {
      rest.push(index);
      continue;
    }
    const key = JSON.stringify(asked.value);
    const group = values.get(key) ?? { value: asked.value, byText: new Map<string, number[]>() };
    values.set(key, group);
    const there = group.byText.get(asked.text) ?? [];
    group.byText.set(asked.text, there);
    there.push(index);
  }
  return { values: [...values.values()], rest };
}

/** A text that a plain value must be for the condition to hold. */
function askedText(condition: Condition): { readonly value: Value; readonly text: string } | null {
  if (condition.kind === 'all') {
    for (const one of condition.of) {
      const asked = askedText(one);
      if (asked) return asked;
    }
    return null;
  }
  if (condition.kind !== 'in' || !isPlain(condition.value)) return null;
  const { language } = condition;
  return language.kind === 'is' && !language.ignoreCase
    ? { value: condition.value, text: language.text }
    : null;
}

/** Nothing that is not known can be in it. */
function isPlain(value: Value): boolean {
  if (value.kind === 'field') return true;
  return (value.kind === 'lower' || value.kind === 'part' || value.kind === 'slice') && isPlain(value.of);
}
