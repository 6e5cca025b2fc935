import type { DifferenceView, PlanView } from '#contract';
import { groupsOf } from './groups.ts';
import { actionText, witnessText } from './view.ts';
import { percent, summaryOf } from './words.ts';

const shownMax = 50;

/** A plan as a comment below a pull request. */
export function markdownOf(plan: PlanView): string {
  const shown = groupsOf(plan.differences).flatMap((group) => group.shown);
  const sections = [
    `### Holdfast plan: ${summaryOf(plan)}`,
    plan.risk.level === 'none'
      ? ''
      : `**Risk: ${plan.risk.level}.** ${plan.risk.because.map(escaped).join('; ')}`,
    table(
      ['request', 'before', 'after', 'share of traffic', 'rule'],
      shown.slice(0, shownMax).map(row),
      plan.differences.length - Math.min(shown.length, shownMax),
    ),
    titled(
      'Settings that change',
      table(
        ['setting', 'of', 'before', 'after', 'line'],
        plan.settings
          .slice(0, shownMax)
          .map((one) => [
            code(one.name),
            one.scope,
            code(one.before ?? 'not set'),
            code(one.after ?? 'not set'),
            `${one.file}:${one.line}`,
          ]),
        plan.settings.length - shownMax,
      ),
    ),
    titled(
      'Policies that do not hold',
      listed(plan.policies.filter(({ held }) => !held).map(({ policy, message }) => `${policy}: ${message}`)),
    ),
    titled(
      'Rules that no request can come to',
      listed(
        plan.unreachable.map(
          ({ file, line, rule, by }) =>
            `${file}:${line} ${rule}${by.length > 0 ? ` (taken by ${by.join(', ')})` : ''}`,
        ),
      ),
    ),
    titled('Worth a look', listed(plan.findings.map(({ message }) => message))),
    titled(
      'Not understood: answers that depend on these lines are marked',
      listed(plan.notUnderstood.map(({ file, line, text, why }) => `${file}:${line} ${text} (${why})`)),
    ),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function row({
  witness,
  before,
  after,
  servers,
  trafficShare,
  ruleAfter,
  ruleBefore,
  exact,
  limit,
}: DifferenceView): string[] {
  const rule = ruleAfter ?? ruleBefore;
  return [
    code(witnessText(witness)),
    escaped(actionText(before)),
    `${escaped([actionText(after), ...servers].join('; '))}${depends(exact, limit)}`,
    trafficShare === null ? '' : percent(trafficShare),
    rule ? `${rule.file}:${rule.line}` : 'default',
  ];
}

function depends(exact: boolean, limit: DifferenceView['limit']): string {
  if (limit !== undefined) return ` (only over the limit, which applies ${limit})`;
  return exact ? '' : ' (depends on what the text does not say)';
}

function titled(title: string, content: string): string {
  return content === '' ? '' : `#### ${title}\n\n${content}`;
}

function listed(lines: readonly string[]): string {
  const more = lines.length - shownMax;
  const shown = lines.slice(0, shownMax).map((line) => `- ${escaped(line)}`);
  return [...shown, ...(more > 0 ? [`- and ${more} more`] : [])].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[], more: number): string {
  if (rows.length === 0) return '';
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return lines.join('\n') + (more > 0 ? `\n\nand ${more} more` : '');
}

/** What a text says must not become markup, a mention, or the end of a cell. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+!|<>~@]/g, (sign) => `\\${sign}`).replace(/[\r\n]+/g, ' ');
}

function code(text: string): string {
  const line = text.replace(/[\r\n]+/g, ' ').replaceAll('|', '\\|');
  const ticks = '`'.repeat(1 + Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length)));
  return `${ticks}${line}${ticks}`;
}
