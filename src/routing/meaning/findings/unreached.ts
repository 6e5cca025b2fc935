import { withinBudget, workMax } from '../automata/index.ts';
import { samePools } from '../difference/common.ts';
import { onlyWords } from '../difference/difference.ts';
import { type Entry, type List, Lists, Sames } from '../difference/lists.ts';
import { type Meeting, meetings } from '../difference/meetings.ts';
import { Terms } from '../difference/terms.ts';
import { Walk } from '../difference/walk.ts';
import { Keys } from '../keys.ts';
import type { Fate, Meaning, PoolMeaning, Rules, Step } from '../meaning.ts';
import { canMeet, eitherOf, needsOf } from '../needs.ts';
import { poolsIn, type Reached, triedIn } from './tried.ts';

/** A step that no request comes to. */
export interface DeadStep {
  readonly step: Step;
  /** The steps that take all that it would take; none: its condition never holds where it stands. */
  readonly takenBy: readonly Step[];
}

export interface Unreached {
  readonly steps: readonly DeadStep[];
  /** To which nothing that is understood leads. */
  readonly pools: readonly PoolMeaning[];
  /** False: a named limit was met; nothing is told of what was not looked at. */
  readonly complete: boolean;
}

/** Steps that can never match, with what shadows them; and pools that nobody reaches. */
export function unreached(meaning: Meaning): Unreached {
  const met = meetings(meaning, meaning);
  const tried = triedIn(meaning, met);
  return withinBudget(workMax, () => {
    const first = new Search(meaning, met, tried, false);
    return (first.asksBothPaths ? new Search(meaning, met, tried, true) : first).found();
  });
}

/** For each of them it is worked out what takes its requests: more are not told. */
const deadMax = 200;
/** A rule that is dead is worth a word, not minutes. */
const deadVisitsMax = 20_000;

class Search {
  readonly #meaning: Meaning;
  readonly #terms: Terms;
  readonly #lists: Lists;
  readonly #meetings: readonly Meeting[];
  readonly #keys = new Keys();
  readonly #left = new Map<Meeting, List | null>();
  readonly #reached: Set<Step>;
  readonly #pools: Set<string>;
  readonly asksBothPaths: boolean;

  constructor(meaning: Meaning, met: readonly Meeting[], tried: Reached, rawPath: boolean) {
    this.#meaning = meaning;
    this.#terms = new Terms(rawPath, this.#keys);
    this.#lists = new Lists(meaning, this.#terms, new Sames(samePools(meaning, meaning), this.#keys));
    this.#meetings = met;
    this.#reached = new Set(tried.steps);
    this.#pools = new Set(tried.pools);
    for (const meeting of met) this.#left.set(meeting, meeting.before && this.#listOf(meeting.before.rules));
    const { fieldKeys } = this.#terms.formulas;
    this.asksBothPaths = fieldKeys.includes('path') && fieldKeys.includes('normalisedPath');
  }

  found(): Unreached {
    const [reached, pools] = [this.#reached, this.#pools];
    let complete = true;
    for (const meeting of this.#meetings) {
      const list = this.#left.get(meeting);
      if (!list) continue;
      const walk = this.#walk(meeting);
      for (const { before } of walk.groups(list, list, true)) {
        for (const step of before.steps) reached.add(step);
        for (const name of poolsIn(before.leaf.ending)) pools.add(name);
      }
      complete &&= walk.complete;
    }
    if (!complete) return { steps: [], pools: [], complete };
    const dead = new Map<Step, DeadStep>();
    for (const meeting of this.#meetings)
      if (meeting.before) this.#collect(meeting, meeting.before.rules, reached, dead, new Set());
    // Where it is not known where a request goes, it may go to any pool.
    const known = this.#meaning.notUnderstood.length === 0;
    // One rule of a text may stand in several lists: it is dead when it is so in all of them.
    const alive = new Set(dead.size === 0 ? [] : [...reached].map(ruleKey));
    const rules = new Map<string, DeadStep>();
    for (const one of dead.values()) {
      const key = ruleKey(one.step);
      if (!alive.has(key)) rules.set(key, together(rules.get(key), one));
    }
    return {
      steps: [...rules.values()],
      pools: known ? this.#meaning.pools.filter(({ name }) => !pools.has(name)) : [],
      complete: complete && dead.size < deadMax,
    };
  }

  /** What is left to be looked at once plain requests were tried. Null: nothing. */
  #listOf(rules: Rules): List | null {
    const [reached, pools] = [this.#reached, this.#pools];
    const left = rules.steps.filter((step) => isOpen(step, reached, pools));
    const openEnd = isOpenFate(rules.otherwise, reached, pools);
    if (left.length === 0 && !openEnd) return null;
    if (openEnd || left.length > withinMax) return this.#lists.ofRules(rules);
    const within = this.#terms.formulas.or(left.map(({ when }) => this.#terms.formula(when)));
    const needs = eitherOf(left.map(({ when }) => needsOf(when, this.#keys)));
    return this.#lists.ofRulesWithin(rules, within, needs);
  }

  #walk(meeting: Meeting): Walk {
    return new Walk(
      this.#terms,
      this.#lists,
      this.#lists,
      (field) => onlyWords(field, meeting),
      deadVisitsMax,
    );
  }

  /** Rules in a dead step are not looked at: they are dead with it. */
  #collect(
    meeting: Meeting,
    rules: Rules,
    reached: ReadonlySet<Step>,
    dead: Map<Step, DeadStep>,
    seen: Set<Rules>,
  ): void {
    if (seen.has(rules)) return;
    seen.add(rules);
    for (const [index, step] of rules.steps.entries()) {
      if (step.then.kind === 'continue') continue;
      if (!reached.has(step)) {
        if (dead.size >= deadMax) continue;
        const takenBy = this.#takers(meeting, rules, index);
        dead.set(step, together(dead.get(step), { step, takenBy }));
      }
      if (reached.has(step) && step.then.kind === 'rules')
        this.#collect(meeting, step.then.rules, reached, dead, seen);
    }
  }

  #takers(meeting: Meeting, rules: Rules, index: number): readonly Step[] {
    const { formulas } = this.#terms;
    const wanted = this.#terms.formula(rules.steps[index]?.when ?? { kind: 'never' });
    const needs = needsOf(rules.steps[index]?.when ?? { kind: 'never' }, this.#keys);
    const end: Rules = { steps: [], otherwise: { kind: 'reject', how: 'close' } };
    const last = this.#lists.ofRules(end).entries;
    const entries = rules.steps.slice(0, index).flatMap((step): Entry[] => {
      if (step.then.kind === 'continue' || !canMeet(needsOf(step.when, this.#keys), needs)) return [];
      const [target] = last.map((entry) => entry.target);
      return target
        ? [{ formula: formulas.and([wanted, this.#terms.formula(step.when)]), step, target }]
        : [];
    });
    const list = this.#lists.make([...entries.filter(({ formula }) => formula !== 0), ...last]);
    const groups = this.#walk(meeting).groups(list, list, true);
    const taking = new Set(groups.flatMap(({ before }) => before.steps));
    return rules.steps.filter((step) => taking.has(step));
  }
}

function together(known: DeadStep | undefined, { step, takenBy }: DeadStep): DeadStep {
  const all = [...(known?.takenBy ?? []), ...takenBy];
  return { step, takenBy: [...new Map(all.map((one) => [ruleKey(one), one])).values()] };
}

function ruleKey({ place, text }: Step): string {
  return JSON.stringify([place, text]);
}

const withinMax = 500;

/** It, something in it, or a pool behind it was not come to yet. */
function isOpen(step: Step, reached: ReadonlySet<Step>, pools: ReadonlySet<string>): boolean {
  if (step.then.kind === 'continue') return false;
  return !reached.has(step) || isOpenFate(step.then, reached, pools);
}

function isOpenFate(fate: Fate, reached: ReadonlySet<Step>, pools: ReadonlySet<string>): boolean {
  if (fate.kind !== 'rules') return poolsIn(fate).some((name) => !pools.has(name));
  const { steps, otherwise } = fate.rules;
  return isOpenFate(otherwise, reached, pools) || steps.some((step) => isOpen(step, reached, pools));
}
