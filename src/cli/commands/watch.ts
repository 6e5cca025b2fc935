import type { Command } from 'commander';
import { systemClock } from '#base';
import type { LiveObjective, LiveView } from '#contract';
import { type CommonOptions, type Context, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { ago, number, table } from '../texts.ts';

interface WatchOptions extends CommonOptions {
  readonly once?: boolean;
}

const everyMs = 1_000;

/** `holdfast watch`: what the site does now, until Ctrl-C. */
export function watch(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('watch')
    .description('what the site does now: rates, errors, servers, faults; until Ctrl-C')
    .option('--once', 'one look, then end');
  talksToSite(command, ['holdfast watch', 'holdfast watch --once', 'holdfast watch --json | jq .faults']);
  command.action(async (options: WatchOptions) => {
    const context = contextOf(io, options);
    const ending = new AbortController();
    const undo = io.onInterrupt(() => ending.abort());
    try {
      await looks(context, options.once === true, ending.signal);
    } finally {
      undo();
    }
    done(exit.ok);
  });
}

async function looks(context: Context, isOnce: boolean, ending: AbortSignal): Promise<void> {
  const { io, json } = context;
  const api = context.api();
  let height = 0;
  while (!ending.aborted) {
    const view = await api.get<LiveView>('/v1/live');
    if (json) io.out(`${JSON.stringify(view)}\n`);
    else {
      const lines = liveLines(view, context);
      // Over what stood there before, where that is possible.
      const back = io.tty && height > 0 ? `\u001b[${height}A\u001b[J` : '';
      io.out(`${back}${lines.join('\n')}\n`);
      height = lines.length;
    }
    if (isOnce) return;
    await systemClock.sleep(everyMs, ending).catch(() => {});
  }
}

function liveLines(view: LiveView, { paint }: Pick<Context, 'paint'>): readonly string[] {
  const time = new Date(view.at).toISOString().slice(11, 19);
  return [
    `${paint.bold(view.site)}  ${time} UTC`,
    ...view.balancers.flatMap((one) => balancerLines(one, paint)),
    ...(view.balancers.length === 0 ? ['  nothing was heard of any balancer yet'] : []),
    ...view.objectives.map((one) => objectiveLine(one, paint)),
    ...probeLines(view.probes, paint),
    ...(view.faults.length === 0 ? [`  ${paint.good('no fault')}`] : []),
    ...view.faults.flatMap(({ fault, severity, startedAt, said, advice }) => [
      `  ${paint.bad(`${fault} ${severity}`)}, ${ago(view.at - startedAt)} ago: ${said}`,
      ...(advice === '' ? [] : [`    ${advice}`]),
    ]),
  ];
}

/** Those that fail, and how many are well. */
function probeLines(probes: LiveView['probes'], paint: Context['paint']): readonly string[] {
  if (probes.length === 0) return [];
  const bad = probes.filter(({ ok }) => !ok);
  return [
    `  probes  ${probes.length - bad.length} of ${probes.length} answered well`,
    ...bad.map(({ probe, target, answered }) => `    ${paint.bad(probe)} ${target}: ${answered}`),
  ];
}

function objectiveLine(one: LiveObjective, paint: Context['paint']): string {
  const { objective, of, share, withinMs, windowDays, requests, bad, budgetLeft, burning, idle } = one;
  const within = withinMs === null ? '' : ` within ${withinMs} ms`;
  const promised = `${Number((share * 100).toFixed(5))} % of ${of}${within}`;
  if (idle !== '') return `  objective ${objective}  ${promised}  ${paint.warn(`not counted: ${idle}`)}`;
  const left = `${Math.round(budgetLeft * 1_000) / 10} % of the budget of ${windowDays} d left`;
  const burns = burning ? `  ${paint.bad(`BURNS ${burning.short.toFixed(1)} times too fast`)}` : '';
  const said = budgetLeft > 0 ? left : paint.bad(left);
  return `  objective ${objective}  ${promised}  ${said} (${number(bad)} of ${number(requests)} bad)${burns}`;
}

function balancerLines(one: LiveView['balancers'][number], paint: Context['paint']): readonly string[] {
  const silent =
    one.heardMsAgo > 2_000
      ? paint.bad(`NOTHING HEARD for ${Math.round(one.heardMsAgo / 1_000)} s`)
      : one.answers
        ? ''
        : paint.bad('ITS ENGINE DOES NOT ANSWER');
  const load =
    one.engineCpuShare === null ? '' : `, engine ${Math.round(one.engineCpuShare * 100)} % of a core`;
  const bad = (perSecond: number, what: string) =>
    perSecond > 0 ? paint.bad(`${number(perSecond)} ${what}/s`) : paint.dim(`0 ${what}/s`);
  return [
    `  ${one.balancer}  ${number(one.requestsPerSecond)} requests/s  ${bad(one.errorsPerSecond, 'errors')}  ${number(one.connections)} connections${load}  ${silent}`,
    ...table(
      one.pools.map((pool) => [
        `    pool ${pool.pool}`,
        `${number(pool.requestsPerSecond)}/s`,
        bad(pool.errorsPerSecond, 'errors'),
        bad(pool.retriesPerSecond, 'retries'),
        pool.queued > 0 ? paint.warn(`${number(pool.queued)} wait`) : '',
        pool.meanMs === null ? '' : `${pool.meanMs} ms`,
        `${pool.serversLive} of ${pool.serversAll} servers`,
      ]),
    ),
    ...one.serversDown.map(
      ({ pool, server, lastCheck }) => `    ${paint.bad('DOWN')} ${pool}/${server}: ${lastCheck}`,
    ),
  ];
}
