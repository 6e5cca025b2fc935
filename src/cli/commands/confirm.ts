import type { Command } from 'commander';
import { Failure } from '#base';
import type { ChangeView, StatusView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';

/** `holdfast confirm [CHANGE]`: 0 it is in the journal, 1 no change waits for it. */
export function confirm(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('confirm')
    .description('keep a change that was applied with --confirm-within; without this it is taken back')
    .argument('[change]', 'its name; left out: the one in flight')
    .option('--reason <why>', 'kept in the journal', '');
  talksToSite(command, ['holdfast confirm', 'holdfast confirm c3-9f2ab1']);
  command.action(async (named: string | undefined, options: CommonOptions & { readonly reason: string }) => {
    const { api, say, json, result, paint } = contextOf(io, options);
    const change = named ?? (await api().get<StatusView>('/v1/status')).change?.id;
    if (change === undefined) throw new Failure('HF404', 'no change is in flight');
    const view = await api().post<ChangeView>(`/v1/changes/${encodeURIComponent(change)}/confirm`, {
      by: `person:${io.user}`,
      reason: options.reason,
    });
    if (json) result(view);
    say(`${paint.good('confirmed')} ${view.id}`);
    say(`  Next:  holdfast changes ${view.id}`);
    done(exit.ok);
  });
}
