import type { Clock } from '#base';
import type { EngineControl } from '#engines';
import type { Site } from '#model';
import { probeServer } from '#probe';

/** What has to be shown before an engine is killed or replaced. */
const lastWordMs = 500;
/** Of its last chance. A process that hangs waits for no processor at all. */
const starvedShare = 0.2;
/** Longer than that nobody waits, whatever the machine does. */
const starvedMsMax = 4_000;
const serversAskedMax = 8;

/**
 * One more chance, longer than a tick's; and more of them while it, or we, were kept off the processor for a good part of
 * the last one: a machine that is out of breath makes everybody silent, and to kill what is well would lose what it carries.
 * `waited`: for how long they were, in all.
 */
export async function answers(
  control: Pick<EngineControl, 'state'>,
  clock: Clock,
  waited: () => number,
): Promise<boolean> {
  const began = clock.monotonicMs();
  for (;;) {
    const before = waited();
    if (await settled(control.state(lastWordMs))) return true;
    const isStarved = waited() - before > lastWordMs * starvedShare;
    if (!isStarved || clock.monotonicMs() - began > starvedMsMax) return false;
  }
}

/** Whether at least one server is good when asked directly: else the engine is not what is wrong. The first good one decides. */
export async function anyServerAnswers(site: Site, clock: Clock): Promise<boolean> {
  const asked = site.pools
    .flatMap((pool) => pool.servers.slice(0, 2).map((server) => ({ pool, server })))
    .slice(0, serversAskedMax);
  return await any(asked.map(async ({ pool, server }) => (await probeServer(server, pool, clock)).ok));
}

async function settled(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    () => false,
  );
}

/** The first that is so decides. */
async function any(all: readonly Promise<boolean>[]): Promise<boolean> {
  const good = all.map(async (one) => {
    if (!(await one)) throw new Error('not so');
  });
  return await settled(Promise.any(good));
}
