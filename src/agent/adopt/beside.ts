import { join } from 'node:path';
import type { Beside } from '#contract';
import type { GuardRecord } from '#events';
import { loadState } from '../holder/state.ts';
import { cutOff, isHandedOver } from './handover.ts';
import { listeningSockets, processIds, sameHost, socketsOf } from './listening.ts';
import { mainOf, wordsOf } from './processes.ts';
import { unitOf } from './service.ts';

export interface BesideWatch {
  /** Who listens on the site's addresses and is not of it. */
  readonly found: readonly Beside[];
  /** An adoption or a handing back whose process was killed. */
  readonly unfinished: ReturnType<typeof cutOff>;
  /** Looks once. */
  look(): void;
}

/**
 * A second process on an address would get a part of the new connections: a service that came back by itself, say.
 * Looking costs two small files of /proc; only what is new is looked for in all processes.
 */
export function watchBeside(options: {
  readonly run: string;
  readonly record: (what: GuardRecord['what']) => void;
  /** All new connections to ours, as far as the kernel lets us say so. */
  readonly steerToOurs: () => void;
}): BesideWatch {
  const { run, record, steerToOurs } = options;
  let found: readonly (Beside & { readonly inode: string })[] = [];

  function look(): void {
    const { sockets } = loadState(join(run, 'holder.json'));
    const ours = new Set(sockets.map(({ inode }) => inode));
    // Between two holders nothing is known to be ours.
    if (ours.size === 0 || isHandedOver(run)) return;
    const now = listeningSockets().filter(
      (one) =>
        !ours.has(one.inode) &&
        sockets.some(({ host, port }) => one.port === port && one.host === sameHost(host)),
    );
    for (const gone of found.filter((one) => now.every(({ inode }) => inode !== one.inode)))
      record({ kind: 'beside', ...told(gone), gone: true });
    found = found.filter((one) => now.some(({ inode }) => inode === one.inode));
    for (const fresh of now.filter((one) => found.every(({ inode }) => inode !== one.inode))) {
      steerToOurs();
      const who = { inode: fresh.inode, ...describe(fresh) };
      found = [...found, who];
      record({ kind: 'beside', ...told(who), gone: false });
    }
  }

  return {
    look,
    get found() {
      return found.map(({ inode, ...rest }) => rest);
    },
    get unfinished() {
      return cutOff(run);
    },
  };
}

function told({ address, pid, command, unit }: Beside): Omit<Beside, 'remedy'> {
  return { address, pid, command, unit };
}

function describe({ host, port, inode }: { host: string; port: number; inode: string }): Beside {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const one = processIds().find((pid) => socketsOf(pid)?.has(inode));
  if (one === undefined)
    return {
      address,
      pid: 0,
      command: 'unknown',
      unit: null,
      remedy: `See who: ss -ltnp 'sport = :${port}'`,
    };
  const pid = mainOf(one);
  const unit = unitOf(pid);
  const remedy = unit === null ? `kill ${pid}` : `systemctl disable --now ${unit}`;
  return { address, pid, command: wordsOf(pid, 'cmdline').join(' '), unit, remedy };
}
