import type { Command } from 'commander';
import { Failure } from '#base';
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

/** `holdfast incident resolve [ID]`: 0 it is over; 1 there is none such, or it was over already. */
export function incident(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program.command('incident').description('one incident: say that it is over');
  const resolve = command
    .command('resolve')
    .description('say that an incident is over, where nothing that is measured can tell')
    .argument('[incident]', 'as `holdfast incidents` has it; not needed where only one is open')
    .option('--reason <text>', 'how you know; kept in the journal and told in its postmortem', '');
  talksToSite(resolve, [
    'holdfast incident resolve inc-3 --reason "the caller mistyped the address"',
    'holdfast incident resolve --json',
  ]);
  resolve.action(async (given: string | undefined, options: CommonOptions & { readonly reason: string }) => {
    const { api, json, result, say } = contextOf(io, options);
    const client = api();
    const id = given ?? (await onlyOpen(client));
    const body = { by: `person:${io.user}`, reason: options.reason };
    const view = await client.post<IncidentView>(`/v1/incidents/${encodeURIComponent(id)}/resolve`, body);
    if (json) result(view);
    say(`${view.id} is resolved. Its alerts end; what is still wrong fires anew.`);
    say(`Next: holdfast postmortem ${view.id}`);
    done(exit.ok);
  });
}

async function onlyOpen(client: { get<T>(path: string): Promise<T> }): Promise<string> {
  const list = await client.get<{ readonly incidents: readonly IncidentView[] }>('/v1/incidents');
  const [only, second] = list.incidents.filter(({ resolvedAt }) => resolvedAt === null);
  if (!only) throw new Failure('HF404', 'no incident is open');
  if (second) throw new Failure('HF404', 'several are open', 'Say which: holdfast incident resolve inc-3');
  return only.id;
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
