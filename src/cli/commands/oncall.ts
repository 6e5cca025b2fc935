import type { Command } from 'commander';
import { Failure, formatDiagnostic, systemClock } from '#base';
import type { OnCallView } from '#contract';
import { type CommonOptions, type Context, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { ago, table } from '../texts.ts';

interface OnCallOptions extends CommonOptions {
  readonly at?: string;
  readonly days: string;
}

const dayMs = 24 * 60 * 60 * 1_000;
const shiftsShown = 8;
const lettersShown = 10;

/** `holdfast oncall`: 0 when somebody is reached at every step, 1 when a step reaches nobody or there is no file. */
export function oncall(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('oncall')
    .description('who is on call, who comes next, whom each step would page, and what could not be delivered')
    .option('--at <time>', 'at this moment: 2026-12-24T18:00Z; else now')
    .option('--days <days>', 'how far ahead shifts are shown, 1 to 35', '7');
  talksToSite(command, [
    'holdfast oncall',
    'holdfast oncall --at 2026-12-24T18:00Z',
    'holdfast oncall --json',
  ]);
  command.action(async (options: OnCallOptions) => {
    const context = contextOf(io, options);
    const at = options.at === undefined ? systemClock.now() : momentOf(options.at);
    const ahead = daysOf(options.days) * dayMs;
    const view = await context.api().get<OnCallView>(`/v1/oncall?at=${at}&ahead=${ahead}`);
    if (context.json) context.result(view);
    for (const line of linesOf(view, context)) context.say(line);
    const whole = view.policies.every(({ steps }) => steps.every(({ reaches }) => reaches.length > 0));
    done(view.file !== null && view.trouble.length === 0 && whole ? exit.ok : exit.refused);
  });
}

function momentOf(text: string): number {
  const at = Date.parse(text);
  if (Number.isFinite(at)) return at;
  throw new Failure('HF013', `--at: expected a time such as 2026-12-24T18:00Z, got "${text}"`);
}

function daysOf(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 35) return days;
  throw new Failure('HF013', `--days: expected a whole number from 1 to 35, got "${text}"`);
}

function linesOf(view: OnCallView, { paint }: Pick<Context, 'paint'>): readonly string[] {
  const { file, trouble, schedules, policies, deadLetters, unsaved, at } = view;
  if (file === null)
    return [
      `${paint.bad('NOBODY IS PAGED')}: there is no oncall.yaml beside the site file, and none in /etc/holdfast`,
      '  Write one (docs/oncall.md has one to begin with): it is taken up by itself.',
    ];
  return [
    file,
    ...trouble.map((one) => `  ${paint.bad('NOT IN FORCE')}  ${formatDiagnostic(one)}`),
    ...schedules.flatMap(({ name, timeZone, shifts }) => [
      `${paint.bold(name)}  (${timeZone})`,
      ...table(
        shifts
          .slice(0, shiftsShown)
          .map(({ person, from, until }, i) => [
            i === 0 ? '  now' : '  then',
            person ?? paint.bad('NOBODY'),
            i === 0 ? '' : `from ${local(from, timeZone)}`,
            i === shifts.length - 1 ? '' : `until ${local(until, timeZone)}`,
          ]),
      ),
    ]),
    ...policies.flatMap(({ name, steps }) => [
      `${paint.bold(name)}  pages`,
      ...table(
        steps.map(({ reaches, missing, ackWithinMs }, i) => [
          `  ${i + 1}.`,
          [...reaches, ...missing.map((why) => paint.bad(why))].join(', ') || paint.bad('nobody'),
          ackWithinMs === null ? '' : `then, unanswered after ${ago(ackWithinMs)}:`,
        ]),
      ),
    ]),
    ...(deadLetters.length > 0
      ? [
          paint.bad(`${deadLetters.length} could not be delivered`),
          ...table(
            deadLetters
              .slice(0, lettersShown)
              .map((one) => [
                `  ${one.escalation}`,
                [one.person, one.notifier, one.to].filter(Boolean).join(' '),
                `${ago(at - one.at)} ago`,
                one.said,
              ]),
          ),
        ]
      : []),
    ...(unsaved > 0 ? [paint.bad(`${unsaved} entries wait for the journal: they are in memory alone`)] : []),
  ];
}

/** The schedule's own wall clock: `Mon 5 Jan 09:00`. */
function local(at: number, timeZone: string): string {
  const words = {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  } as const;
  return new Intl.DateTimeFormat('en-GB', { ...words, timeZone, hour12: false }).format(at).replace(',', '');
}
