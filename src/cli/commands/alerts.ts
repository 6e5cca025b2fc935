import type { Command } from 'commander';
import { systemClock } from '#base';
import type { AlertView, EscalationView } from '#contract';
import { type CommonOptions, type Context, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { ago, table } from '../texts.ts';

interface AlertsOptions extends CommonOptions {
  readonly all?: boolean;
}

/** `holdfast alerts`: 0 when nothing fires that pages somebody, 1 when something does. */
export function alerts(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('alerts')
    .description('what fires, who was paged about it, and who has it')
    .option('--all', 'the last ones that are over, too');
  talksToSite(command, ['holdfast alerts', 'holdfast alerts --all', 'holdfast alerts --json']);
  command.action(async (options: AlertsOptions) => {
    const context = contextOf(io, options);
    const api = context.api();
    const all = await api.get<readonly AlertView[]>('/api/v2/alerts');
    const found = await api.get<{ readonly escalations: readonly EscalationView[] }>('/v1/escalations');
    const firing = all.filter(({ labels }) => labels.alertname !== 'Watchdog');
    const escalations = found.escalations.filter(({ state }) => options.all || state !== 'ended');
    if (context.json) context.result({ alerts: firing, escalations });
    const now = systemClock.now();
    if (firing.length === 0) context.say('Nothing fires.');
    for (const one of firing) for (const line of alertLines(one, context, now)) context.say(line);
    for (const one of escalations) for (const line of escalationLines(one, context, now)) context.say(line);
    const pages = firing.some(({ status, receivers }) => status.state === 'active' && receivers.length > 0);
    done(pages ? exit.refused : exit.ok);
  });
}

function alertLines(one: AlertView, { paint }: Pick<Context, 'paint'>, now: number): readonly string[] {
  const { labels, annotations, startsAt, status, receivers } = one;
  const { alertname = '', severity = '' } = labels;
  const loud = severity === 'critical' || severity === 'error';
  const name = loud ? paint.bad(alertname) : paint.warn(alertname);
  const quiet =
    status.silencedBy.length > 0
      ? `silenced (${status.silencedBy.join(', ')})`
      : status.inhibitedBy.length > 0
        ? 'kept quiet by its cause'
        : receivers.length === 0
          ? 'pages nobody'
          : '';
  const lines = [
    ['Users see', annotations.users],
    ['Cause', annotations.cause ?? annotations.description],
    ['Done / to do', annotations.action],
    ['Runbook', annotations.runbook_url],
  ].flatMap(([what = '', text = '']) => (text === '' ? [] : [`  ${what}: ${text}`]));
  const head = `${name} ${severity}  ${annotations.summary ?? ''}  ${paint.dim(`for ${ago(now - Date.parse(startsAt))}`)}`;
  return [head, ...lines, ...(quiet === '' ? [] : [paint.dim(`  ${quiet}`)])];
}

/** Shared with `ack`. */
export function escalationLines(
  one: EscalationView,
  { paint }: Pick<Context, 'paint'>,
  now: number,
): readonly string[] {
  const { id, policy, state, acknowledged, beganAt, alerts: about, turns, how } = one;
  const words = {
    open: paint.bad('NOBODY HAS IT'),
    exhausted: paint.bad('NOBODY ANSWERS'),
    acknowledged: paint.good(`${acknowledged?.by ?? 'somebody'} has it`),
    ended: `over: ${how}`,
  }[state];
  const left = acknowledged && state === 'acknowledged' ? `, for ${ago(acknowledged.until - now)} more` : '';
  const names = [...new Set(about.map(({ name }) => name))].join(', ');
  const rows = turns.flatMap((turn) => [
    ...turn.pages.map((page) => [
      `    ${turn.what} ${turn.step}/${turn.round}`,
      [page.person, page.notifier, page.to].filter(Boolean).join(' '),
      pageState(page.state, page.attempts, paint),
      `${ago(now - page.at)} ago`,
      page.said,
    ]),
    ...turn.missing.map((why) => [`    step ${turn.step}/${turn.round}`, paint.warn('nobody'), '', '', why]),
  ]);
  return [
    `${paint.bold(id)}  ${words}${left}  (${policy}, since ${ago(now - beganAt)})  ${names}`,
    ...table(rows),
    ...(state === 'open' || state === 'exhausted' ? [`    Take it:  holdfast ack ${id}`] : []),
  ];
}

function pageState(state: string, attempts: number, paint: Context['paint']): string {
  if (state === 'sent') return paint.good('sent');
  if (state === 'dead') return paint.bad(`NOT DELIVERED after ${attempts}`);
  return attempts === 0 ? 'being sent' : paint.warn(`tried ${attempts} times`);
}
