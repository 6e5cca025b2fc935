/** The child of `prove:fuzz`: writes the files of an input into a folder, runs the command lines on them, and judges what they say. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkOwnText } from '#agent';
import { runCli } from '#cli';
import { faultsIn } from './judge.ts';

export interface Input {
  readonly name: string;
  readonly files: Readonly<Record<string, Content>>;
  readonly commands: readonly Command[];
}

/** `times`: a text that is too large to be kept. */
export type Content = Uint8Array | { readonly text: string; readonly times: number; readonly end?: string };

export interface Command {
  /** `@name` is the path of a file. */
  readonly args: readonly string[];
  /** `same`: it compares a text with itself, or with one that does the same. */
  readonly wanted?: 'same';
}

export interface Answer {
  readonly faults: readonly string[];
  /** How many commands ended with which exit status. */
  readonly exits: readonly number[];
  /** Whole lines that were understood were all of them, and the engine accepts the text. */
  readonly slowest: { readonly args: string; readonly ms: number };
  readonly residentMegabytes: number;
}

async function run(input: Input): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-fuzz-'));
  chmodSync(folder, 0o755);
  const faults: string[] = [];
  const exits: number[] = [];
  let slowest = { args: '', ms: 0 };
  try {
    for (const [name, content] of Object.entries(input.files)) write(join(folder, name), content);
    for (const command of input.commands) {
      const args = command.args.map((one) => (one.startsWith('@') ? join(folder, one.slice(1)) : one));
      const began = performance.now();
      const { exit, out, err } = await runHere(args);
      const ms = performance.now() - began;
      exits.push(exit);
      if (ms > slowest.ms) slowest = { args: command.args.join(' '), ms };
      for (const fault of faultsIn(command, folder, exit, out, err))
        faults.push(`holdfast ${command.args.join(' ')}: ${fault}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { faults, exits, slowest, residentMegabytes: process.resourceUsage().maxRSS / 1024 };
}

function write(path: string, content: Content): void {
  mkdirSync(dirname(path), { recursive: true });
  const bytes =
    content instanceof Uint8Array ? content : `${content.text.repeat(content.times)}${content.end ?? ''}`;
  writeFileSync(path, bytes);
}

async function runHere(args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const exit = await runCli(args, {
    io: {
      env: {},
      user: 'fuzz',
      tty: false,
      columns: 80,
      out: (text) => out.push(text),
      err: (text) => err.push(text),
      onInterrupt: () => () => {},
    },
    version: '0',
    verifyOffline: async () => null,
    askEngine: checkOwnText,
  });
  return { exit, out: out.join(''), err: err.join('') };
}

process.on('message', (input: Input) => {
  void run(input).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
