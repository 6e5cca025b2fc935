import { Command, CommanderError } from 'commander';
import { type Exit, exit, report } from './command.ts';
import { ack } from './commands/ack.ts';
import { alerts } from './commands/alerts.ts';
import { apply } from './commands/apply.ts';
import { approve } from './commands/approve.ts';
import { changes } from './commands/changes.ts';
import { type AskEngine, check, type ReadSettingsFile } from './commands/check.ts';
import { confirm } from './commands/confirm.ts';
import { drift } from './commands/drift.ts';
import { explain } from './commands/explain.ts';
import { incident, incidents } from './commands/incidents.ts';
import { journal, type VerifyOffline } from './commands/journal.ts';
import { notify } from './commands/notify.ts';
import { oncall } from './commands/oncall.ts';
import { type Prove, plan } from './commands/plan.ts';
import { postmortem } from './commands/postmortem.ts';
import { report as customersReport } from './commands/report.ts';
import { review } from './commands/review.ts';
import { abort, rollback } from './commands/rollback.ts';
import { silence } from './commands/silence.ts';
import { status } from './commands/status.ts';
import { watch } from './commands/watch.ts';
import type { Io } from './io.ts';

export interface CliParts {
  readonly io: Io;
  readonly version: string;
  readonly verifyOffline: VerifyOffline;
  /** An engine's own verdict of a text in its language. Absent: nobody is asked. */
  readonly askEngine?: AskEngine;
  /** What an on-call file says. Absent: one is not known from a site. */
  readonly readSettings?: ReadSettingsFile;
  /** Real engines. Absent: `plan --prove` asks nobody. */
  readonly prove?: Prove;
  /** Adds the commands that run things; called before the others, so they stand first in the help. */
  extend?(program: Command, done: (code: Exit) => void): void;
}

/** Runs one command line (without `node` and the file); resolves with the exit status. Never rejects. */
export async function runCli(args: readonly string[], parts: CliParts): Promise<number> {
  const { io } = parts;
  let code: Exit = exit.ok;
  const done = (wanted: Exit) => {
    code = wanted;
  };
  try {
    await createProgram(parts, done).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit.ok : exit.refused;
    return report(io, error, args.includes('--json'));
  }
}

/** Every command with its help: what docs/cli.md is made from. */
export function createProgram(
  { io, version, verifyOffline, askEngine, readSettings, prove, extend }: CliParts,
  done: (code: Exit) => void,
): Command {
  const program = new Command('holdfast')
    .description('Keeps a website up through changes of its load balancers.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: (text) => io.err(text) })
    .showSuggestionAfterError(true)
    .helpCommand(false)
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 refused or not possible, 70 a mistake of Holdfast itself.\nFirst steps: holdfast up site.yaml, then in another terminal: holdfast status',
    );
  extend?.(program, done);
  check(program, io, done, { askEngine, readSettings });
  plan(program, io, done, prove);
  explain(program, io, done);
  apply(program, io, done);
  approve(program, io, done);
  confirm(program, io, done);
  rollback(program, io, done);
  abort(program, io, done);
  status(program, io, done);
  watch(program, io, done);
  drift(program, io, done);
  changes(program, io, done);
  customersReport(program, io, done);
  alerts(program, io, done);
  ack(program, io, done);
  silence(program, io, done);
  oncall(program, io, done);
  notify(program, io, done);
  incidents(program, io, done);
  incident(program, io, done);
  postmortem(program, io, done);
  review(program, io, done);
  journal(program, io, done, verifyOffline);
  return program;
}
