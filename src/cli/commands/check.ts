import type { Command } from 'commander';
import { type Diagnostic, Failure, formatDiagnostic } from '#base';
import {
  readCertificateFile,
  readCertificates,
  readSiteFile,
  type Site,
  siteHash,
  type TextDialect,
} from '#model';
import { type CommonOptions, contextOf, dialectOption, type Exit, exit, withExamples } from '../command.ts';
import type { Io } from '../io.ts';
import { type CheckedPolicies, checkPolicyFile, checkStated } from '../policy-check.ts';
import { readLocally } from '../site-text.ts';

/** What an engine says of a text in its own language. @throws Failure HF301 when it is not installed. */
export type AskEngine = (site: Site) => Promise<EngineVerdict>;

interface EngineVerdict {
  readonly engine: string;
  readonly version: string;
  readonly accepted: boolean;
  readonly output: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Lines that an engine under Holdfast has otherwise, each with the reason. */
  readonly rewritten: readonly string[];
}

/** Every mistake of a file beside a site, such as oncall.yaml; null: the text is none. */
export type ReadSettingsFile = (
  text: string,
  file: string,
) => Promise<{
  readonly kind: 'onCall' | 'monitoring';
  readonly diagnostics: readonly Diagnostic[];
  readonly holds: string;
} | null>;

/** Who is asked about what commands do not know themselves. */
export interface CheckParts {
  readonly askEngine: AskEngine | undefined;
  readonly readSettings: ReadSettingsFile | undefined;
}

interface Checked {
  readonly file: string;
  readonly valid: boolean;
  readonly site: string | null;
  readonly dialect: TextDialect;
  readonly hash: string | null;
  readonly diagnostics: readonly Diagnostic[];
  /** Null for a site.yaml. */
  readonly engine: EngineVerdict | null;
  /** Of a policy file: how many cases and policies were held against which text. */
  readonly policies?: Omit<CheckedPolicies, 'diagnostics'>;
  /** Of an on-call file: `2 people, 1 schedule, 1 policy`. */
  readonly onCall?: string;
  /** Of a monitor file: `2 objectives, 3 probes`. */
  readonly monitoring?: string;
}

interface CheckOptions extends CommonOptions {
  readonly dialect?: TextDialect;
}

/** `holdfast check FILE...`: 0 when every file is a site, 1 when one is not. Asks nobody but the engine of an own text. */
export function check(program: Command, io: Io, done: (code: Exit) => void, parts: CheckParts): void {
  const command = program
    .command('check')
    .description('say whether files are sites, with every mistake in them; changes nothing')
    .argument(
      '<file...>',
      'site files; haproxy.cfg and nginx.conf are shown to their engine too; policy files; on-call files; monitor files',
    )
    .addOption(dialectOption());
  withExamples(command, [
    'holdfast check site.yaml',
    'holdfast check --json sites/*.yaml',
    'holdfast check /etc/haproxy/haproxy.cfg',
    'holdfast check policy.yaml',
    'holdfast check oncall.yaml',
    'holdfast check monitor.yaml',
    "validate: 'holdfast check %s'   (Ansible)",
  ]);
  command.action(async (files: string[], options: CheckOptions) => {
    const { json, paint, say, result } = contextOf(io, options);
    const checked = await Promise.all(files.map((file) => checkOne(file, options.dialect, parts)));
    for (const one of checked) {
      for (const line of json ? [] : complaints(one)) io.err(`${line}\n`);
      if (one.valid) for (const line of praise(one, paint.good('valid'))) say(line);
      else if (!json) io.err(`${paint.bad('not valid')} ${one.file}\n`);
    }
    const valid = checked.every((one) => one.valid);
    if (json) result({ valid, files: checked });
    done(valid ? exit.ok : exit.refused);
  });
}

/** The engine's words as they are where it named no line. */
function complaints({ diagnostics, engine }: Checked): string[] {
  const told = diagnostics.map(formatDiagnostic);
  // Where we refuse something ourselves, what it says without a line may come of that.
  const refused = diagnostics.some(({ severity }) => severity === 'error');
  const unplaced = engine && !engine.accepted && engine.diagnostics.length === 0;
  return unplaced && !refused
    ? [...told, `${engine.engine} ${engine.version} does not accept it:`, engine.output]
    : told;
}

function praise({ file, site, engine, policies, onCall, monitoring }: Checked, valid: string): string[] {
  const beside = onCall ?? monitoring;
  if (beside !== undefined) return [`${valid} ${file}: ${beside}`];
  if (policies)
    return [
      `${valid} ${file}: ${policies.cases} cases and ${policies.policies} policies hold of ${policies.text}`,
    ];
  if (!engine) return [`${valid} ${file}: site "${site}"`];
  const lines = engine.rewritten.length;
  return [
    `${valid} ${file}: ${engine.engine} ${engine.version} accepts it`,
    `  under Holdfast ${lines === 1 ? 'one line differs' : `${lines} lines differ`}${lines > 0 ? ':' : ''}`,
    ...engine.rewritten.map((line) => `  ${line}`),
  ];
}

/** The engine's mistakes on other lines than those that are refused already. */
function newTo(told: readonly Diagnostic[], found: readonly Diagnostic[]): readonly Diagnostic[] {
  const at = ({ place }: Diagnostic) => (place ? `${place.file}:${place.line}` : '');
  const lines = new Set(told.filter(({ severity }) => severity === 'error').map(at));
  return found.filter((one) => !lines.has(at(one)));
}

async function checkOne(
  file: string,
  dialect: TextDialect | undefined,
  { askEngine, readSettings }: CheckParts,
): Promise<Checked> {
  const unread = { file, valid: false, site: null, dialect: 'site', hash: null, engine: null } as const;
  try {
    const beside = dialect === undefined ? await readSettings?.((await readSiteFile(file)).text, file) : null;
    if (beside) {
      const { kind, diagnostics, holds } = beside;
      const valid = !diagnostics.some(({ severity }) => severity === 'error');
      return { ...unread, valid, diagnostics, [kind]: holds };
    }
    const held = dialect === undefined ? await checkPolicyFile(file) : null;
    if (held) {
      const { diagnostics, ...policies } = held;
      return { ...unread, valid: diagnostics.length === 0, diagnostics, policies };
    }
    const { read, site, surveyed, diagnostics } = await readLocally(file, dialect);
    const stated = site && (read.dialect ?? 'site') === 'site' ? checkStated(read) : null;
    const hash = site ? siteHash(site, await readCertificates(site, readCertificateFile)) : null;
    const shown = site ?? surveyed;
    const asked = shown?.own && askEngine ? askEngine(shown) : null;
    // Without its engine a text that is refused all the same still gets its mistakes.
    const engine = site ? await asked : await asked?.catch(() => null);
    return {
      file,
      valid: site !== null && engine?.accepted !== false && (stated?.diagnostics.length ?? 0) === 0,
      site: site?.name ?? null,
      dialect: read.dialect ?? 'site',
      hash,
      diagnostics: [
        ...diagnostics,
        ...newTo(diagnostics, engine?.diagnostics ?? []),
        ...(stated?.diagnostics ?? []),
      ],
      engine: engine ?? null,
      ...(stated ? { policies: { cases: stated.cases, policies: stated.policies, text: stated.text } } : {}),
    };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { code, message, remedy, diagnostics } = error;
    const whole = { code, severity: 'error', place: null, path: '', message, remedy } as const;
    return { ...unread, diagnostics: diagnostics.length > 0 ? diagnostics : [whole] };
  }
}
