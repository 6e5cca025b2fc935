import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine, EngineBinary } from '#engines';

/** Debian's releases beside the one that is installed. Each one's packages are unpacked, with all that they need; nothing is installed. */
export const releases = [
  { name: 'bullseye', label: 'Debian 11' },
  { name: 'trixie', label: 'Debian 13' },
  { name: 'sid', label: 'Debian unstable' },
] as const;

export type Release = (typeof releases)[number];

const mirror = 'http://deb.debian.org/debian';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const aptMsMax = 180_000;

/** Package by the engine's name. The built-in one is ours. */
const packages: Readonly<Record<string, readonly string[]>> = {
  haproxy: ['haproxy'],
  nginx: ['nginx-light', 'libnginx-mod-stream'],
};
const laterPackages: typeof packages = { nginx: ['nginx', 'libnginx-mod-stream'] };

/** Brings the release's engines under `folder`, their signatures checked. Throws with apt's own words. */
export function bringRelease({ name }: Release, folder: string, engines: readonly Engine[]): void {
  const root = join(folder, name);
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'root'])
    mkdirSync(join(root, part), { recursive: true });
  // As if nothing were installed: so everything is brought, the C library too.
  writeFileSync(join(root, 'status'), '');
  writeFileSync(join(root, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${name} main\n`);
  const apt = (...args: readonly string[]) => run('apt-get', ['-q', '-y', ...aptOptions(root), ...args]);
  apt('update');
  const wanted = engines.flatMap((engine) => packagesOf(engine, name));
  apt('install', '--no-install-recommends', '--download-only', ...wanted);
  for (const archive of globSync(join(root, 'cache/archives/*.deb')))
    run('dpkg', ['-x', archive, join(root, 'root')]);
}

function packagesOf({ name }: Engine, release: string): readonly string[] {
  return (release === 'sid' ? laterPackages[name] : undefined) ?? packages[name] ?? [];
}

function aptOptions(root: string): string[] {
  const settings = {
    'Dir::Etc::sourcelist': join(root, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State': join(root, 'state'),
    'Dir::State::status': join(root, 'status'),
    'Dir::Cache': join(root, 'cache'),
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** The release's own binary under its own C library. Null where it has none. */
export function binaryOf({ name }: Release, engine: Engine, folder: string): EngineBinary | null {
  const root = join(folder, name, 'root');
  const program = join(root, 'usr/sbin', engine.name);
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((part) => join(root, part));
  const [loader] = libraries.flatMap((library) =>
    globSync(join(library, 'ld-{linux-x86-64.so.2,2.[0-9][0-9].so}')),
  );
  if (!existsSync(program) || loader === undefined) return null;
  const path = join(folder, name, engine.name);
  const script = `#!/bin/sh\nexec ${loader} --library-path ${libraries.join(':')} ${program} "$@"\n`;
  writeFileSync(path, script, { mode: 0o755 });
  const { stdout, stderr } = spawnSync(path, ['-v'], { encoding: 'utf8' });
  const version = /(?:version |nginx\/)(\d+\.\d+\.\d+)/.exec(`${stdout}${stderr}`)?.[1];
  const streamModules = globSync(join(root, 'usr/lib/nginx/modules/ngx_stream_module.so'));
  const modules = engine.name === 'nginx' && streamModules.length > 0 ? { streamModules } : {};
  return version === undefined ? null : { path, version, ...modules };
}

function run(command: string, args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(command, [...args], { encoding: 'utf8', timeout: aptMsMax });
  if (status !== 0)
    throw new Error(`${command} ${args.slice(-4).join(' ')}: ${`${stdout}${stderr}`.trim().slice(-400)}`);
}
