import type { Command } from 'commander';
import { systemClock } from '#base';
import type { BalancerStatus, StatusView } from '#contract';
import { type CommonOptions, type Context, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { ago, number, short, table } from '../texts.ts';

/** `holdfast status`: 0 when every balancer serves, 1 when one does not. */
export function status(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program.command('status').description('what serves, what is in flight, and the way back');
  talksToSite(command, ['holdfast status', 'holdfast status --json', 'watch -n1 holdfast status']);
  command.action(async (options: CommonOptions) => {
    const context = contextOf(io, options);
    const view = await context.api().get<StatusView>('/v1/status');
    if (context.json) context.result(view);
    for (const line of statusLines(view, context, systemClock.now())) context.say(line);
    done(view.state === 'serving' ? exit.ok : exit.refused);
  });
}

function statusLines(view: StatusView, context: Pick<Context, 'paint'>, now: number): readonly string[] {
  const { paint } = context;
  const state = view.state === 'serving' ? paint.good(view.state) : paint.bad(view.state.toUpperCase());
  return [
    `${paint.bold(view.site)}  ${state}  ${paint.dim(`site ${short(view.siteHash)}`)}`,
    '',
    ...view.balancers.flatMap((one) =>
      'unreachable' in one
        ? [`  ${one.balancer}  ${paint.bad('DOES NOT ANSWER')}  ${one.unreachable}`]
        : balancerLines(one, view.siteHash, { ...context, now }),
    ),
    '',
    ...table([
      ['  change', changeText(view, context, now)],
      ...view.queue.map(({ id, file, by, why }, index) => [
        index === 0 ? '  queue' : '',
        `${id}: ${file} by ${by}; ${why || 'waits for approvals'}; end it: holdfast abort ${id}`,
      ]),
      ['  way back', wayBackText(view, context)],
      ['  pipeline', view.frozen === null ? 'open' : `${paint.bad('FROZEN')}: ${view.frozen}`],
      ['  journal', journalText(view, context)],
      ['  incidents', incidentsText(view, context)],
      ...(view.reviewsOwed.length > 0
        ? [
            [
              '  review owed',
              `${paint.bad(view.reviewsOwed.join(', '))}: went past its review; holdfast approve CHANGE --reason "what was looked at"`,
            ],
          ]
        : []),
      ...(view.drift
        ? [
            [
              '  drift',
              `${paint.bad(`${view.drift.length} changed behind our back`)}: ${view.drift[0]?.what}; see: holdfast drift`,
            ],
          ]
        : []),
      ...certificateRows(view, context, now),
    ]),
    ...view.renewalTrouble.map((line) => `    ${paint.bad('NOT USED')}  ${line}`),
  ];
}

function balancerLines(
  one: BalancerStatus,
  siteHash: string,
  { paint, now }: Pick<Context, 'paint'> & { readonly now: number },
): readonly string[] {
  const generations = one.generations.map((g) => [
    `    generation ${g.generation}`,
    g.role,
    g.state,
    `${number(g.requests)} requests`,
    `${number(g.errors)} errors`,
    g.change ?? '',
  ]);
  const other = one.lastGoodHash === siteHash ? '' : `  ${paint.warn(`serves ${short(one.lastGoodHash)}`)}`;
  return [
    `  ${one.balancer}  ${one.engine} ${one.version}  ${one.addresses.join(', ')}${other}`,
    ...carriedLines(one, { paint, now }),
    ...coldStartLines(one, { paint, now }),
    ...table(generations),
    ...(one.unfinished
      ? [`    ${paint.bad('CUT OFF')}  the ${one.unfinished.what} was; finish it: ${one.unfinished.remedy}`]
      : []),
    ...(one.beside ?? []).flatMap(({ address, pid, command, remedy }) => [
      `    ${paint.bad('BESIDE IT')}  process ${pid} listens on ${address} too: ${command}`,
      `      It gets no new connection where the kernel lets us say so. End it: ${remedy}`,
    ]),
  ];
}

const dayMs = 24 * 60 * 60 * 1_000;
const expirySoonDays = 14;

/** Each once, though every balancer shows it; the one that ends first comes first. */
function certificateRows(
  { balancers }: StatusView,
  { paint }: Pick<Context, 'paint'>,
  now: number,
): readonly string[][] {
  const all = balancers.flatMap((one) => ('certificates' in one ? one.certificates : []));
  const distinct = new Map(all.map((one) => [`${one.file} ${one.validTo}`, one]));
  return [...distinct.values()]
    .toSorted((a, b) => a.validTo - b.validTo)
    .map(({ file, names, validTo }, index) => {
      const days = Math.floor((validTo - now) / dayMs);
      const left = days < 0 ? 'EXPIRED' : `${days} ${days === 1 ? 'day' : 'days'} left`;
      const said = days < expirySoonDays ? paint.bad(left) : left;
      return [index === 0 ? '  certificates' : '', `${said}: ${names.join(', ')} (${file})`];
    });
}

function carriedLines(
  { carried }: BalancerStatus,
  { paint, now }: Pick<Context, 'paint'> & { readonly now: number },
): readonly string[] {
  if (!carried) return [];
  const { by, instead, since, because } = carried;
  const when = `${new Date(since).toISOString().slice(0, 19).replace('T', ' ')} UTC, ${ago(now - since)} ago`;
  const [first = '', ...more] = because.split('\n').filter(Boolean);
  return [
    `    ${paint.bad(`CARRIED BY ${by.toUpperCase()}`)} since ${when}, because ${first}`,
    ...more.map((line) => `      ${line}`),
    `    ${instead} is put right? Back to it: holdfast apply FILE, with the file that runs or any other`,
  ];
}

/** Whether the third rung would work: told at length only when it would not. */
function coldStartLines(
  { coldStart }: BalancerStatus,
  { paint, now }: Pick<Context, 'paint'> & { readonly now: number },
): readonly string[] {
  if (!coldStart) return [];
  const { ok, at, startMs, why } = coldStart;
  const when = `${ago(now - at)} ago`;
  if (ok) return [paint.dim(`    its text started cold in ${startMs} ms, ${when}, in a sandbox`)];
  const [first = '', ...more] = why.split('\n').filter(Boolean);
  return [
    `    ${paint.bad('DOES NOT START COLD')}  tried in a sandbox ${when}: ${first}`,
    ...more.map((line) => `      ${line}`),
  ];
}

function changeText({ change }: StatusView, { paint }: Pick<Context, 'paint'>, now: number): string {
  if (!change) return 'none in flight';
  const { id, state, file, by, proposedAt } = change;
  return `${paint.warn(id)} ${state}: ${file} by ${by}, ${ago(now - proposedAt)} ago; take it back: holdfast rollback`;
}

function wayBackText({ balancers }: StatusView, { paint }: Pick<Context, 'paint'>): string {
  const said = balancers.map((one) => {
    if ('unreachable' in one) return `${one.balancer} unknown`;
    const candidate = one.generations.some(({ role }) => role === 'candidate');
    const wanted = candidate ? 'active' : 'standby';
    const back = one.generations.find(({ role, state }) => role === wanted && state !== 'ended');
    return back
      ? `${one.balancer} to generation ${back.generation}`
      : paint.dim(`${one.balancer} has no older one`);
  });
  return said.join(', ');
}

function journalText({ journal }: StatusView, { paint }: Pick<Context, 'paint'>): string {
  return journal.ok
    ? `ok, ${number(journal.entries)} entries`
    : `${paint.bad('NOT USABLE')}: ${journal.why}; the site goes on, changes are refused`;
}

function incidentsText({ openIncidents }: StatusView, { paint }: Pick<Context, 'paint'>): string {
  const [first] = openIncidents;
  if (first === undefined) return 'none open';
  return `${paint.bad(`${openIncidents.length} open`)}: ${openIncidents.join(', ')}; read: holdfast postmortem ${first}`;
}
