import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, messageOf } from '#base';

/** systemd, as far as an adoption needs it. */
export interface ServiceManager {
  /**
   * Ends a unit for good by this signal: a service with `Restart=always` that ends by itself comes back, one that was
   * stopped does not. Resolves when systemd has taken it on; the service may take long to end.
   */
  stopGently(unit: string, signal: string): Promise<void>;
  /** Starts it as ever. Resolves when systemd says that it runs. */
  start(unit: string): Promise<void>;
}

const callMsMax = 100_000;
const dropIn = '50-holdfast-adopted.conf';

/** `systemctl` and the folder of drop-ins that last until the next boot. */
export function systemd(command = 'systemctl', folder = '/run/systemd/system'): ServiceManager {
  const call = (...args: string[]) =>
    new Promise<void>((resolve, reject) => {
      execFile(command, args, { timeout: callMsMax }, (error, _, stderr) =>
        error
          ? reject(new Failure('HF502', `${command} ${args.join(' ')}: ${stderr.trim() || messageOf(error)}`))
          : resolve(),
      );
    });
  const file = (unit: string) => join(folder, `${unit}.d`, dropIn);

  return {
    async stopGently(unit, signal) {
      mkdirSync(join(folder, `${unit}.d`), { recursive: true });
      // Its own KillSignal would break open connections off.
      writeFileSync(
        file(unit),
        `# Written by holdfast adopt, removed by holdfast release.\n[Service]\nExecStop=\nKillMode=mixed\nKillSignal=${signal}\nTimeoutStopSec=infinity\n`,
      );
      await call('daemon-reload');
      await call('stop', '--no-block', unit);
    },
    async start(unit) {
      if (existsSync(file(unit))) {
        rmSync(file(unit));
        await call('daemon-reload');
      }
      await call('start', unit);
    },
  };
}
