import { join } from 'node:path';
import type { Command } from 'commander';
import { Failure, sitePaths } from '#base';
import { type Exit, exit } from '#cli';
import { asChild } from './children.ts';
import type { ReplayOptions } from './replay.ts';

interface AdoptFlags {
  readonly name?: string;
  readonly wait: string;
  readonly dryRun?: boolean;
  readonly port: string;
}

interface ReleaseFlags {
  readonly site?: string;
  readonly command?: string;
  readonly wait: string;
}

/** The commands that run things: each loads its own part, so that `holdfast check` does not load the holder's. */
export function runners(program: Command, done: (code: Exit) => void): void {
  program
    .command('up')
    .description('run the site on this machine')
    .argument('[site]', 'site file', 'site.yaml')
    .option('--with <servers>', "a program that runs the site's own servers beside it, for trying out")
    .option('--port <port>', 'port of the API on 127.0.0.1', '4790')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast up site.yaml\n  holdfast up examples/shop/site.yaml --with examples/shop/servers.ts\n',
    )
    .action(async (site: string, options: { readonly with?: string; readonly port: string }) => {
      const { runUp } = await import('./up.ts');
      await runUp({ site, port: portOf(options.port), ...(options.with ? { with: options.with } : {}) });
      done(exit.ok);
    });
  program
    .command('adopt')
    .description('take over a running HAProxy or NGINX without a lost request; Ctrl-C hands it back')
    .argument('<file>', 'the text that it runs: haproxy.cfg or nginx.conf')
    .option('--name <name>', "the site's name; else this machine's")
    .option('--wait <seconds>', 'how long its open connections may take to end by themselves', '60')
    .option('--dry-run', 'only say what was found and what would be different; touch nothing')
    .option('--port <port>', 'port of the API on 127.0.0.1', '4790')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast adopt /etc/haproxy/haproxy.cfg --dry-run\n  holdfast adopt /etc/haproxy/haproxy.cfg\n  holdfast adopt /etc/nginx/nginx.conf --wait 300\n',
    )
    .action(async (file: string, options: AdoptFlags) => {
      const { runAdopt } = await import('./adopt.ts');
      await runAdopt({
        file,
        port: portOf(options.port),
        waitMs: secondsOf(options.wait),
        dryRun: options.dryRun === true,
        ...(options.name ? { name: options.name } : {}),
      });
      done(exit.ok);
    });
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
      const { release } = await import('./release.ts');
      const { site, command } = options;
      await release({
        waitMs: secondsOf(options.wait),
        say: (line) => process.stdout.write(`${line}\n`),
        ...(site ? { site } : {}),
        ...(command ? { command } : {}),
      });
      done(exit.ok);
    });
  program
    .command('replay')
    .description("the founding postmortem's incident, on the usual stack and on Holdfast, side by side")
    .option('--speed <speed>', 'intervals of the usual monitoring: default (2 minutes) or tuned')
    .option('--quick', 'the same as --speed tuned')
    .option('--rate <rate>', 'requests a second', '200')
    .option('--json', 'one JSON document on standard output, nothing else there (docs/cli.md)')
    .addHelpText('after', '\nExamples:\n  holdfast replay --quick\n  holdfast replay --json\n')
    .action(async (options: ReplayOptions) => {
      const { runReplay } = await import('./replay.ts');
      await runReplay(options);
      done(exit.ok);
    });
  internal(program);
}

/** Started by `up` or by systemd, never typed. */
function internal(program: Command): void {
  program
    .command('agent', { hidden: true })
    .requiredOption('--site <name>')
    .requiredOption('--balancer <name>')
    .action(async (options: { readonly site: string; readonly balancer: string }) => {
      const { runAgent } = await import('./agent.ts');
      await runAgent(options);
    });
  program
    .command('holder', { hidden: true })
    .requiredOption('--folder <path>')
    .action(async (options: { readonly folder: string }) => {
      const { runHolder } = await import('./holder.ts');
      await runHolder(options);
    });
  program
    .command('controller', { hidden: true })
    .requiredOption('--site <name>')
    .option('--port <port>', 'port of the API on 127.0.0.1', '4790')
    .option('--balancer <name>', 'again for each', (name: string, all: string[]) => [...all, name], [])
    .action(
      async (options: {
        readonly site: string;
        readonly port: string;
        readonly balancer: readonly string[];
      }) => {
        const { runController } = await import('./controller.ts');
        const paths = sitePaths(options.site);
        await asChild(join(paths.run, 'controller.pid'), () =>
          runController({
            siteName: options.site,
            balancers: options.balancer,
            paths,
            apiPort: portOf(options.port),
          }),
        );
      },
    );
}

const waitSecondsMax = 86_400;

function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0 && seconds <= waitSecondsMax) return seconds * 1_000;
  throw new Failure('HF013', `--wait: expected seconds from 0 to ${waitSecondsMax}, got "${text}"`);
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Failure('HF013', `--port: expected a whole number from 0 to 65535, got "${text}"`);
}
