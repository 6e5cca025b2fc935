import { isGroupAlive, type ProcessIdentity, signalGroup } from '#base';
import { engines } from '#engines';
import type { EngineName } from '#model';

const lookEveryMs = 20;
/** What is under way in a process whose main process has died gets this long. */
const gentleMsMax = 30_000;

/**
 * Processes that outlive the one that the holder knows: NGINX's workers go on accepting without their master. They may,
 * until another generation accepts (`isServed`); then they end gently, and at last by force.
 */
export function endRemains(
  { engine, leader }: { readonly engine: EngineName; readonly leader: ProcessIdentity },
  isServed: () => boolean,
): void {
  const { orphansEndBy } = engines[engine];
  if (orphansEndBy === undefined) return;
  let toldAt: number | null = null;
  const timer = setInterval(() => {
    if (!isGroupAlive(leader)) return clearInterval(timer);
    if (toldAt === null && isServed()) {
      toldAt = performance.now();
      signalGroup(leader, orphansEndBy);
    }
    if (toldAt !== null && performance.now() - toldAt > gentleMsMax) signalGroup(leader, 'SIGKILL');
  }, lookEveryMs);
  timer.unref();
}
