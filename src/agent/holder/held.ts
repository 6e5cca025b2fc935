import type { ProcessIdentity } from '#base';
import type { EngineControl } from '#engines';
import type { GenerationSpec, HeldGeneration, Role } from './protocol.ts';
import type { SideDriver } from './side.ts';

/** A generation that this holder holds, started by it or found by it. */
export interface Held {
  /** Changes when its servers were changed while it runs. */
  spec: GenerationSpec;
  readonly process: ProcessIdentity;
  readonly control: EngineControl;
  readonly side: SideDriver;
  /** Changes as roles are handed on. */
  role: Role;
  /** Of its draining; a holder that comes after this one gives it as long again. */
  drainMs: number;
  /** What was just started does nothing before this: a holder that dies first, before it has written of it, leaves nothing. */
  begin(): void;
  /** At once, with all of its processes. */
  kill(): void;
}

/** Ends it gently. An open control connection would keep an engine alive that has nothing else to do. */
export async function drain(held: Held, timeoutMs: number): Promise<void> {
  held.side.end();
  try {
    await held.control.drain(timeoutMs);
    held.control.close();
  } catch {
    held.kill();
  }
}

export function describe(held: Held): HeldGeneration {
  return { ...held.spec, role: held.role, pid: held.process.pid, side: held.side.wanted };
}
