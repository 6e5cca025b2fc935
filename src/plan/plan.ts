import type { DifferenceView, PlannedText, PlanView } from '#contract';
import { meaning } from '#routing';
import { causesBetween } from './causes.ts';
import { findingsIn } from './findings.ts';
import { limitOf } from './limits.ts';
import { checkPolicies, protectedTouched } from './policies.ts';
import type { PolicyFile } from './policy-file.ts';
import { byWeight, riskOf, severityOf } from './risk.ts';
import { serverChanges } from './servers.ts';
import { settingChanges } from './settings.ts';
import type { Traffic } from './traffic.ts';
import { moveTraffic } from './traffic-share.ts';
import { actionWithSent, ruleView, witnessView } from './view.ts';

/** A text that was read and lifted. */
export interface PlannedMeaning extends PlannedText {
  readonly meaning: meaning.Meaning;
}

export interface PlanOptions {
  /** Null: no shares are told. */
  readonly traffic: Traffic | null;
  readonly policies: readonly PolicyFile[];
}

/** What a change does to every possible request. Pure: the same texts, the same plan. */
export function planOf(before: PlannedMeaning, after: PlannedMeaning, options: PlanOptions): PlanView {
  const { differences, notKnownSame, complete, tooComplex } = meaning.difference(
    before.meaning,
    after.meaning,
  );
  const moved = options.traffic && moveTraffic(options.traffic, before.meaning, after.meaning);
  const causeOf = causesBetween(before.meaning, after.meaning);
  const told = [
    ...differences.map((one) => ({ one, known: true })),
    ...notKnownSame.map((one) => ({ one, known: false })),
  ]
    .map(({ one, known }) => ({
      ...viewOf(one, known, limitOf(one, { before: before.meaning, after: after.meaning })),
      cause: causeOf(one.steps),
      servers: serverChanges(before.meaning, after.meaning, [one.before, one.after]),
    }))
    .map((view) => ({ ...view, trafficShare: moved ? moved.shareOf(view) : null }));
  const settings = settingChanges(before.meaning, after.meaning);
  const notUnderstoodChanged = changedLines(before.meaning, after.meaning);
  const policies = options.policies.flatMap((file) => checkPolicies(after.meaning, file));
  const plan = {
    same: told.length === 0 && settings.length === 0 && !notUnderstoodChanged && complete,
    before: { file: before.file, dialect: before.dialect },
    after: { file: after.file, dialect: after.dialect },
    differences: told.toSorted(byWeight),
    settings,
    ...findingsIn(
      before.meaning,
      after.meaning,
      differences.filter((one) => one.after.kind === 'redirect').map(({ witness }) => witness),
    ),
    notUnderstood: [...after.meaning.notUnderstood, ...tooComplexLines(tooComplex)].map(
      ({ place, text, why }) => ({ file: place.file, line: place.line, text, why }),
    ),
    policies,
    traffic: moved?.summary ?? null,
  };
  const touched = options.policies.flatMap((file) => protectedTouched(before.meaning, after.meaning, file));
  return { ...plan, risk: riskOf(plan, touched) };
}

/** A line once, whichever text it is in. */
function tooComplexLines(steps: readonly meaning.Step[]): readonly meaning.NotUnderstood[] {
  const lines = steps.map(({ place, text }) => ({
    place,
    text,
    why: 'too complex, treated as not understood',
  }));
  return [...new Map(lines.map((line) => [`${line.place.line} ${line.text}`, line])).values()];
}

function viewOf(
  one: meaning.Difference,
  known: boolean,
  limit: ReturnType<typeof limitOf>,
): Omit<DifferenceView, 'trafficShare' | 'servers' | 'cause'> {
  const { witness, before, after, steps, description, assuming } = one;
  const [was, is] = [actionWithSent(before, witness), actionWithSent(after, witness)];
  const [stepBefore, stepAfter] = [steps.before.at(-1), steps.after.at(-1)];
  return {
    witness: witnessView(witness),
    before: was,
    after: is,
    requests: description,
    ruleBefore: stepBefore ? ruleView(stepBefore) : null,
    ruleAfter: stepAfter ? ruleView(stepAfter) : null,
    severity: known && limit === null ? severityOf(was, is) : 'changed',
    ...(limit === null ? {} : { limit }),
    exact: known && assuming.length === 0,
    unknown: [
      ...assuming.map(({ text, is: value }) => `${text}: ${value ?? 'nothing'}`),
      ...(known ? [] : ['it is written otherwise, and did the same for every request that was tried']),
    ],
  };
}

/** A line that is not understood may do anything: one that is new or gone is a change. */
function changedLines(before: meaning.Meaning, after: meaning.Meaning): boolean {
  const lines = ({ notUnderstood }: meaning.Meaning) =>
    notUnderstood.map(({ text }) => text.replace(/\s+/g, ' ').trim()).sort();
  return lines(before).join('\n') !== lines(after).join('\n');
}
