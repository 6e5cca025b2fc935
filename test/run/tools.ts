import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What tests, proofs and bench run for real: the command, or the file by its whole path, that must be there, and the Debian package that has it. */
export const tools = {
  haproxy: 'haproxy',
  nginx: 'nginx',
  '/usr/lib/nginx/modules/ngx_stream_module.so': 'libnginx-mod-stream',
  prometheus: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  openssl: 'openssl',
  ps: 'procps',
  socat: 'socat',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
} as const satisfies Record<string, string>;

/** Debian's packages start their service when installed, unless this script answers 101. */
const policyFile = '/usr/sbin/policy-rc.d';
const policyAside = `${policyFile}.before-holdfast`;
export const adminFolders = ['/usr/sbin', '/sbin', '/usr/local/sbin'];

export function missingPackages(wanted: Readonly<Record<string, string>> = tools): string[] {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...adminFolders];
  const isThere = (command: string) =>
    command.startsWith('/')
      ? existsSync(command)
      : folders.some((folder) => {
          try {
            accessSync(join(folder, command), constants.X_OK);
            return true;
          } catch {
            return false;
          }
        });
  return Object.entries(wanted)
    .filter(([command]) => !isThere(command))
    .map(([, debianPackage]) => debianPackage);
}

/** The one line that a person types. */
export function installLine(packages: readonly string[]): string {
  return `sudo apt-get install --no-install-recommends -y ${packages.join(' ')}`;
}

/** True when nothing is missing in the end. Says what it brings, or what is missing and the line that installs it. */
export function bringTools(
  say: (line: string) => void,
  wanted: Readonly<Record<string, string>> = tools,
): boolean {
  const missing = missingPackages(wanted);
  if (missing.length === 0) return true;
  const may = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (may) {
    say(`Bringing from Debian, with no service started: ${missing.join(' ')}`);
    withoutServices(() => {
      apt(['update']);
      apt(['install', '--no-install-recommends', '-y', ...missing]);
    });
  }
  const still = missingPackages(wanted);
  if (still.length === 0) return true;
  say(`The tests run real load balancers and tools. Missing here: ${still.join(', ')}`);
  say(`Install them: ${installLine(still)}`);
  return false;
}

function apt(args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(
    'apt-get',
    ['-q', '-o', 'DPkg::Lock::Timeout=180', '-o', 'Acquire::Retries=3', ...args],
    { encoding: 'utf8', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } },
  );
  if (status !== 0) process.stderr.write(`apt-get ${args.join(' ')} failed:\n${stdout}${stderr}`);
}

const ourPolicy = '#!/bin/sh\n# Set by the tests of Holdfast while they install packages.\nexit 101\n';

/** An owner's own policy is put aside for the while, and put back; so is one that a killed run left aside. */
function withoutServices(work: () => void): void {
  const isOwners = existsSync(policyFile) && readFileSync(policyFile, 'utf8') !== ourPolicy;
  if (isOwners) renameSync(policyFile, policyAside);
  writeFileSync(policyFile, ourPolicy, { mode: 0o755 });
  // Ctrl-C reaches apt-get too and ends it; we stay to tidy up.
  const stay = () => {};
  process.on('SIGINT', stay).on('SIGTERM', stay);
  try {
    work();
  } finally {
    rmSync(policyFile, { force: true });
    if (existsSync(policyAside)) renameSync(policyAside, policyFile);
    process.off('SIGINT', stay).off('SIGTERM', stay);
  }
}
