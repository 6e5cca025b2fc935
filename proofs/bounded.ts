/** Jobs in children with limits of time and memory: one that hangs or dies costs itself, and nobody else. */
import { type ChildProcess, fork } from 'node:child_process';

export type Bounded<Result> =
  | { readonly kind: 'done'; readonly result: Result; readonly ms: number }
  /** It was ended, because it took longer than `msMax`. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Its process ended: out of memory, or something that nobody caught. */
  | { readonly kind: 'died'; readonly said: string; readonly ms: number };

export interface Limits {
  readonly msMax: number;
  /** Of JavaScript's heap; the process itself may have four times as much. */
  readonly heapMegabytesMax: number;
}

const saidMax = 4_000;
const startMsMax = 60_000;

/** One child that does one job after the other. A job is a message to it, and its answer the next message from it. */
export class BoundedChild<Job, Result> {
  readonly #module: string;
  readonly #limits: Limits;
  #child: ChildProcess | null = null;
  #said = '';

  /** `module`: a program that sends `ready`, and then an answer for each message. */
  constructor(module: string, limits: Limits) {
    this.#module = module;
    this.#limits = limits;
  }

  async run(job: Job, msMax = this.#limits.msMax): Promise<Bounded<Result>> {
    const child = await this.#started();
    const began = performance.now();
    this.#said = '';
    return new Promise((done) => {
      const took = () => performance.now() - began;
      const settle = (outcome: Bounded<Result>) => {
        clearTimeout(timer);
        child.off('message', answered).off('exit', died);
        done(outcome);
      };
      const answered = (result: unknown) => settle({ kind: 'done', result: result as Result, ms: took() });
      const died = (code: number | null, signal: string | null) => {
        this.#child = null;
        settle({ kind: 'died', said: `${signal ?? `exit status ${code}`}\n${this.#said}`, ms: took() });
      };
      const timer = setTimeout(() => {
        this.#child = null;
        end(child);
        settle({ kind: 'late', ms: took() });
      }, msMax);
      child.on('message', answered).on('exit', died);
      child.send(job as object);
    });
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child) await end(child);
  }

  async #started(): Promise<ChildProcess> {
    if (this.#child) return this.#child;
    const child = fork(this.#module, {
      execArgv: [
        `--max-old-space-size=${this.#limits.heapMegabytesMax}`,
        '--disable-warning=ExperimentalWarning',
      ],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
      // What it starts ends with it: the whole group is ended.
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#said = (this.#said + chunk).slice(-saidMax);
      });
    await new Promise<void>((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`${this.#module} did not start`)), startMsMax);
      child
        .once('message', () => {
          clearTimeout(timer);
          done();
        })
        .once('exit', () => fail(new Error(`${this.#module} ended at its start: ${this.#said}`)));
    });
    this.#child = child;
    return child;
  }
}

/** Resolves when it has gone, with all that it started. */
function end(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    const kill = () => {
      try {
        if (child.pid) process.kill(-child.pid, 'SIGKILL');
      } catch {}
    };
    if (child.exitCode !== null || child.signalCode !== null) {
      kill();
      done();
      return;
    }
    child.once('exit', () => {
      kill();
      done();
    });
    kill();
  });
}

/** Each job once, by so many children at a time; outcomes as they come. */
export async function runAll<Job, Result>(
  module: string,
  jobs: readonly Job[],
  options: Limits & {
    readonly atOnce: number;
    /** False: what is left is not begun. */
    readonly until?: () => boolean;
  },
  onOutcome: (job: Job, outcome: Bounded<Result>) => void | Promise<void>,
): Promise<void> {
  const queue = [...jobs];
  const next = () => (options.until?.() === false ? undefined : queue.shift());
  const workers = Array.from({ length: Math.min(options.atOnce, jobs.length) }, async () => {
    const child = new BoundedChild<Job, Result>(module, options);
    try {
      for (let job = next(); job !== undefined; job = next()) await onOutcome(job, await child.run(job));
    } finally {
      await child.close();
    }
  });
  await Promise.all(workers);
}
