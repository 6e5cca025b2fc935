import type { Command } from 'commander';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';

/** `holdfast postmortem ID`: Markdown, every figure from the journal. */
export function postmortem(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('postmortem')
    .description('print the report of an incident, in Markdown')
    .argument('<id>', 'an incident');
  talksToSite(command, ['holdfast postmortem inc-1', 'holdfast postmortem inc-1 > 2026-01-01-checkout.md']);
  command.action(async (incident: string, options: CommonOptions) => {
    const { api, json, result } = contextOf(io, options);
    const markdown = await api().text(`/v1/incidents/${encodeURIComponent(incident)}/postmortem`);
    if (json) result({ incident, markdown });
    else io.out(markdown.endsWith('\n') ? markdown : `${markdown}\n`);
    done(exit.ok);
  });
}
