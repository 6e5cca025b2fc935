import type { ActionView, DifferenceView, PlanView, RuleView } from '#contract';
import { causeText, type DifferenceGroup, groupsOf } from './groups.ts';
import { proofLines } from './proof-lines.ts';
import { actionText, witnessText } from './view.ts';
import { count, percent, summaryOf } from './words.ts';

/** Colours, as functions; plain ones return their text. */
export interface PlanPaint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

const shownMax = 40;

/** A plan as lines for a terminal: worst first, what decides beside it, the sum last. */
export function linesOf(plan: PlanView, paint: PlanPaint): readonly string[] {
  const groups = groupsOf(plan.differences.filter(({ limit }) => limit === undefined));
  const rest = groups.slice(shownMax).reduce((sum, { shown, more }) => sum + shown.length + more, 0);
  return [
    ...groups.slice(0, shownMax).flatMap((group) => groupLines(group, paint)),
    ...(rest > 0 ? [`and ${count(rest, 'more class', 'more classes')}: --json has all`, ''] : []),
    ...section(paint.bold('Limits that change'), limitLines(plan, paint)),
    ...section(paint.bold('Settings that change'), settingLines(plan, paint)),
    ...section(paint.bad('Policies that do not hold'), policyLines(plan)),
    ...section(
      paint.warn('Rules that no request can come to'),
      plan.unreachable.map(
        ({ file, line, rule, by }) =>
          `${file}:${line}  ${rule}${by.length > 0 ? `  ${paint.dim(`taken by ${by.join(', ')}`)}` : ''}`,
      ),
    ),
    ...section(
      paint.warn('Worth a look'),
      plan.findings.map(({ place, message }) =>
        place ? `${place.file}:${place.line}  ${message}` : message,
      ),
    ),
    ...section(
      paint.warn('Not understood: what depends on these lines is marked'),
      plan.notUnderstood.map(({ file, line, text, why }) => `${file}:${line}  ${text}  ${paint.dim(why)}`),
    ),
    ...(plan.proof ? proofLines(plan.proof, paint) : []),
    lastLine(plan, paint),
  ];
}

function groupLines({ cause, shown, more }: DifferenceGroup, paint: PlanPaint): string[] {
  const lines = shown.flatMap((one) => differenceLines(one, paint));
  if (shown.length + more === 1) return lines;
  const title = `${paint.bold(causeText(cause))}: ${count(shown.length + more, 'class', 'classes')} of requests`;
  return [
    title,
    ...lines,
    ...(more > 0 ? [paint.dim(`and ${more} more like these: --json has all`), ''] : []),
  ];
}

const titles = { lost: 'LOST', moved: 'moved', changed: 'changed', gained: 'gained' } as const;

function differenceLines(one: DifferenceView, paint: PlanPaint): string[] {
  const { severity, witness, before, after, trafficShare, requests, servers, exact, unknown } = one;
  const mark = severity === 'lost' ? paint.bad : severity === 'gained' ? paint.good : paint.warn;
  const share = trafficShare === null ? '' : `  ${paint.bold(percent(trafficShare))} of recent requests`;
  return [
    `${mark(titles[severity].padEnd(8))}${paint.bold(witnessText(witness))}${share}`,
    `        ${paint.dim('before')}  ${actionText(before)}${ruleText(one.ruleBefore, paint)}`,
    `        ${paint.dim('after ')}  ${actionColour(after, paint)}${ruleText(one.ruleAfter, paint)}`,
    ...(servers.length === 0 ? [] : [`        ${paint.dim('change')}  ${firstOf(servers)}`]),
    ...(requests === '' ? [] : [`        ${paint.dim('where ')}  ${requests}`]),
    ...(exact ? [] : [`        ${paint.warn('if    ')}  ${unknown.join('; ')}`]),
    '',
  ];
}

const serversShown = 8;

function firstOf(servers: readonly string[]): string {
  const rest = servers.length - serversShown;
  return servers.slice(0, serversShown).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function actionColour(action: ActionView, paint: PlanPaint): string {
  const isBad = action.kind === 'reject' || (action.kind === 'answer' && action.status >= 400);
  return isBad ? paint.bad(actionText(action)) : actionText(action);
}

function ruleText(rule: RuleView | null, paint: PlanPaint): string {
  return rule ? `  ${paint.dim(`${rule.file}:${rule.line}  ${rule.text}`)}` : '';
}

/** A line for each limit, whatever it takes. */
function limitLines({ differences }: PlanView, paint: PlanPaint): string[] {
  const limits = Map.groupBy(
    differences.filter(({ limit }) => limit !== undefined),
    ({ limit, ruleBefore, ruleAfter }) => JSON.stringify([limit, limit === 'now' ? ruleAfter : ruleBefore]),
  );
  return [...limits.values()].flatMap((all) => {
    const [first] = all;
    if (!first) return [];
    const { limit, witness, requests, ruleBefore, ruleAfter, before, after } = first;
    const [rule, refused] = limit === 'now' ? [ruleAfter, after] : [ruleBefore, before];
    const more = all.length > 1 ? ` and ${count(all.length - 1, 'more class', 'more classes')}` : '';
    const applies = limit === 'now' ? 'now' : 'no more';
    return [
      `applies ${paint.bold(applies)} to ${witnessText(witness)}${more} (${requests}), over it ${actionText(refused)}${ruleText(rule, paint)}`,
    ];
  });
}

function settingLines({ settings }: PlanView, paint: PlanPaint): string[] {
  const shown = settings.slice(0, shownMax);
  const width = Math.max(0, ...shown.map(({ name, scope }) => name.length + scope.length + 1));
  const rest = settings.length - shown.length;
  return [
    ...shown.map(({ file, line, name, scope, before, after }) => {
      const what = `${name} ${paint.dim(scope)}${' '.repeat(width - name.length - scope.length - 1)}`;
      return `${what}  ${before ?? 'not set'} -> ${paint.bold(after ?? 'not set')}  ${paint.dim(`${file}:${line}`)}`;
    }),
    ...(rest > 0 ? [`and ${count(rest, 'more', 'more')}`] : []),
  ];
}

function policyLines({ policies }: PlanView): string[] {
  return policies
    .filter(({ held }) => !held)
    .map(({ policy, place, message }) => `${place.file}:${place.line}  ${policy}: ${message}`);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), ''];
}

function lastLine(plan: PlanView, paint: PlanPaint): string {
  const sum = summaryOf(plan);
  if (plan.same) return paint.good(sum);
  const risk = `risk ${plan.risk.level}${plan.risk.because.length > 0 ? `: ${plan.risk.because.join('; ')}` : ''}`;
  return `${paint.bold(sum)}. ${plan.risk.level === 'high' ? paint.bad(risk) : risk}`;
}
