import type { Command } from 'commander';
import { Failure } from '#base';
import { type Exit, exit } from '#cli';
import { monitorHelp, onCallHelp, reportsHelp, reviewHelp, reviewStandard } from './port.ts';

interface AdoptFlags {
  readonly name?: string;
  readonly wait?: string;
  readonly dryRun?: boolean;
  readonly observe?: boolean;
  readonly port: string;
  readonly reports?: string;
  readonly review: string;
  readonly oncall?: string;
  readonly monitor?: string;
}

interface ReleaseFlags {
  readonly site?: string;
  readonly command?: string;
  readonly wait: string;
}

/** `adopt` and `release`. */
export function adoption(program: Command, done: (code: Exit) => void): void {
  adopt(program, done);
  release(program, done);
}

function adopt(program: Command, done: (code: Exit) => void): void {
  program
    .command('adopt')
    .description('take over a running HAProxy or NGINX without a lost request; Ctrl-C hands it back')
    .argument('<file>', 'the text that it runs: haproxy.cfg or nginx.conf')
    .option('--name <name>', "the site's name; else this machine's")
    .option(
      '--wait <seconds>',
      'how long its open connections may take to end by themselves; else as long as its text lets idle ones, 60 or more',
    )
    .option('--observe', 'plan, detect, page and journal only: watch the engine, and touch nothing')
    .option('--dry-run', 'only say what was found and what would be different; touch nothing')
    .option('--port <port>', 'port of the API on 127.0.0.1', '4790')
    .option('--reports <address>', reportsHelp)
    .option('--review <cron>', reviewHelp, reviewStandard)
    .option('--oncall <file>', onCallHelp)
    .option('--monitor <file>', monitorHelp)
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast adopt /etc/haproxy/haproxy.cfg --dry-run\n  holdfast adopt /etc/haproxy/haproxy.cfg --observe\n  holdfast adopt /etc/haproxy/haproxy.cfg\n  holdfast adopt /etc/nginx/nginx.conf --wait 300\n',
    )
    .action(async (file: string, options: AdoptFlags) => {
      const { controllerFlags } = await import('./flags.ts');
      if (options.observe === true) {
        const { runObserve } = await import('./observe.ts');
        const controller = await controllerFlags(options, file);
        await runObserve({ file, controller, ...(options.name ? { name: options.name } : {}) });
        return done(exit.ok);
      }
      const { runAdopt } = await import('./adopt.ts');
      await runAdopt({
        file,
        controller: await controllerFlags(options, file),
        waitMs: options.wait === undefined ? null : secondsOf(options.wait),
        dryRun: options.dryRun === true,
        ...(options.name ? { name: options.name } : {}),
      });
      done(exit.ok);
    });
}

function release(program: Command, done: (code: Exit) => void): void {
  program
    .command('release')
    .description('hand an adopted site back to the engine that served it before, without a lost request')
    .option('--site <name>', 'which site, when several were adopted on this machine')
    .option('--command <line>', 'a shell line that starts the engine; else as it was started before')
    .option('--wait <seconds>', 'how long our open connections may take to end by themselves', '60')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast release\n  holdfast release --command "systemctl start haproxy"\n',
    )
    .action(async (options: ReleaseFlags) => {
      const { release: handBack } = await import('./release.ts');
      const { site, command } = options;
      await handBack({
        waitMs: secondsOf(options.wait),
        say: (line) => process.stdout.write(`${line}\n`),
        ...(site ? { site } : {}),
        ...(command ? { command } : {}),
      });
      done(exit.ok);
    });
}

const waitSecondsMax = 86_400;

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= waitSecondsMax) return seconds * 1_000;
  throw new Failure('HF013', `--wait: expected seconds from 0 to ${waitSecondsMax}, got "${text}"`);
}
