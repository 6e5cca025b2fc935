import type { Command } from 'commander';
import { Failure } from '#base';
import type { ReviewReport } from '#contract';
import type { Finding } from '#events';
import { type CommonOptions, type Context, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { number, when } from '../texts.ts';

interface Options extends CommonOptions {
  readonly last?: boolean;
}

/** `holdfast review`: 0 nothing was found, 2 something was. */
export function review(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('review')
    .description('look for what would let one more failure become an outage; also done on a schedule')
    .option('--last', 'show the last review instead of making one');
  talksToSite(command, ['holdfast review', 'holdfast review --last --json']);
  command.action(async (options: Options) => {
    const context = contextOf(io, options);
    const report = await (options.last ? last(context) : ask(context));
    if (context.json) context.result(report);
    tell(context, report);
    done(report.findings.length === 0 ? exit.ok : exit.differs);
  });
}

function ask({ api, io }: Context): Promise<ReviewReport> {
  return api().post<ReviewReport>('/v1/reviews', { by: `person:${io.user}`, reason: '' });
}

async function last({ api }: Context): Promise<ReviewReport> {
  const { reviews } = await api().get<{ readonly reviews: readonly ReviewReport[] }>('/v1/reviews');
  if (reviews[0]) return reviews[0];
  throw new Failure('HF404', 'there was no review yet', 'Make one: `holdfast review`.');
}

function tell(context: Context, report: ReviewReport): void {
  const { say } = context;
  for (const finding of report.findings) tellOne(context, finding);
  for (const line of report.notSeen) say(`  could not be looked at: ${line}`);
  const count = report.findings.length;
  const found = count === 0 ? 'nothing found' : `${number(count)} ${count === 1 ? 'finding' : 'findings'}`;
  say(`${report.review} of ${when(report.at)}: ${found}.`);
}

function tellOne({ say, paint }: Context, { severity, what, evidence, remedy, place }: Finding): void {
  const colour = { high: paint.bad, medium: paint.warn, low: paint.dim }[severity];
  const at = place ? `  (${place.file}:${place.line}:${place.column})` : '';
  say(`${colour(severity.padEnd(6))}  ${what}${at}`);
  for (const line of evidence) say(`        ${paint.dim(line)}`);
  say(`        ${remedy}`);
}
