import type { Command } from 'commander';
import { type Diagnostic, Failure, formatDiagnostic } from '#base';
import { siteHash } from '#model';
import { type CommonOptions, contextOf, type Exit, exit, withExamples } from '../command.ts';
import type { Io } from '../io.ts';
import { readLocally } from '../site-text.ts';

interface Checked {
  readonly file: string;
  readonly valid: boolean;
  readonly site: string | null;
  readonly hash: string | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** `holdfast check FILE...`: 0 when every file is a site, 1 when one is not. Asks nobody. */
export function check(program: Command, io: Io, done: (code: Exit) => void): void {
  const command = program
    .command('check')
    .description('say whether files are sites, with every mistake in them; changes nothing')
    .argument('<file...>', 'site files');
  withExamples(command, [
    'holdfast check site.yaml',
    'holdfast check --json sites/*.yaml',
    "validate: 'holdfast check %s'   (Ansible)",
  ]);
  command.action(async (files: string[], options: CommonOptions) => {
    const { json, paint, say, result } = contextOf(io, options);
    const checked = await Promise.all(files.map(checkOne));
    for (const one of checked) {
      for (const diagnostic of one.diagnostics) if (!json) io.err(`${formatDiagnostic(diagnostic)}\n`);
      if (one.valid) say(`${paint.good('valid')} ${one.file}: site "${one.site}"`);
      else if (!json) io.err(`${paint.bad('not valid')} ${one.file}\n`);
    }
    const valid = checked.every((one) => one.valid);
    if (json) result({ valid, files: checked });
    done(valid ? exit.ok : exit.refused);
  });
}

async function checkOne(file: string): Promise<Checked> {
  try {
    const { site, diagnostics } = await readLocally(file);
    const hash = site ? siteHash(site) : null;
    return { file, valid: site !== null, site: site?.name ?? null, hash, diagnostics };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, message, remedy } = error;
    const whole = { code, severity: 'error', place: null, path: '', message, remedy } as const;
    return { file, valid: false, site: null, hash: null, diagnostics: [whole] };
  }
}
