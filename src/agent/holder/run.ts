import { mkdirSync, rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { type Handlers, jsonLog, serveWire, systemClock } from '#base';
import { Holder } from './holder.ts';
import { lockHolder } from './lock.ts';
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
  const lock = await lockHolder({
    folder: options.folder,
    answers: () => answers(socketPath),
    clock: systemClock,
  });
  if (lock === null) {
    log.info('another holder already holds', { socketPath });
    process.exit(0);
  }
  for (const before of lock.ended) log.warn('the holder before this one hung and was killed', { ...before });
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
