import type { Command } from 'commander';
import type { ChangeView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { gateLines } from '../progress-printer.ts';
import { short, table, when } from '../texts.ts';

const changesShown = 20;

/** `holdfast changes [ID]`: newest first, or one with all that its gates said. */
export function changes(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('changes')
    .description('list changes, newest first, or show one with its gates')
    .argument('[id]', 'a change');
  talksToSite(command, ['holdfast changes', 'holdfast changes c3-9f2ab1', 'holdfast changes --json']);
  command.action(async (id: string | undefined, options: CommonOptions) => {
    const context = contextOf(io, options);
    const api = context.api();
    if (id === undefined) {
      const list = await api.get<{ readonly changes: readonly ChangeView[] }>('/v1/changes');
      if (context.json) context.result(list);
      for (const line of listLines(list.changes)) context.say(line);
    } else {
      const view = await api.get<ChangeView>(`/v1/changes/${encodeURIComponent(id)}`);
      if (context.json) context.result(view);
      const { bold } = context.paint;
      context.say(`${bold(view.id)} ${view.state}: ${view.why || 'under way'}`);
      context.say(`  ${view.file} (site ${short(view.siteHash)}), by ${view.by}, ${when(view.proposedAt)}`);
      if (view.force) context.say(`  forced: ${view.reason}`);
      for (const report of view.gates) for (const line of gateLines(report, context)) context.say(line);
      for (const line of reviewLines(view)) context.say(line);
      if (view.incident) context.say(`  Next:  holdfast postmortem ${view.incident}`);
    }
    done(exit.ok);
  });
}

function reviewLines({ id, review: { needed, because, approvals } }: ChangeView): readonly string[] {
  const given = approvals.map(
    ({ by, at, reason }) => `  approved by ${by}, ${when(at)}${reason === '' ? '' : `: ${reason}`}`,
  );
  if (needed === null || approvals.length >= needed) return given;
  const missing = `  waits for ${needed - approvals.length} of ${needed} approvals: ${because.join('; ')}`;
  return [...given, missing, `  Next:  holdfast approve ${id}`];
}

function listLines(views: readonly ChangeView[]): readonly string[] {
  if (views.length === 0) return ['No change yet. Next: holdfast apply site.yaml'];
  const shown = views.slice(0, changesShown);
  const rows = shown.map(({ id, state, proposedAt, by, file, why }) => [
    id,
    state,
    when(proposedAt),
    by,
    file,
    why,
  ]);
  const left = views.length - shown.length;
  return [...table(rows), ...(left > 0 ? [`and ${left} older, see --json`] : [])];
}
