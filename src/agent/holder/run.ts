import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type Handlers,
  identify,
  jsonLog,
  type Log,
  type ProcessIdentity,
  serveWire,
  signal,
  systemClock,
} from '#base';
import { Holder } from './holder.ts';
import { systemMachine } from './machine.ts';
import { holderClient } from './protocol.ts';

/** Slices are cut to the millisecond while engines use every core. */
const priority = -10;

/** The holder's process. `folder` is the balancer's run folder. It ends by `shutdown`; any other end leaves the engines running. */
export async function runHolder(options: { folder: string; unusedMsMax?: number }): Promise<void> {
  const log = jsonLog('holder');
  const socketPath = join(options.folder, 'holder.sock');
  mkdirSync(dirname(socketPath), { recursive: true });
  try {
    setPriority(priority);
  } catch {
    log.warn('no right to raise the priority; slices will be less exact under load');
  }
  if (await answers(socketPath)) {
    log.info('another holder already holds', { socketPath });
    process.exit(0);
  }
  endPredecessor(options.folder, log);
  const holder = new Holder({
    machine: systemMachine(join(options.folder, 'holder.json')),
    clock: systemClock,
    log,
    ...(options.unusedMsMax === undefined ? {} : { unusedMsMax: options.unusedMsMax }),
    exit: () => process.exit(0),
  });
  rmSync(socketPath, { force: true });
  process.umask(0o077);
  serveWire(holder.calls as unknown as Handlers).listen(socketPath, () =>
    log.info('holding', { socketPath }),
  );
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGHUP', () => {});
}

/** One that hangs must not wake up later and signal engines that are another's by then. */
function endPredecessor(folder: string, log: Log): void {
  const before = holderOf(folder);
  if (before && signal(before, 'SIGKILL'))
    log.warn('the holder before this one hung and was killed', { ...before });
  writeFileSync(pidFile(folder), JSON.stringify(identify(process.pid)), { mode: 0o600 });
}

function pidFile(folder: string): string {
  return join(folder, 'holder.pid');
}

/** Null: there was none, or it died while it wrote. */
function holderOf(folder: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(pidFile(folder), 'utf8')) as ProcessIdentity;
  } catch {
    return null;
  }
}

async function answers(socketPath: string): Promise<boolean> {
  const client = holderClient(socketPath);
  try {
    await client.call('status', {}, 500);
    return true;
  } catch {
    return false;
  } finally {
    client.close();
  }
}
