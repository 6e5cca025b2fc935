import type { Command } from 'commander';
import { Failure } from '#base';
import type { JournalCheckView } from '#contract';
import { type Event, type JournalEntry, scopeWords } from '#events';
import { type CommonOptions, type Context, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { number, table, when } from '../texts.ts';

/** Reads the journal of a site that nobody runs now; null when there is none. `main` gives it: commands know no store. */
export type VerifyOffline = (site: string | undefined) => Promise<JournalCheckView | null>;

/** `holdfast journal verify`: 0 when every entry is as it was written, 1 when not. `journal show`: the entries. */
export function journal(program: Command, io: Io, done: (code: Exit) => void, offline: VerifyOffline): void {
  const command = program
    .command('journal')
    .description('what was done, by whom and why: read it, and prove it');
  const verify = command.command('verify').description('find a changed, missing or reordered entry');
  talksToSite(verify, ['holdfast journal verify', 'holdfast journal verify --json']);
  verify.action(async (options: CommonOptions) => {
    const context = contextOf(io, options);
    const found = await check(context, offline);
    if (context.json) context.result(found);
    const { ok, entries, head, firstBad, why } = found;
    const { paint, say } = context;
    if (ok) say(`${paint.good('✔')} ${number(entries)} entries, each as it was written. Head: ${head}`);
    else say(`${paint.bad('✖')} from entry ${firstBad ?? '?'} on: ${why}`);
    done(ok ? exit.ok : exit.refused);
  });

  const show = command
    .command('show')
    .description('print entries, oldest first')
    .option('--after <sequence>', 'only entries with a higher number', '0');
  talksToSite(show, ['holdfast journal show', 'holdfast journal show --after 120 --json']);
  show.action(async (options: CommonOptions & { readonly after: string }) => {
    const context = contextOf(io, options);
    const entries = await readAll(context, options.after);
    if (context.json) context.result({ entries });
    for (const line of table(
      entries.map((e) => [String(e.sequence), when(e.at), e.by, e.event.kind, what(e.event)]),
    ))
      context.say(line);
    done(exit.ok);
  });
}

async function check(context: Context, offline: VerifyOffline): Promise<JournalCheckView> {
  try {
    return await context.api().get<JournalCheckView>('/v1/journal/verify');
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'HF401') throw error;
    const found = await offline(context.site);
    if (found) return found;
    throw error;
  }
}

/** The API gives so many at a time; a page that is empty is the end. */
async function readAll({ api }: Context, after: string): Promise<readonly JournalEntry[]> {
  const client = api();
  const all: JournalEntry[] = [];
  for (let from = after; ; ) {
    const { entries } = await client.get<{ readonly entries: readonly JournalEntry[] }>(
      `/v1/journal?after=${encodeURIComponent(from)}`,
    );
    const last = entries.at(-1);
    if (!last) return all;
    all.push(...entries);
    from = String(last.sequence);
  }
}

/** One line of an event, for people; --json has it whole. */
function what(event: Event): string {
  switch (event.kind) {
    case 'change.proposed':
      return `${event.change} ${event.file}${event.force ? `, forced: ${event.reason}` : ''}`;
    case 'change.gate':
      return `${event.change} ${event.report.gate} ${event.report.verdict}: ${event.report.summary}`;
    case 'change.planned':
      return `${event.change} ${event.plan.differences.length} classes of requests differ, risk ${event.plan.risk.level}`;
    case 'change.awaits':
      return `${event.change} waits for ${event.approvals} approvals: ${event.because.join('; ')}`;
    case 'change.state':
      return `${event.change} ${event.state}${event.why ? `: ${event.why}` : ''}`;
    case 'change.exposed':
      return `${event.change} ${event.balancer} ${Math.round(event.share * 100)} %`;
    case 'fault.suspected':
    case 'fault.seen':
      return `${event.fault} ${event.series} of ${scopeWords(event.scope)}: ${event.evidence[0] ?? ''}`;
    case 'fault.located':
      return `${event.fault} ${event.verdict.sentence}`;
    case 'fault.ended':
      return `${event.fault} ${event.how}`;
    case 'report.received': {
      const { report, sees, status, url, said } = event.report;
      return [report, sees, status ?? '', url, said].filter((word) => word !== '').join(' ');
    }
    case 'guard.refused':
      return `${event.record.balancer} ${event.record.number}: ${event.record.what.kind}, not believed: ${event.why}`;
    case 'guard.acted':
      return `${event.record.balancer} ${event.record.number}: ${event.record.what.kind}`;
    default:
      return Object.entries(event)
        .filter(([key, value]) => key !== 'kind' && ['string', 'number', 'boolean'].includes(typeof value))
        .map(([key, value]) => `${key}=${value}`)
        .join(' ');
  }
}
