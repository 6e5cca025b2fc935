import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, groupMembers, type ProcessIdentity, signalGroup, systemClock } from '#base';
import { nginxFirstFd, nginxNames } from '#dialects';
import { askNginx, Silence } from './ask.ts';
import { lead } from './epoll.ts';
import { readFacts } from './facts.ts';
import { flag } from './flag.ts';

/** Before it ends gently, open connections get this long to be led away: it would close those that are idle. */
const leadAwayMsMax = 2_000;
const leadAwayLookMs = 50;
const quietMs = 250;
/** One whose control connections nobody takes up for so long is not busy: it hangs. */
const hungMsMax = 5_000;
const hungLookMs = 1_000;

/**
 * Parked meanwhile. Resolves when nobody is connected and nobody asks any more, by the private entrance either:
 * what is led here from a generation before is not to find it gone; or when time is up, or it does not answer.
 */
export async function leadAway(control: string, park: () => unknown, clock: Clock): Promise<void> {
  const deadline = clock.monotonicMs() + leadAwayMsMax;
  let asked = Number.NaN;
  let quietSince = clock.monotonicMs();
  while (clock.monotonicMs() < deadline) {
    const status = await askNginx(control, nginxNames.control.status, leadAwayMsMax).catch(() => '');
    if (status === '') return;
    const requests = requestsOf(status);
    if (connectionsOf(status) > 0 || requests !== asked + 1) quietSince = clock.monotonicMs();
    asked = requests;
    if (clock.monotonicMs() - quietSince > quietMs) return;
    await park();
    await clock.sleep(leadAwayLookMs);
  }
}

/** Told to end, it closes its control socket. Who neither does that nor answers hangs, and what is in flight in it with it. */
export async function killIfHung(leader: ProcessIdentity, control: string, clock: Clock): Promise<void> {
  const deadline = clock.monotonicMs() + hungMsMax;
  for (;;) {
    const isSilent = await askNginx(control, nginxNames.control.status, hungLookMs).then(
      () => false,
      (error) => error instanceof Silence,
    );
    if (!isSilent) return;
    if (clock.monotonicMs() > deadline) {
      signalGroup(leader, 'SIGKILL');
      return;
    }
  }
}

/** Workers whose master has died go on accepting. Their clients are led to the neighbour first. */
export async function endOrphans(leader: ProcessIdentity, control: string): Promise<void> {
  const folder = dirname(control);
  try {
    const { sockets: count, neighbour } = readFacts(folder);
    const sockets = Array.from({ length: count }, (_, index) => nginxFirstFd + index);
    const park = () => {
      for (const pid of groupMembers(leader.pid)) lead(pid, sockets, 'parked');
    };
    park();
    if (neighbour) chmodSync(join(folder, nginxNames.files.takeBack), flag.set);
    await leadAway(control, park, systemClock);
  } catch {
    // Its folder is gone, or nobody may look into it: then it is told at once.
  }
  signalGroup(leader, 'SIGQUIT');
}

/** Of all sides, this question too. */
function requestsOf(status: string): number {
  return Number(/requests\s+\d+ \d+ (\d+)/.exec(status)?.[1] ?? Number.NaN);
}

/** Connections on which a request is being answered now, without the one that asks. */
export function inHandOf(status: string): number {
  return Math.max(0, Number(/Writing: (\d+)/.exec(status)?.[1] ?? 1) - 1);
}

/** Without the one that asks. */
export function connectionsOf(status: string): number {
  return Math.max(0, Number(/Active connections: (\d+)/.exec(status)?.[1] ?? 1) - 1);
}
