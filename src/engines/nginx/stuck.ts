import { readFileSync } from 'node:fs';
import { type Clock, identify, signal } from '#base';

/** A stopped worker answers nobody, and the kernel goes on announcing connections to it. */
const stoppedMsMax = 500;
/** Processor time that a worker may use without once waiting, reading or writing: no request takes as long. */
const spinCpuMsMax = 5_000;
/** USER_HZ: what /proc counts in, on every architecture that Node runs on. */
const tickMs = 10;

interface Seen {
  readonly startTicks: string;
  stoppedSince: number | null;
  spin: { readonly progress: string; readonly cpuMs: number } | null;
}

interface Stat {
  readonly state: string;
  readonly cpuMs: number;
}

/**
 * Ends single workers that hang: stopped, or spinning. Their master starts others. Whatever is in flight in one of them
 * is lost either way; the others serve on. An engine that is stopped as a whole is left to whoever asks it.
 */
export class StuckWorkers {
  readonly #clock: Clock;
  readonly #tell: (what: string) => void;
  readonly #spinCpuMsMax: number;
  readonly #seen = new Map<number, Seen>();

  constructor(options: {
    readonly clock: Clock;
    /** Told of each that was ended, in a sentence. */
    readonly tell: (what: string) => void;
    readonly spinCpuMsMax?: number;
  }) {
    this.#clock = options.clock;
    this.#tell = options.tell;
    this.#spinCpuMsMax = options.spinCpuMsMax ?? spinCpuMsMax;
  }

  /** To be called a few times a second with all of them. */
  look(master: number, workers: readonly number[]): void {
    for (const pid of this.#seen.keys()) if (!workers.includes(pid)) this.#seen.delete(pid);
    const stats = [master, ...workers].map((pid) => statOf(pid));
    if (stats.every((stat) => stat?.state === 'T')) return;
    for (const [index, pid] of workers.entries()) {
      const stat = stats[index + 1];
      if (stat) this.#lookAt(pid, stat);
    }
  }

  #lookAt(pid: number, stat: Stat): void {
    const found = identify(pid);
    if (!found) return;
    const known = this.#seen.get(pid);
    const seen = known?.startTicks === found.startTicks ? known : fresh(found.startTicks);
    this.#seen.set(pid, seen);
    const why = this.#isStopped(seen, stat) ?? this.#isSpinning(seen, pid, stat);
    if (why && signal(found, 'SIGKILL')) this.#tell(`worker ${pid} was killed: ${why}`);
  }

  #isStopped(seen: Seen, { state }: Stat): string | null {
    const now = this.#clock.monotonicMs();
    seen.stoppedSince = state === 'T' ? (seen.stoppedSince ?? now) : null;
    if (seen.stoppedSince === null || now - seen.stoppedSince < stoppedMsMax) return null;
    return `it was stopped for ${Math.round(now - seen.stoppedSince)} ms`;
  }

  /** One that is only busy reads and writes; one that is kept off the processor uses none. */
  #isSpinning(seen: Seen, pid: number, { state, cpuMs }: Stat): string | null {
    const progress = state === 'R' ? progressOf(pid) : null;
    if (progress === null || seen.spin?.progress !== progress) {
      seen.spin = progress === null ? null : { progress, cpuMs };
      return null;
    }
    const spunMs = cpuMs - seen.spin.cpuMs;
    return spunMs < this.#spinCpuMsMax ? null : `it used the processor for ${spunMs} ms and did nothing`;
  }
}

const fresh = (startTicks: string): Seen => ({ startTicks, stoppedSince: null, spin: null });

function statOf(pid: number): Stat | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name, which may hold anything: the state is field 3, user and system time are 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs };
  } catch {
    return null;
  }
}

/** Changes whenever it waits, reads or writes; null when nobody may know. */
function progressOf(pid: number): string | null {
  try {
    const waited = /^voluntary_ctxt_switches:\s+(\d+)$/m.exec(
      readFileSync(`/proc/${pid}/status`, 'latin1'),
    )?.[1];
    const calls = [...readFileSync(`/proc/${pid}/io`, 'latin1').matchAll(/^sysc[rw]: (\d+)$/gm)];
    return waited === undefined || calls.length < 2 ? null : `${waited} ${calls.map(([, n]) => n).join(' ')}`;
  } catch {
    return null;
  }
}
