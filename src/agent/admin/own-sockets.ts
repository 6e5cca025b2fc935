import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { type Log, messageOf } from '#base';
import { type ControlAccess, ownDialects } from '#dialects';
import type { Site } from '#model';
import { isHandedOver } from '../adopt/handover.ts';
import { meaningOf } from './commands.ts';
import { adminServer } from './socket.ts';

const usualMode = 0o600;

/**
 * The control sockets that a team's own text names (`stats socket /run/haproxy/admin.sock`), at their own paths with
 * their own rights: scripts go on speaking to them. While somebody else answers there, as the engine of a handing back
 * does, it is left alone.
 */
export function serveOwnSockets(parts: {
  readonly run: string;
  readonly site: () => Site;
  readonly command: (command: string) => Promise<string>;
  readonly log: Log;
}): { look(): Promise<void> } {
  const { run, log } = parts;
  const served = new Map<string, { readonly server: Server; readonly inode: number }>();
  const failed = new Map<string, string>();
  let looking = false;

  async function look(): Promise<void> {
    if (looking || isHandedOver(run)) return;
    looking = true;
    try {
      const wanted = controlsOf(parts.site());
      for (const [path, { server }] of served) if (!wanted.has(path)) letGo(path, server);
      for (const [path, access] of wanted) await serve(path, access);
    } finally {
      looking = false;
    }
  }

  async function serve(path: string, access: ControlAccess): Promise<void> {
    const known = served.get(path);
    if (known && known.inode === inodeOf(path)) return;
    if (known) letGo(path, known.server);
    if (await answers(path)) return;
    try {
      const server = await listen(path, access, (command) =>
        mayRun(access, command) ? parts.command(command) : Promise.resolve('Permission denied\n'),
      );
      served.set(path, { server, inode: inodeOf(path) });
      failed.delete(path);
    } catch (error) {
      const why = messageOf(error);
      if (failed.get(path) !== why) log.warn('a control socket of the text is not served', { path, why });
      failed.set(path, why);
    }
  }

  function letGo(path: string, server: Server): void {
    server.close();
    served.delete(path);
  }

  return { look };
}

function controlsOf({ own }: Site): ReadonlyMap<string, ControlAccess> {
  const controls = own ? ownDialects[own.dialect].files(own).filter(({ use }) => use === 'control') : [];
  return new Map(controls.flatMap(({ path, access }) => (access ? [[path, access]] : [])));
}

function mayRun({ level }: ControlAccess, command: string): boolean {
  return level === 'admin' || meaningOf(command).kind === 'reads';
}

/** Under another name first, as HAProxy does it too: whoever connects meets the rights that it is meant to have. */
async function listen(
  path: string,
  { mode, user, group }: ControlAccess,
  run: (command: string) => Promise<string>,
): Promise<Server> {
  // The folder of a service is removed with it.
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  const server = adminServer(run);
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(fresh, () => resolve());
    });
  } finally {
    process.umask(umask);
  }
  chmodSync(fresh, mode === null ? usualMode : Number.parseInt(mode, 8));
  chownSync(fresh, idIn('/etc/passwd', user), idIn('/etc/group', group));
  renameSync(fresh, path);
  return server;
}

/** -1, which changes nothing, where none is named. */
function idIn(file: string, name: string | null): number {
  if (name === null) return -1;
  if (/^\d+$/.test(name)) return Number(name);
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`${name} is not in ${file}`);
  return Number(line.split(':')[2]);
}

function inodeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.ino ?? 0;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (does: boolean) => {
      socket.destroy();
      resolve(does);
    };
    socket.on('error', () => end(false)).on('connect', () => end(true));
  });
}
