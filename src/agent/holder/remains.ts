import { isGroupAlive, type ProcessIdentity, signalGroup } from '#base';
import { engines } from '#engines';
import type { GenerationSpec } from './protocol.ts';

const lookEveryMs = 20;
/** What is under way in a process whose main process has died gets this long. */
const gentleMsMax = 30_000;

/**
 * Processes that outlive the one that the holder knows: NGINX's workers go on accepting without their master. They may,
 * until another generation accepts (`isServed`); then they end gently, and at last by force. `over` is called once, when
 * nothing is left.
 */
export function endRemains(options: {
  readonly spec: GenerationSpec;
  readonly leader: ProcessIdentity;
  readonly isServed: () => boolean;
  readonly over: () => void;
}): void {
  const { spec, leader, isServed, over } = options;
  const engine = engines[spec.engine];
  let toldAt: number | null = null;
  const look = () => {
    if (engine.endOrphans === undefined || !isGroupAlive(leader)) return over();
    if (toldAt === null && isServed()) {
      toldAt = performance.now();
      void engine.endOrphans(leader, spec.control);
    }
    if (toldAt !== null && performance.now() - toldAt > gentleMsMax) signalGroup(leader, 'SIGKILL');
    setTimeout(look, lookEveryMs).unref();
  };
  look();
}
