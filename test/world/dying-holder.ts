/** A holder's process that kills itself at one step of the next generation's start: `dying-holder.ts FOLDER STEP`. */
import { join } from 'node:path';
import { type Handlers, jsonLog, serveWire, systemClock } from '#base';
import { Holder } from '../../src/agent/holder/holder.ts';
import { systemMachine } from '../../src/agent/holder/machine.ts';
import type { DeathStep } from './held.ts';

const [, , folder = '', step] = process.argv as [string, string, string, DeathStep];
const machine = systemMachine(join(folder, 'holder.json'));
const die = () => process.kill(process.pid, 'SIGKILL');
const holder = new Holder({
  machine: {
    ...machine,
    start(...of) {
      const started = machine.start(...of);
      if (step === 'spawned') die();
      const begin = () => {
        if (step === 'written') die();
        started.begin();
        die();
      };
      return { ...started, begin };
    },
  },
  clock: systemClock,
  log: jsonLog('holder'),
  exit: () => process.exit(0),
});
serveWire(holder.calls as unknown as Handlers).listen(join(folder, 'holder.sock'));
