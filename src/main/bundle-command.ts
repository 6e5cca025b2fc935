import type { Command } from 'commander';
import { Failure } from '#base';
import { type Exit, exit } from '#cli';

interface BundleFlags {
  readonly site?: string;
  readonly out: string;
  readonly json?: boolean;
}

/** `holdfast bundle`: what the escalation step "vendor" sends. */
export function bundle(program: Command, only: () => string | null, done: (code: Exit) => void): void {
  program
    .command('bundle')
    .description("write what a vendor's support needs, with secrets and names replaced")
    .argument('[incident]', 'an incident whose report is put in too')
    .option('--site <name>', 'which site, when several are known on this machine')
    .option('--out <file>', 'the archive', 'holdfast-bundle.tar.gz')
    .option('--json', 'one JSON document on standard output, nothing else there (docs/cli.md)')
    .addHelpText(
      'after',
      '\nExamples:\n  holdfast bundle\n  holdfast bundle inc-3 --out for-the-vendor.tar.gz\n',
    )
    .action(async (incident: string | undefined, { site = only() ?? undefined, out, json }: BundleFlags) => {
      if (site === undefined)
        throw new Failure(
          'HF402',
          'no site, or several, are known on this machine',
          'Say which: --site NAME.',
        );
      const { writeBundle } = await import('./bundle.ts');
      const version = program.version() ?? '';
      const made = await writeBundle({ site, version, out, ...(incident ? { incident } : {}) });
      if (json) process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
      else {
        for (const line of made.missing) process.stdout.write(`  left out: ${line}\n`);
        process.stdout.write(
          `${made.file}: ${made.contains.length} files, ${made.replaced} names replaced.\n`,
        );
        process.stdout.write(`  What stands for what is in ${made.names}: keep that one.\n`);
      }
      done(exit.ok);
    });
}
