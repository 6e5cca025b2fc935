import { type Command, Option } from 'commander';
import { Failure } from '#base';
import type { ReportView } from '#contract';
import { reportedSights } from '#events';
import { type CommonOptions, type Context, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { table, when } from '../texts.ts';

interface Options extends CommonOptions {
  readonly sees?: string;
  readonly status?: string;
  readonly url?: string;
  readonly since?: string;
  readonly ticket?: string;
  readonly list?: boolean;
}

const dayMs = 86_400_000;

/** `holdfast report`: support writes down what a customer said; `--list` shows what came. */
export function report(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('report')
    .description("write down a customer's report, or list those that came; enough of them open an incident")
    .argument('[words]', 'what the customer says, without anything that names them')
    .addOption(new Option('--sees <what>', 'what they see').choices([...reportedSights]))
    .option('--status <number>', 'the number that the error shows: 503')
    .option('--url <url>', 'the page; its query is not kept')
    .option('--since <time>', 'since when: 14:02 or 2026-05-05T14:02Z')
    .option('--ticket <number>', "where support has the rest: its own ticket's number")
    .option('--list', 'list the reports that came, newest first');
  talksToSite(command, [
    'holdfast report "cannot pay, 503" --sees error --status 503 --url https://shop.example/pay --since 14:02',
    'holdfast report --list',
  ]);
  command.action(async (words: string | undefined, options: Options) => {
    const context = contextOf(io, options);
    if (options.list) await list(context);
    else await write(context, words ?? '', options);
    done(exit.ok);
  });
}

async function write(
  { api, io, say, json, result }: Context,
  words: string,
  options: Options,
): Promise<void> {
  const { sees, status, url, since, ticket } = options;
  if (words === '' && sees === undefined && status === undefined)
    throw new Failure(
      'HF011',
      'a report says something',
      'holdfast report "cannot pay, 503" --sees error, or --list',
    );
  const answer = await api().post<{ readonly report: string }>('/v1/reports', {
    by: `person:${io.user}`,
    said: words,
    sees: sees ?? (status === undefined ? 'other' : 'error'),
    ...(status === undefined ? {} : { status: numberOf(status) }),
    ...(url === undefined ? {} : { url }),
    ...(since === undefined ? {} : { since: timeOf(since, Date.now()) }),
    ...(ticket === undefined ? {} : { ticket }),
  });
  if (json) result(answer);
  say(`Written down as ${answer.report}.`);
  say('  Next:  holdfast incidents');
}

async function list({ api, say, json, result }: Context): Promise<void> {
  const answer = await api().get<{ readonly reports: readonly ReportView[] }>('/v1/reports');
  if (json) result(answer);
  const rows = answer.reports.map(({ report: number, at, sees, status, url, said, ticket }) => [
    number,
    when(at),
    `${sees}${status === null ? '' : ` ${status}`}`,
    url,
    ticket,
    said,
  ]);
  for (const line of table(rows)) say(line);
  if (rows.length === 0) say('No report.');
}

function numberOf(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 100 && number <= 599) return number;
  throw new Failure('HF013', `--status: expected a status from 100 to 599, got "${text}"`);
}

/** A time of day is the last one that has been; anything else as JavaScript reads it. @throws Failure HF011 */
export function timeOf(text: string, now: number): number {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (hours !== undefined && minutes !== undefined && Number(hours) < 24 && Number(minutes) < 60) {
    const at = new Date(now).setHours(Number(hours), Number(minutes), 0, 0);
    return at <= now ? at : at - dayMs;
  }
  const at = Date.parse(text);
  if (Number.isFinite(at) && at >= 0) return at;
  throw new Failure('HF011', `--since: expected a time, got "${text}"`, 'Write 14:02 or 2026-05-05T14:02Z.');
}
