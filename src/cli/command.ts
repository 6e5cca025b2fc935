import { type Command, Option } from 'commander';
import { type Code, catalogue, Failure, formatDiagnostic, messageOf } from '#base';
import { textDialects } from '#model';
import { type ApiClient, findApi } from './api-client.ts';
import { type Io, type Paint, paintFor } from './io.ts';

/** Exit statuses that a script may rely on. */
export const exit = { ok: 0, refused: 1, differs: 2, ownMistake: 70 } as const;
export type Exit = (typeof exit)[keyof typeof exit];

export interface CommonOptions {
  readonly json?: boolean;
  readonly site?: string;
}

/** What a command's action works with. */
export interface Context {
  readonly io: Io;
  readonly paint: Paint;
  readonly json: boolean;
  readonly site: string | undefined;
  /** @throws Failure HF401, HF402, HF403 */
  api(): ApiClient;
  /** A line for people; with --json there is none. */
  say(line: string): void;
  /** The whole result as one JSON document: nothing else is written to standard output. */
  result(value: unknown): void;
}

export function contextOf(io: Io, { json = false, site }: CommonOptions): Context {
  return {
    io,
    paint: paintFor(io),
    json,
    site,
    api: () => findApi(io.env, site),
    say: (line) => {
      if (!json) io.out(`${line}\n`);
    },
    result: (value) => io.out(`${JSON.stringify(value, null, 2)}\n`),
  };
}

/** The same on every command that reads a text. */
export function dialectOption(): Option {
  const says = 'what the text is written in, where its name and content do not say it';
  return new Option('--dialect <dialect>', says).choices(textDialects);
}

/** `--json`, `--site` and examples, the same on every command that talks to a site. */
export function talksToSite(command: Command, examples: readonly string[]): Command {
  return withExamples(
    command.option('--site <name>', 'which site, when several run on this machine'),
    examples,
  );
}

export function withExamples(command: Command, examples: readonly string[]): Command {
  return command
    .option('--json', 'one JSON document on standard output, nothing else there (docs/cli.md)')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}\n`);
}

/** Says what went wrong: for people on standard error, with --json also as a document. */
export function report(io: Pick<Io, 'env' | 'tty' | 'out' | 'err'>, error: unknown, json: boolean): Exit {
  const paint = paintFor(io);
  const { code, message, remedy, diagnostics } = error instanceof Failure ? error : ownMistake(error);
  const entry = isCode(code) ? catalogue[code] : null;
  const advice = remedy || entry?.solve || '';
  if (json)
    io.out(
      `${JSON.stringify({ error: { code, title: entry?.title ?? '', detail: message, remedy: advice, diagnostics } }, null, 2)}\n`,
    );
  io.err(`${paint.bad(code)} ${message}\n`);
  for (const diagnostic of diagnostics) {
    const line = formatDiagnostic(diagnostic);
    if (!message.includes(line)) io.err(`  ${line}\n`);
  }
  if (advice) io.err(`  ${advice}\n`);
  if (!(error instanceof Failure) && error instanceof Error && error.stack)
    io.err(`${paint.dim(error.stack)}\n`);
  return error instanceof Failure && code !== 'HF900' ? exit.refused : exit.ownMistake;
}

function ownMistake(error: unknown): Failure {
  return new Failure('HF900', messageOf(error));
}

function isCode(code: string): code is Code {
  return Object.hasOwn(catalogue, code);
}
