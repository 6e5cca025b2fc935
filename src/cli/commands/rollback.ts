import type { Command } from 'commander';
import type { RollbackView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import { goneBack } from '../gone-back.js';
import type { Io } from '../io.ts';

/** `holdfast abort`: 0 the change in flight has ended, 1 there was none, or a balancer did not answer. */
export function abort(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('abort')
    .description('end the change in flight, also one that waits for approvals; what runs stays')
    .argument('[change]', 'one that waits in the queue; left out: the one in flight')
    .option('--reason <why>', 'kept in the journal', '');
  talksToSite(command, ['holdfast abort', 'holdfast abort --reason "not today"']);
  command.action((change: string | undefined, options: Options) =>
    goBack('/v1/abort', contextOf(io, options), io, { ...options, ...(change ? { change } : {}) }, done),
  );
}

/** `holdfast rollback`: 0 when every balancer that had something to take back did, 1 when one did not answer or there was nothing. */
export function rollback(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('rollback')
    .description('take back what is in traffic: the change in flight, or else the one that was promoted last')
    .option('--reason <why>', 'kept in the journal', '');
  talksToSite(command, ['holdfast rollback', 'holdfast rollback --reason "checkout is slow"']);
  command.action((options: Options) => goBack('/v1/rollback', contextOf(io, options), io, options, done));
}

type Options = CommonOptions & { readonly reason: string; readonly change?: string };

async function goBack(
  path: '/v1/rollback' | '/v1/abort',
  { api, say, paint, json, result }: ReturnType<typeof contextOf>,
  io: Io,
  { reason, change: named }: Options,
  done: (code: Exit) => void,
): Promise<void> {
  const view = await api().post<RollbackView>(path, {
    by: `person:${io.user}`,
    reason,
    ...(named === undefined ? {} : { change: named }),
  });
  if (json) result(view);
  const told = goneBack(view, paint);
  for (const line of told.lines) say(line);
  done(told.done ? exit.ok : exit.refused);
}
