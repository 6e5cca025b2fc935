import type { Command } from 'commander';
import { systemClock } from '#base';
import type { SilenceView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { ago, table } from '../texts.ts';
import { durationMs, matcherOf } from '../words.ts';

interface AddOptions extends CommonOptions {
  readonly for: string;
  readonly comment: string;
}

/** `holdfast silence add|list|end`. */
export function silence(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('silence')
    .description('page nobody about some alerts for a while; they go on to be shown');
  add(command, io, done);
  list(command, io, done);
  end(command, io, done);
}

function add(parent: Command, io: Io, done: (code: Exit) => void): void {
  const command = parent
    .command('add')
    .description('silence the alerts that match all of these')
    .argument('<matcher...>', 'alertname=BadAnswers, pool!=web, server=~web-.*')
    .option('--for <duration>', 'how long: 30m, 2h, 7d', '1h')
    .requiredOption('--comment <why>', 'kept in the journal');
  talksToSite(command, [
    'holdfast silence add alertname=ChangeAwaitsReview --for 12h --comment "release night"',
    'holdfast silence add pool=web server=~web-.* --for 30m --comment "new disks"',
  ]);
  command.action(async (matchers: string[], options: AddOptions) => {
    const { api, json, result, say } = contextOf(io, options);
    const now = systemClock.now();
    const endsAt = now + durationMs('--for', options.for);
    const { silenceID } = await api().post<{ readonly silenceID: string }>('/api/v2/silences', {
      matchers: matchers.map(matcherOf),
      startsAt: new Date(now).toISOString(),
      endsAt: new Date(endsAt).toISOString(),
      createdBy: `person:${io.user}`,
      comment: options.comment,
    });
    if (json) result({ silenceID });
    say(`${silenceID}  until ${new Date(endsAt).toISOString().slice(0, 16)}Z`);
    say(`End it before:  holdfast silence end ${silenceID}`);
    done(exit.ok);
  });
}

function list(parent: Command, io: Io, done: (code: Exit) => void): void {
  const command = parent.command('list').description('silences that are in force, or will be');
  talksToSite(command, ['holdfast silence list', 'holdfast silence list --json']);
  command.action(async (options: CommonOptions) => {
    const { api, json, result, say } = contextOf(io, options);
    const silences = await api().get<readonly SilenceView[]>('/api/v2/silences');
    if (json) result({ silences });
    if (silences.length === 0) say('No silence.');
    const now = systemClock.now();
    const rows = silences.map(({ id, status, matchers, endsAt, createdBy, comment }) => [
      id,
      status.state,
      `${ago(Date.parse(endsAt) - now)} left`,
      matchers.map(matcherText).join(' '),
      createdBy,
      comment,
    ]);
    for (const line of table(rows)) say(line);
    done(exit.ok);
  });
}

function end(parent: Command, io: Io, done: (code: Exit) => void): void {
  const command = parent
    .command('end')
    .description('page again about what still fires')
    .argument('<id>', 'as `holdfast silence list` has it');
  talksToSite(command, ['holdfast silence end 5f0c1f3a-8f3e-4a51-9d0b-1f1f6f0f7a11']);
  command.action(async (id: string, options: CommonOptions) => {
    const { api, json, result, say } = contextOf(io, options);
    const view = await api().post(`/v1/silences/${encodeURIComponent(id)}/end`, { by: `person:${io.user}` });
    if (json) result(view);
    say(`${id} has ended`);
    done(exit.ok);
  });
}

function matcherText({ name, value, isEqual, isRegex }: SilenceView['matchers'][number]): string {
  const operator = isEqual ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!=';
  return `${name}${operator}${JSON.stringify(value)}`;
}
