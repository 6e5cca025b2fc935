import type { Command } from 'commander';
import { Failure } from '#base';
import type { NotifyTestView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { table } from '../texts.ts';

interface NotifyOptions extends CommonOptions {
  readonly test?: boolean;
  readonly to?: string;
}

/** `holdfast notify --test [NOTIFIER]`: 0 when each message was taken, 1 when one was not. */
export function notify(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('notify')
    .description('send a test message to every contact of every person, or through one notifier')
    .argument('[notifier]', 'its name in oncall.yaml')
    .option('--test', 'a message that nobody has to do anything about')
    .option('--to <where>', 'to this address or number instead');
  talksToSite(command, [
    'holdfast notify --test',
    'holdfast notify --test mail --to anna@shop.example',
    'holdfast notify --test --json',
  ]);
  command.action(async (notifier: string | undefined, options: NotifyOptions) => {
    const { api, json, result, say, paint } = contextOf(io, options);
    if (options.test !== true)
      throw new Failure('HF012', 'only test messages are sent by hand', 'holdfast notify --test');
    if (options.to !== undefined && notifier === undefined)
      throw new Failure(
        'HF012',
        '--to needs a notifier',
        'holdfast notify --test mail --to anna@shop.example',
      );
    const view = await api().post<NotifyTestView>('/v1/notify/test', {
      by: `person:${io.user}`,
      ...(notifier === undefined ? {} : { notifier }),
      ...(options.to === undefined ? {} : { to: options.to }),
    });
    if (json) result(view);
    const rows = view.results.map(({ notifier: name, person, to, ok, said, tookMs }) => [
      ok ? paint.good('taken') : paint.bad('FAILED'),
      [name, person, to].filter(Boolean).join(' '),
      `${tookMs} ms`,
      said,
    ]);
    for (const line of table(rows)) say(line);
    done(view.results.every(({ ok }) => ok) ? exit.ok : exit.refused);
  });
}
