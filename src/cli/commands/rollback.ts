import type { Command } from 'commander';
import type { RollbackView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';

/** `holdfast rollback`: 0 when every balancer that had something to take back did, 1 when one did not answer or there was nothing. */
export function rollback(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('rollback')
    .description('take back the change in flight, or else the one that was promoted last')
    .option('--reason <why>', 'kept in the journal', '');
  talksToSite(command, ['holdfast rollback', 'holdfast rollback --reason "checkout is slow"']);
  command.action(async (options: CommonOptions & { readonly reason: string }) => {
    const { api, say, paint, json, result } = contextOf(io, options);
    const view = await api().post<RollbackView>('/v1/rollback', {
      by: `person:${io.user}`,
      reason: options.reason,
    });
    if (json) result(view);
    const { change, balancers } = view;
    for (const { balancer, takeBack, error } of balancers) {
      const how = takeBack
        ? `${paint.good('✔')} back to generation ${takeBack.to} in ${Math.max(0, Math.round(takeBack.doneAt - takeBack.decidedAt))} ms`
        : error
          ? `${paint.bad('✖')} ${error}`
          : 'had nothing to take back';
      say(`  ${balancer}: ${how}`);
    }
    say(
      change
        ? `Change ${change.id} is ${change.state}: ${change.why}.`
        : 'No change was in flight or promoted.',
    );
    say(change ? `  Next:  holdfast changes ${change.id}` : '  Next:  holdfast status');
    const failed = balancers.some(({ error }) => error !== '');
    const nothing = balancers.every(({ takeBack }) => takeBack === null) && change?.state !== 'abandoned';
    done(failed || nothing ? exit.refused : exit.ok);
  });
}
