import type { Command } from 'commander';
import { Failure, systemClock } from '#base';
import type { EscalationView } from '#contract';
import { type CommonOptions, contextOf, type Exit, exit, talksToSite } from '../command.ts';
import type { Io } from '../io.ts';
import { durationMs } from '../words.ts';
import { escalationLines } from './alerts.ts';

interface AckOptions extends CommonOptions {
  readonly comment: string;
  readonly for?: string;
  readonly handOver?: string;
}

/** `holdfast ack [ESCALATION]`: 0 it is yours, or handed over; 1 there is none such. */
export function ack(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('ack')
    .description('take what fires: nobody else is paged about it meanwhile')
    .argument('[escalation]', 'as `holdfast alerts` has it; not needed where only one is open')
    .option('--comment <text>', 'told to the others, and kept in the journal', '')
    .option('--for <duration>', 'how long: 30m, 2h; else as its policy says')
    .option('--hand-over <person>', 'page this person about it instead');
  talksToSite(command, [
    'holdfast ack',
    'holdfast ack e-3 --comment "looking at lb-2" --for 1h',
    'holdfast ack e-3 --hand-over anna',
  ]);
  command.action(async (given: string | undefined, options: AckOptions) => {
    const context = contextOf(io, options);
    const api = context.api();
    const forMs = options.for === undefined ? undefined : durationMs('--for', options.for);
    const id = given ?? (await onlyOpen(api));
    const by = `person:${io.user}`;
    const path = `/v1/escalations/${encodeURIComponent(id)}`;
    const view = options.handOver
      ? await api.post<EscalationView>(`${path}/hand-over`, { by, to: options.handOver })
      : await api.post<EscalationView>(`${path}/ack`, {
          by,
          comment: options.comment,
          ...(forMs === undefined ? {} : { forMs }),
        });
    if (context.json) context.result(view);
    if (options.handOver) context.say(`${view.id} is handed over: ${options.handOver} is paged`);
    for (const line of escalationLines(view, context, systemClock.now())) context.say(line);
    done(exit.ok);
  });
}

async function onlyOpen(api: { get<T>(path: string): Promise<T> }): Promise<string> {
  const { escalations } = await api.get<{ readonly escalations: readonly EscalationView[] }>(
    '/v1/escalations',
  );
  const open = escalations.filter(({ state }) => state !== 'ended');
  const waiting = open.filter(({ state }) => state !== 'acknowledged');
  const [only, second] = waiting.length > 0 ? waiting : open;
  if (!only) throw new Failure('HF404', 'nothing waits for anybody');
  if (second) {
    const names = open.map(({ id, policy }) => `${id} (${policy})`).join(', ');
    throw new Failure('HF404', `several are open: ${names}`, 'Say which: holdfast ack e-3');
  }
  return only.id;
}
