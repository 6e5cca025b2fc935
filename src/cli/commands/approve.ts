import type { Command } from 'commander';
import type { ChangeView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';

/** `holdfast approve CHANGE`: 0 it is in the journal, 1 it cannot be approved so. */
export function approve(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('approve')
    .description("approve a change that waits for it; never the author's own")
    .argument('<change>', 'its name, as `holdfast changes` has it')
    .option('--reason <why>', 'kept in the journal', '');
  talksToSite(command, [
    'holdfast approve c3-9f2ab1',
    'holdfast approve c3-9f2ab1 --reason "seen with Anna"',
  ]);
  command.action(async (change: string, options: CommonOptions & { readonly reason: string }) => {
    const { api, say, json, result, paint } = contextOf(io, options);
    const view = await api().post<ChangeView>(`/v1/changes/${encodeURIComponent(change)}/approve`, {
      by: `person:${io.user}`,
      reason: options.reason,
    });
    if (json) result(view);
    const { needed, approvals } = view.review;
    const still = needed === null ? null : needed - approvals.length;
    say(`${paint.good('approved')} ${view.id}: ${approvals.map(({ by }) => by).join(', ')}`);
    say(
      still !== null && still > 0 ? `  It waits for ${still} more.` : `  Next:  holdfast changes ${view.id}`,
    );
    done(exit.ok);
  });
}
