import { resolve } from 'node:path';
import type { Command } from 'commander';
import { Failure, formatDiagnostic } from '#base';
import type { ApplyRequest, ChangeView } from '#contract';
import { durationOrNull, type IncludedText, readSiteFile, type TextDialect } from '#model';
import { mustReadPolicies } from '#plan';
import {
  type CommonOptions,
  type Context,
  contextOf,
  dialectOption,
  type Exit,
  exit,
  talksToSite,
} from '../command.ts';
import type { Io } from '../io.ts';
import { progressPrinter } from '../progress-printer.ts';
import { readLocally } from '../site-text.ts';

interface ApplyOptions extends CommonOptions {
  readonly force?: boolean;
  readonly reason?: string;
  readonly release?: boolean;
  readonly unfreeze?: boolean;
  readonly newGeneration?: boolean;
  readonly older?: boolean;
  readonly queue?: boolean;
  readonly breakGlass?: boolean;
  readonly emergency?: boolean;
  readonly confirmWithin?: string;
  readonly policy?: string;
  readonly dialect?: TextDialect;
}

/** `holdfast apply FILE`: 0 promoted or nothing to do, 1 refused or rolled back. The change goes on when the terminal is closed. */
export function apply(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('apply')
    .description('prove a site file, expose it step by step, and make it the site')
    .argument('<file>', 'site file, haproxy.cfg or nginx.conf')
    .addOption(dialectOption())
    .option('--force', 'pass the gates that refuse before any traffic; the guard stays. Needs --reason')
    .option('--reason <why>', 'kept in the journal')
    .option('--release', 'take the text out of quarantine first')
    .option(
      '--new-generation',
      'start a new generation even where running engines could be told of the change',
    )
    .option('--policy <file>', 'the policy file of a haproxy.cfg or nginx.conf; kept with it from then on')
    .option('--older', 'the text that ran before the one that runs is meant: without this it is refused')
    .option(
      '--emergency',
      'every gate, then a canary and a bake of seconds; past change windows and whoever waits. Needs --reason',
    )
    .option(
      '--break-glass',
      'go on without the approvals that it needs; told at once, reviewed afterwards. Needs --reason',
    )
    .option(
      '--confirm-within <time>',
      'take it back unless `holdfast confirm` comes so long after it has all traffic: 10m',
    )
    .option('--queue', 'wait for its turn, for the next change window, or for the end of an incident')
    .option('--unfreeze', 'end the freeze that a taken back change left');
  talksToSite(command, [
    'holdfast apply site.yaml',
    'holdfast apply site.yaml --force --reason "web-9 is started by this very deploy"',
    'holdfast apply site.yaml --confirm-within 10m',
    'holdfast apply site.yaml --unfreeze --release --reason "the network was at fault"',
  ]);
  command.action(async (file: string, options: ApplyOptions) => {
    done(await applyFile(contextOf(io, options), file, options));
  });
}

async function applyFile(context: Context, file: string, options: ApplyOptions): Promise<Exit> {
  const { io, json, result } = context;
  const { read, site, diagnostics } = await readLocally(file, options.dialect);
  if (!site) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    throw new Failure(
      errors[0]?.code ?? 'HF011',
      `${file} is not a site, nothing was changed`,
      '',
      diagnostics,
    );
  }
  if ((options.force || options.breakGlass || options.emergency) && !options.reason?.trim())
    throw new Failure('HF110', 'what is forced or urgent needs a reason', 'Add --reason "why".');
  for (const warning of diagnostics) io.err(`${formatDiagnostic(warning)}\n`);
  const request: ApplyRequest = {
    ...read,
    folder: resolve(read.folder),
    force: options.force ?? false,
    ...(options.newGeneration ? { newGeneration: true } : {}),
    ...(options.breakGlass ? { breakGlass: true } : {}),
    ...(options.emergency ? { emergency: true } : {}),
    ...confirmIn(options.confirmWithin),
    ...(options.queue ? { queue: true } : {}),
    ...(options.older ? { older: true } : {}),
    ...(options.policy === undefined ? {} : { policy: await policyIn(options.policy, read.dialect) }),
    reason: options.reason ?? '',
    release: options.release ?? false,
    unfreeze: options.unfreeze ?? false,
    by: `person:${io.user}`,
  };
  const api = context.api();
  const proposed = await api.post<ChangeView>('/v1/changes', request);
  const release = io.onInterrupt(() => leave(context, proposed.id));
  try {
    const printer = progressPrinter(context, proposed);
    for await (const line of api.progress(proposed.id)) {
      printer.print(line);
      if (line.kind !== 'end') continue;
      if (json) result(line.change);
      return exitOf(line.change);
    }
    throw new Error('the progress ended without an end');
  } finally {
    release();
  }
}

/** @throws Failure with every mistake in it; HF005 for a site.yaml, which says such things itself. */
async function policyIn(file: string, dialect: TextDialect = 'site'): Promise<IncludedText> {
  if (dialect === 'site')
    throw new Failure('HF005', 'a site.yaml has its policies in itself', 'Write `policies:` in it.');
  const { text } = await readSiteFile(file);
  mustReadPolicies(text, file);
  return { path: resolve(file), text };
}

const confirmMsMin = 1_000;
const confirmMsMax = 24 * 3_600_000;

/** @throws Failure HF013 */
function confirmIn(word: string | undefined): Pick<ApplyRequest, 'confirmWithinMs'> {
  if (word === undefined) return {};
  const confirmWithinMs = durationOrNull(word);
  if (confirmWithinMs !== null && confirmWithinMs >= confirmMsMin && confirmWithinMs <= confirmMsMax)
    return { confirmWithinMs };
  throw new Failure('HF013', `--confirm-within: expected a time from 1s to 24h, such as 10m, got "${word}"`);
}

/** Abandoned is success only where there was nothing to do: the text that was asked for is what runs. */
function exitOf({ state, difference }: ChangeView): Exit {
  const { serversAdded, serversRemoved, parts } = difference;
  const nothingToDo = serversAdded.length + serversRemoved.length + parts.length === 0;
  return state === 'promoted' || (state === 'abandoned' && nothingToDo) ? exit.ok : exit.refused;
}

function leave({ io }: Context, change: string): void {
  io.err(
    `\nThe change goes on without this terminal.\n  See it:       holdfast changes ${change}\n  Take it back: holdfast rollback\n`,
  );
}
