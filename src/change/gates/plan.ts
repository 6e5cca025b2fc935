import { type Diagnostic, messageOf } from '#base';
import type { DifferenceView, PlanView } from '#contract';
import { actionText, summaryOf, witnessText } from '#plan';
import { isRenewal } from '../reading.ts';
import { type Answer, type Gate, type Proposal, passed, refused } from './gate.ts';

/** What the change does to every possible request, and whether the site's policies allow it. */
export const plan: Gate<'plan'> = {
  name: 'plan',
  forceable: true,
  askedAfterRefusal: false,
  during: 'proposed',
  async ask(proposal) {
    const { reading, before, planned } = proposal;
    if (reading.text.hash === before.text.hash || isRenewal(reading, before))
      return passed('the text that runs: no request is treated differently');
    const told = await planOrWhy(proposal);
    if (typeof told === 'string')
      return {
        verdict: 'unknown',
        summary: `could not tell what it does to requests: ${told}`,
        evidence: [],
        diagnostics: [finding('HF111', told, 'Look at `holdfast plan FILE`; --force goes on without a plan')],
      };
    planned.view = told;
    return judgePlan(told);
  },
};

/** Nobody waits for a plan who wants the change to end. */
async function planOrWhy({ planner, before, reading, signal }: Proposal): Promise<PlanView | string> {
  const stopped = new Promise<string>((resolve) => {
    if (signal.aborted) resolve('the change was stopped');
    signal.addEventListener('abort', () => resolve('the change was stopped'), { once: true });
  });
  return await Promise.race([planner.plan(before.text, reading.text).catch(messageOf), stopped]);
}

const linesMax = 20;

/** Pure. */
export function judgePlan(view: PlanView): Answer {
  const { differences, settings, policies, risk } = view;
  const broken = policies.filter(({ held }) => !held);
  const evidence = [
    ...broken.map(({ policy, place, message }) => `${place.file}:${place.line} ${policy}: ${message}`),
    ...differences.slice(0, linesMax).flatMap(differenceLines),
    ...(differences.length > linesMax
      ? [`and ${differences.length - linesMax} more classes of requests`]
      : []),
    ...settings
      .slice(0, linesMax)
      .map(
        ({ file, line, name, scope, before, after }) =>
          `${file}:${line} ${name} ${scope}: ${before ?? 'not set'} -> ${after ?? 'not set'}`,
      ),
    ...(settings.length > linesMax ? [`and ${settings.length - linesMax} more settings`] : []),
  ];
  const summary = `${summaryOf(view)}; risk ${risk.level}${risk.because.length > 0 ? `: ${risk.because.join('; ')}` : ''}`;
  if (broken.length === 0) return passed(summary, evidence);
  const first = broken.map(({ policy, place }) => `${place.file}:${place.line} ${policy}`).join('; ');
  return refused(
    `${broken.length === 1 ? 'a policy does' : `${broken.length} policies do`} not hold: ${first}`,
    evidence,
    broken.map(({ policy, place, message }) => ({
      ...finding('HF112', `${policy}: ${message}`, 'Mend the change, or change the policy first'),
      place,
    })),
  );
}

function differenceLines({ severity, witness, before, after, ruleAfter }: DifferenceView): string[] {
  const rule = ruleAfter ? ` by ${ruleAfter.file}:${ruleAfter.line} ${ruleAfter.text}` : '';
  return [`${severity}: ${witnessText(witness)}: ${actionText(before)} -> ${actionText(after)}${rule}`];
}

function finding(code: string, message: string, remedy: string): Diagnostic {
  return { code, severity: 'error', place: null, path: '', message, remedy };
}
