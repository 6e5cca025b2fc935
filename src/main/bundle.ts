import { execFile } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { release as kernel, tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Failure, messageOf, type SitePaths, sitePaths } from '#base';
import { findApi } from '#cli';
import type { SiteText } from '#contract';
import { redactor } from '#incidents';
import { siteFile } from './places.ts';

export interface BundleOptions {
  readonly site: string;
  readonly version: string;
  /** An incident whose report is put in too. */
  readonly incident?: string;
  /** The archive that is written; what stands for what is written beside it. */
  readonly out: string;
}

export interface Bundle {
  readonly file: string;
  /** What stands for what in it: for the team alone. */
  readonly names: string;
  readonly contains: readonly { readonly name: string; readonly bytes: number }[];
  readonly replaced: number;
  /** What could not be had, with why. */
  readonly missing: readonly string[];
}

const logBytesMax = 256 * 1024;
const logsMax = 40;
const journalEntriesMax = 500;
const commandMsMax = 20_000;

type Part = readonly [name: string, text: string];

/**
 * What a vendor's engineers ask for first, in one archive: versions and build options, the text that runs, logs, the
 * journal's last entries and the incident's report; secrets and names replaced. Works as far as it can with everything down.
 * @throws Failure HF003 when the archive cannot be written.
 */
export async function writeBundle(options: BundleOptions): Promise<Bundle> {
  const paths = sitePaths(options.site);
  const missing: string[] = [];
  const optional = async (what: string, get: () => Promise<Part[]> | Part[]): Promise<Part[]> => {
    try {
      return await get();
    } catch (error) {
      missing.push(`${what}: ${messageOf(error)}`);
      return [];
    }
  };
  const parts = [
    ...(await versions(options.version, missing)),
    ...(await optional('the text that runs', () => texts(paths))),
    ...(await optional('what the controller says', () => told(options, missing))),
    ...(await optional('logs', () => logs(paths))),
  ];
  const redact = redactor();
  const redacted: Part[] = parts.map(([name, text]) => [name, redact(text)]);
  const files: Part[] = [['README.md', readMe(redacted, missing)], ...redacted];
  const file = resolve(options.out);
  const names = file.replace(/(\.tar\.gz)?$/, '.names.json');
  await archive(file, files);
  writeFileSync(names, `${JSON.stringify(Object.fromEntries(redact.names), null, 2)}\n`, { mode: 0o600 });
  return {
    file,
    names,
    contains: files.map(([name, text]) => ({ name, bytes: Buffer.byteLength(text) })),
    replaced: redact.names.size,
    missing,
  };
}

async function versions(holdfast: string, missing: string[]): Promise<Part[]> {
  const system = [
    `holdfast ${holdfast}`,
    `node ${process.version}`,
    `kernel ${kernel()} ${process.arch}`,
    existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '',
  ].join('\n');
  const engines = await Promise.all(
    [['haproxy', '-vv'] as const, ['nginx', '-V'] as const].map(async ([engine, option]) => {
      const output = await outputOf(engine, option).catch((error) => {
        missing.push(`${engine} ${option}: ${messageOf(error)}`);
        return null;
      });
      return output === null ? [] : [[`versions/${engine}.txt`, output] as const];
    }),
  );
  return [['versions/system.txt', system], ...engines.flat()];
}

function outputOf(file: string, ...args: string[]): Promise<string> {
  return new Promise((done, reject) => {
    execFile(file, args, { timeout: commandMsMax }, (error, stdout, stderr) =>
      error ? reject(new Error(messageOf(error).split('\n')[0])) : done(`${stdout}${stderr}`),
    );
  });
}

/** As it was promoted last, with what it includes. */
function texts(paths: SitePaths): Part[] {
  const { file, text, includes = [] } = JSON.parse(readFileSync(siteFile(paths), 'utf8')) as SiteText;
  return [
    [`text/${basename(file)}`, text],
    ...includes.map((one): Part => [`text/includes${one.path.replaceAll(/\.\.+/g, '.')}`, one.text]),
  ];
}

async function told({ site, incident }: BundleOptions, missing: string[]): Promise<Part[]> {
  const api = findApi(process.env, site);
  const status = await api.get('/v1/status');
  const { journal } = status as { readonly journal: { readonly entries: number } };
  const after = Math.max(0, journal.entries - journalEntriesMax);
  const { entries } = await api.get<{ readonly entries: readonly unknown[] }>(`/v1/journal?after=${after}`);
  const parts: Part[] = [
    ['status.json', `${JSON.stringify(status, null, 2)}\n`],
    ['journal.jsonl', `${entries.map((entry) => JSON.stringify(entry)).join('\n')}\n`],
  ];
  if (incident === undefined) return parts;
  try {
    const text = await api.text(`/v1/incidents/${encodeURIComponent(incident)}/postmortem`);
    return [...parts, ['incident.md', text]];
  } catch (error) {
    missing.push(`the report of ${incident}: ${messageOf(error)}`);
    return parts;
  }
}

/** The end of each: what was written last is what matters. */
function logs(paths: SitePaths): Part[] {
  const found = readdirSync(paths.run, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.log'),
  );
  return found
    .toSorted()
    .slice(0, logsMax)
    .map((name): Part => [join('logs', relative('.', name)), tailOf(join(paths.run, name))]);
}

function tailOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, logBytesMax));
    const read = readSync(file, bytes, 0, bytes.length, Math.max(0, size - logBytesMax));
    const text = bytes.subarray(0, read).toString('utf8');
    return size > logBytesMax ? `(the last ${logBytesMax} of ${size} bytes)\n${text}` : text;
  } finally {
    closeSync(file);
  }
}

function readMe(parts: readonly Part[], missing: readonly string[]): string {
  return `# Support bundle

Secrets are taken out (SECRET). Names of hosts, domains, addresses and people are replaced, the same name by the same
stand-in in every file; addresses are from the ranges for documentation (192.0.2.0/24 and on).

${parts.map(([name]) => `- ${name}`).join('\n')}
${missing.length === 0 ? '' : `\nCould not be had:\n\n${missing.map((line) => `- ${line}`).join('\n')}\n`}`;
}

async function archive(file: string, parts: readonly Part[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bundle-'));
  try {
    for (const [name, text] of parts) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    await outputOf('tar', '--owner=0', '--group=0', '--mode=u=rwX,go=', '-czf', file, '-C', folder, '.');
  } catch (error) {
    throw new Failure('HF003', `${file} cannot be written: ${messageOf(error)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
