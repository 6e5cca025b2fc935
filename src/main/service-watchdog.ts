import { messageOf } from '#base';

/** Beats within the time that systemd gives. */
const beats = 4;

/**
 * Where systemd watches this process (`WatchdogSec=`), tells it that the event loop turns, until the process ends. What
 * it starts hears nothing of that: systemd listens to its main process alone.
 */
export async function beatForService(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: withinUs, WATCHDOG_PID: pid } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (!socket || !withinUs || (pid && Number(pid) !== process.pid)) return;
  try {
    const { datagramSender } = await import('./datagram.ts');
    const beat = datagramSender(socket, 'WATCHDOG=1');
    beat();
    setInterval(beat, Number(withinUs) / 1_000 / beats).unref();
  } catch (error) {
    process.stderr.write(`systemd is not told that this process lives: ${messageOf(error)}\n`);
  }
}
