import { after, type Clock, type Log, type ProcessIdentity } from '#base';
import type { HolderMachine } from './machine.ts';

interface Ending {
  readonly clock: Clock;
  readonly log: Log;
  readonly isUsed: () => boolean;
  readonly exit: () => void;
}

const lookEveryMs = 20;

/** Ends a holder that holds nothing and that nobody has asked for so long: whoever started it was killed before it could say what for. */
export function endWhenUnused(of: Ending & { readonly msMax: number; readonly askedMs: () => number }): void {
  const { clock, log, msMax, isUsed, askedMs, exit } = of;
  const look = () => {
    if (isUsed() || clock.monotonicMs() - askedMs() < msMax) return;
    log.warn('nothing is held, and nobody asks for anything');
    exit();
  };
  const again = () => {
    look();
    after(clock, Math.min(msMax, 1_000), again);
  };
  after(clock, Math.min(msMax, 1_000), again);
}

/** Ends it with the process that began it, unless it is used by then: sockets on which nobody would accept must not stay open. */
export async function endAfter(
  begun: ProcessIdentity,
  { clock, log, isUsed, exit, machine }: Ending & { readonly machine: HolderMachine },
): Promise<void> {
  while (machine.isAlive(begun)) await clock.sleep(lookEveryMs);
  if (isUsed()) return;
  log.warn('whoever wanted these sockets has ended, and nobody accepts on them', { ...begun });
  machine.forget();
  exit();
}
