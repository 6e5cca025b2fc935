import type { OutcomeView, ProofView, TextProofView } from '#contract';
import type { PlanPaint } from './terminal.ts';
import { actionText, witnessText } from './view.ts';
import { count } from './words.ts';

const shownMax = 40;

/** What the real engines said to the witnesses: what is wrong first, as a report of a defect of ours. */
export function proofLines(proof: ProofView, paint: PlanPaint): readonly string[] {
  const lines = proof.texts.flatMap((text) => textLines(text, paint));
  return [
    'Proof: the real engine on private sockets, its servers replaced by ones that say who they are',
    ...lines,
    '',
  ];
}

function textLines({ text, engine, refused, startMs, outcomes }: TextProofView, paint: PlanPaint): string[] {
  const of = (kind: OutcomeView['kind']) => outcomes.filter((one) => one.kind === kind);
  const [proven, not, wrong] = [of('proven'), of('not provable'), of('disagreement')];
  const who = engine ?? 'no engine';
  if (refused !== null)
    return [
      `  ${paint.warn(`${text}: ${who}: nothing could be asked`)}`,
      ...refused.split('\n').map((line) => `    ${line}`),
    ];
  const sum = [
    `${proven.length} of ${count(outcomes.length, 'witness', 'witnesses')} proven`,
    ...(not.length > 0 ? [`${not.length} not provable`] : []),
    ...(wrong.length > 0 ? [paint.bad(count(wrong.length, 'disagreement', 'disagreements'))] : []),
    `started in ${startMs} ms`,
  ].join(', ');
  return [
    `  ${wrong.length > 0 ? paint.bad(text) : text}: ${who}: ${sum}`,
    ...wrong.slice(0, shownMax).flatMap((one) => defectLines(one, who, paint)),
    ...alike(proven, (one) => `${witnessText(one.witness)}  ${paint.dim(one.came ?? '')}`)
      .slice(0, shownMax)
      .map(([line]) => `    ${paint.good('proven')}        ${line}`),
    ...alike(not, ({ why }) => why)
      .slice(0, shownMax)
      .map(([why, [first, ...rest]]) => {
        const which = first ? witnessText(first.witness) : '';
        const more = rest.length > 0 ? ` and ${rest.length} more` : '';
        return `    ${paint.warn('not provable')}  ${which}${more}  ${paint.dim(why)}`;
      }),
    ...(outcomes.length > shownMax ? ['    --json has all'] : []),
  ];
}

/** By what is said of them, each once. */
function alike(
  outcomes: readonly OutcomeView[],
  said: (one: OutcomeView) => string,
): [string, OutcomeView[]][] {
  const groups = new Map<string, OutcomeView[]>();
  for (const one of outcomes) groups.set(said(one), [...(groups.get(said(one)) ?? []), one]);
  return [...groups];
}

/** All that a report of it needs. */
function defectLines({ witness, foretold, came, why }: OutcomeView, who: string, paint: PlanPaint): string[] {
  return [
    `    ${paint.bad('DEFECT of Holdfast')}  ${witnessText(witness)}`,
    `      foretold  ${foretold ? actionText(foretold) : 'nothing'}`,
    `      came      ${came ?? 'nothing'}  (${who}): ${why}`,
    '      Please report it with both texts: the plan is wrong about this request, the engine is not.',
  ];
}
