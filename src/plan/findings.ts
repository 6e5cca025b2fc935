import type { FindingView, UnreachableRule } from '#contract';
import { meaning } from '#routing';
import { followed } from './redirects.ts';
import { ruleView, witnessText, witnessView } from './view.ts';

type Rules = meaning.Rules;
type Step = meaning.Step;

/** What is worth a look in a text, whatever it was before. */
export function findingsIn(text: meaning.Meaning): {
  readonly unreachable: readonly UnreachableRule[];
  readonly findings: readonly FindingView[];
} {
  const marks = new Marks();
  const marked = marks.marked(text);
  const comparison = meaning.difference(silent(text), marked);
  const reached = comparison.differences.flatMap(({ after, witness }) =>
    after.kind === 'answer' ? [{ step: marks.stepOf(after.status), id: after.status, witness }] : [],
  );
  const ids = new Set(reached.map(({ id }) => id));
  const hidden = comparison.complete ? marks.steps().filter(({ id }) => !ids.has(id)) : [];
  return {
    unreachable: hidden.map(({ step, rules, listener }) => ({
      ...lineOf(step),
      by: shadowers(step, rules, listener, text),
    })),
    findings: [
      ...(comparison.complete ? poolsNobodyReaches(text, marks, ids) : []),
      ...reached.flatMap(({ witness }) => redirectLoop(text, witness)),
    ],
  };
}

function lineOf(step: Step): Omit<UnreachableRule, 'by'> {
  const { file, line, text } = ruleView(step);
  return { file, line, rule: text };
}

/** A text in which each rule has an answer of its own: who gets it, came to that rule. */
class Marks {
  readonly #marked = new Map<Rules, Rules>();
  readonly #ids = new Map<
    number,
    {
      readonly step: Step | null;
      readonly rules: Rules;
      readonly fate: meaning.Fate;
      readonly listener: meaning.ListenerMeaning;
    }
  >();

  marked(text: meaning.Meaning): meaning.Meaning {
    return {
      ...text,
      listeners: text.listeners.map((listener) => ({
        ...listener,
        rules: this.#rules(listener.rules, listener),
      })),
    };
  }

  stepOf(id: number): Step | null {
    return this.#ids.get(id)?.step ?? null;
  }

  steps() {
    return [...this.#ids].flatMap(([id, { step, ...rest }]) => (step ? [{ id, step, ...rest }] : []));
  }

  fates(): readonly (readonly [number, meaning.Fate])[] {
    return [...this.#ids].map(([id, { fate }]) => [id, fate]);
  }

  #rules(rules: Rules, listener: meaning.ListenerMeaning): Rules {
    const known = this.#marked.get(rules);
    if (known) return known;
    const marked: Rules = {
      steps: rules.steps.map((step) =>
        step.then.kind === 'continue'
          ? step
          : { ...step, then: this.#fate(step.then, step, rules, listener) },
      ),
      otherwise: this.#fate(rules.otherwise, null, rules, listener),
    };
    this.#marked.set(rules, marked);
    return marked;
  }

  #fate(
    fate: meaning.Fate,
    step: Step | null,
    rules: Rules,
    listener: meaning.ListenerMeaning,
  ): meaning.Fate {
    if (fate.kind === 'rules') return { kind: 'rules', rules: this.#rules(fate.rules, listener) };
    const id = 1_000 + this.#ids.size;
    this.#ids.set(id, { step, rules, fate, listener });
    return { kind: 'answer', status: id, body: null };
  }
}

const nothing: meaning.Fate = { kind: 'answer', status: 0, body: null };

function silent(text: meaning.Meaning): meaning.Meaning {
  const rules: Rules = { steps: [], otherwise: nothing };
  return { ...text, listeners: text.listeners.map((listener) => ({ ...listener, rules })) };
}

const shadowersShown = 5;

/** The rules before it that take what its condition holds of; none where it holds of no request at all. */
function shadowers(
  step: Step,
  rules: Rules,
  listener: meaning.ListenerMeaning,
  text: meaning.Meaning,
): readonly string[] {
  const before = rules.steps
    .slice(0, rules.steps.indexOf(step))
    .filter(({ then }) => then.kind !== 'continue');
  const asked: Rules = {
    steps: [
      { ...step, when: meaning.not(step.when), then: nothing },
      ...before.map((one, i): Step => ({ ...one, then: { kind: 'answer', status: 1_000 + i, body: null } })),
    ],
    otherwise: nothing,
  };
  const alone = (of: Rules) => ({ ...text, listeners: [{ ...listener, rules: of }] });
  const { differences } = meaning.difference(alone({ steps: [], otherwise: nothing }), alone(asked));
  const ids = differences.flatMap(({ after }) => (after.kind === 'answer' ? [after.status - 1_000] : []));
  const found = [...new Set(ids)].sort((a, b) => a - b).flatMap((id) => before[id] ?? []);
  const shown = found
    .slice(0, shadowersShown)
    .map((one) => `${one.place.file}:${one.place.line} ${one.text}`);
  return found.length > shadowersShown ? [...shown, `${found.length - shadowersShown} more`] : shown;
}

function poolsNobodyReaches(
  text: meaning.Meaning,
  marks: Marks,
  reached: ReadonlySet<number>,
): FindingView[] {
  const used = new Set(marks.fates().flatMap(([id, fate]) => (reached.has(id) ? poolsIn(fate) : [])));
  return text.pools
    .filter(({ name }) => !used.has(name))
    .map(({ name, place }) => ({
      kind: 'pool not reached',
      place,
      message: `no request reaches pool ${name}`,
    }));
}

function poolsIn(fate: meaning.Fate): readonly string[] {
  if (fate.kind === 'pool') return [fate.pool];
  return fate.kind === 'split' ? fate.shares.flatMap((share) => poolsIn(share.fate)) : [];
}

function redirectLoop(text: meaning.Meaning, witness: meaning.Request): FindingView[] {
  const loop = followed(text, witness);
  if (!loop) return [];
  const place = loop.step?.place ?? null;
  const message = `${witnessText(witnessView(witness))} is redirected in a circle: ${loop.locations.join(' -> ')}`;
  return [{ kind: 'redirect loop', place, message }];
}
