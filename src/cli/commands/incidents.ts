import type { Command } from 'commander';
import type { IncidentView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { ago, number, table, when } from '../texts.ts';

/** `holdfast incidents`: newest first. */
export function incidents(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program.command('incidents').description('list incidents, newest first');
  talksToSite(command, ['holdfast incidents', 'holdfast incidents --json']);
  command.action(async (options: CommonOptions) => {
    const { api, json, result, say } = contextOf(io, options);
    const list = await api().get<{ readonly incidents: readonly IncidentView[] }>('/v1/incidents');
    if (json) result(list);
    const rows = list.incidents.map((one) => [
      one.id,
      one.resolvedAt === null ? 'open' : 'resolved',
      when(one.beganAt),
      one.restoredAt === null ? 'not restored' : `restored after ${lasted(one.restoredAt - one.beganAt)}`,
      `${number(one.failed)} of ${number(one.requests)} requests failed`,
      customers(one),
      one.cause ?? one.title,
    ]);
    for (const line of table(rows)) say(line);
    const [newest] = list.incidents;
    say(newest ? `Next: holdfast postmortem ${newest.id}` : 'No incident.');
    done(exit.ok);
  });
}

/** Whether customers saw it before we did: the question of the founding report. */
function customers({ reports, customersAheadMs }: IncidentView): string {
  if (customersAheadMs === null) return 'no customer reported it';
  const many = `${number(reports)} ${reports === 1 ? 'report' : 'reports'}`;
  return customersAheadMs > 0
    ? `${many}, the first ${lasted(customersAheadMs)} before us`
    : `${many}, the first ${lasted(-customersAheadMs)} after us`;
}

function lasted(ms: number): string {
  return ms < 2_000 ? `${Math.round(ms)} ms` : ago(ms);
}
