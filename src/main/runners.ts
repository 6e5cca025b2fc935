import { join } from 'node:path';
import type { Command } from 'commander';
import { sitePaths } from '#base';
import { type Exit, exit } from '#cli';
import { adoption } from './adoption-commands.ts';
import { bundle } from './bundle-command.ts';
import { asChild } from './children.ts';
import {
  hostPortOf,
  monitorHelp,
  onCallHelp,
  portOf,
  reportsHelp,
  reviewHelp,
  reviewStandard,
} from './port.ts';
import type { ReplayOptions } from './replay.ts';

interface UpFlags {
  readonly with?: string;
  readonly port: string;
  readonly reports?: string;
  readonly review: string;
  readonly oncall?: string;
  readonly monitor?: string;
}

/** The commands that run things: each loads its own part, so that `holdfast check` does not load the holder's. */
export function runners(
  program: Command,
  done: (code: Exit) => void,
  onlySite: () => string | null = () => null,
): void {
  program
    .command('up')
    .description('run the site on this machine')
    .argument('[site]', 'site file', 'site.yaml')
    .option('--with <servers>', "a program that runs the site's own servers beside it, for trying out")
    .option('--port <port>', 'port of the API on 127.0.0.1', '4790')
    .option('--reports <address>', reportsHelp)
    .option('--review <cron>', reviewHelp, reviewStandard)
    .option('--oncall <file>', onCallHelp)
    .option('--monitor <file>', monitorHelp)
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast up site.yaml\n  holdfast up examples/shop/site.yaml --with examples/shop/servers.ts\n',
    )
    .action(async (site: string, options: UpFlags) => {
      const [{ controllerFlags }, { runUp }] = await Promise.all([import('./flags.ts'), import('./up.ts')]);
      const controller = await controllerFlags(options, site);
      await runUp({ site, controller, ...(options.with ? { with: options.with } : {}) });
      done(exit.ok);
    });
  adoption(program, done);
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
  bundle(program, onlySite, done);
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
    .option('--reports <address>')
    .option('--review <cron>', reviewHelp, reviewStandard)
    .option('--oncall <file>')
    .option('--monitor <file>')
    .option('--balancer <name>', 'again for each', (name: string, all: string[]) => [...all, name], [])
    .action(
      async (options: {
        readonly site: string;
        readonly port: string;
        readonly reports?: string;
        readonly review: string;
        readonly oncall?: string;
        readonly monitor?: string;
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
            reviews: options.review,
            ...(options.oncall ? { onCall: options.oncall } : {}),
            ...(options.monitor ? { monitor: options.monitor } : {}),
            ...(options.reports ? { reports: hostPortOf('--reports', options.reports) } : {}),
          }),
        );
      },
    );
}
