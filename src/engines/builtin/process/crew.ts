import type { ChildProcess } from 'node:child_process';
import { messageOf } from '#base';
import type { Evidence, ServerEvidence } from '../../engine.ts';
import { asEvidence, asServers } from '../evidence.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { addServers, sumEvidence } from './sums.ts';

/** A call that only its caller's patience ends. */
const answerMsMax = 5_000;
/** Without a pulse for so long a worker hangs: it is killed and replaced. Ten pulses, and what a machine out of breath takes. */
const silentMsMax = 10_000;
const watchMs = 1_000;
/** One that ends as soon as it was started is started again less and less often. */
const againMsMax = 5_000;
const againMsMin = 50;

interface Worker {
  readonly child: ChildProcess;
  readonly slot: number;
  ready: boolean;
  heardAt: number;
  evidence: Evidence | null;
  servers: readonly ServerEvidence[];
  readonly waiting: Map<number, (answer: Answer) => void>;
}

interface Answer {
  readonly output: unknown;
  readonly error: string | null;
}

/** One that has ended gives no answer, and needs to give none. */
const gone: Answer = { output: null, error: null };

export interface CrewOptions {
  readonly size: number;
  spawn(): ChildProcess;
  /** How the worker of that slot begins; it accepts nothing yet. */
  start(slot: number): ToWorker;
  /** What a worker that has begun is told, so that it is as all of them should be at this moment. */
  wanted(): readonly (readonly [call: string, input: unknown])[];
  suspect(server: string): void;
  ejected(server: string, why: string): void;
  say(line: string): void;
  /** After `dismiss`: the last one has ended. */
  ended(): void;
}

/** Workers that do the same; one that ends is replaced, and what it had counted stays counted. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #workers = new Map<number, Worker>();
  /** By slot, of all that have ended there. */
  readonly #before: { evidence: Evidence | null; servers: readonly ServerEvidence[] }[] = [];
  #lastId = 0;
  #dismissed = false;
  readonly #watch: NodeJS.Timeout;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#watch = setInterval(() => this.#endSilent(), watchMs);
  }

  /**
   * Resolves when the first serves; rejects when it ends before. The others follow: side by side on few cores they would all
   * be late.
   */
  async gather(): Promise<void> {
    await this.#hire(0, 0);
    const { size, say } = this.#options;
    const others = Array.from({ length: size - 1 }, (_, i) => this.#hire(i + 1, againMsMin));
    // One that ends is hired again, and said so.
    Promise.all(others).then(
      () => say(`all ${size} workers serve`),
      () => {},
    );
  }

  /** Every worker's answer; rejects when one of them has none, or an error. One that has ended, or has not begun, is not asked. */
  async ask(call: string, input: unknown, timeoutMs = answerMsMax): Promise<unknown[]> {
    const asked = await Promise.all(this.#ready().map((w) => this.#askOne(w, call, input, timeoutMs)));
    const wrong = asked.find(({ error }) => error !== null);
    if (wrong) throw new Error(wrong.error ?? '');
    return asked.filter((answer) => answer !== gone).map(({ output }) => output);
  }

  tell(message: ToWorker): void {
    for (const { child } of this.#workers.values()) send(child, message);
  }

  /** Of one that does not answer in time, what it said last. Throws when none answers: they hang. */
  async evidence(timeoutMs: number): Promise<Evidence | null> {
    const ready = this.#ready();
    const answers = await Promise.all(
      ready.map((worker) => this.#askOne(worker, 'evidence', null, timeoutMs)),
    );
    if (ready.length > 0 && answers.every(({ error }) => error !== null))
      throw new Error('no worker answers');
    for (const [i, worker] of ready.entries()) this.#counted(worker, answers[i] ?? gone);
    return sumEvidence(
      [...this.#workers.values()].flatMap(({ evidence }) => evidence ?? []),
      this.#before.flatMap(({ evidence }) => evidence ?? []),
    );
  }

  async servers(timeoutMs: number): Promise<readonly (readonly ServerEvidence[])[]> {
    const workers = this.#ready();
    const answers = await Promise.all(
      workers.map((worker) => this.#askOne(worker, 'servers', null, timeoutMs)),
    );
    for (const [i, worker] of workers.entries()) {
      const answer = answers[i] ?? gone;
      if (answer !== gone && answer.error === null) worker.servers = asServers(answer.output);
    }
    return [...workers.map(({ servers }) => servers), ...this.#before.map(({ servers }) => servers)];
  }

  /** No more replacements. */
  dismiss(): void {
    this.#dismissed = true;
    clearInterval(this.#watch);
    this.#endIfEmpty();
  }

  kill(): void {
    this.#dismissed = true;
    for (const { child } of this.#workers.values()) child.kill('SIGKILL');
  }

  #ready(): Worker[] {
    return [...this.#workers.values()].filter((worker) => worker.ready);
  }

  #hire(slot: number, againMs: number): Promise<void> {
    const child = this.#options.spawn();
    const worker: Worker = {
      child,
      slot,
      ready: false,
      heardAt: performance.now(),
      evidence: null,
      servers: [],
      waiting: new Map(),
    };
    this.#workers.set(slot, worker);
    return new Promise((resolve, reject) => {
      child.on('message', (message: FromWorker) => {
        this.#hear(worker, message);
        if (message.kind === 'ready') this.#welcome(worker).then(resolve, reject);
      });
      child.on('error', (error) => this.#options.say(messageOf(error)));
      child.once('exit', (code, signal) => {
        const how = signal ?? `exit ${code}`;
        reject(new Error(`a worker ended while it started: ${how}`));
        this.#ended(worker, how, againMs);
      });
      send(child, this.#options.start(slot));
    });
  }

  async #welcome(worker: Worker): Promise<void> {
    const wanted = this.#options.wanted();
    const answers = await Promise.all(
      wanted.map(([call, input]) => this.#askOne(worker, call, input, answerMsMax)),
    );
    const wrong = answers.find(({ error }) => error !== null);
    if (!wrong) return;
    // It is not as the others are, and nothing else would tell it again.
    worker.child.kill('SIGKILL');
    throw new Error(wrong.error ?? '');
  }

  #ended(worker: Worker, how: string, againMs: number): void {
    const { slot } = worker;
    this.#workers.delete(slot);
    for (const answer of worker.waiting.values()) answer(gone);
    const before = this.#before[slot];
    this.#before[slot] = {
      evidence: sumEvidence(
        [],
        [worker.evidence, before?.evidence ?? null].flatMap((e) => e ?? []),
      ),
      servers: addServers([...worker.servers, ...(before?.servers ?? [])]),
    };
    this.#endIfEmpty();
    if (this.#dismissed || (!worker.ready && againMs === 0)) return;
    this.#options.say(`worker ${worker.child.pid} ended (${how}) and is replaced`);
    const nextMs = worker.ready ? againMsMin : Math.min(againMsMax, againMs * 2);
    setTimeout(
      () => {
        if (!this.#dismissed) this.#hire(slot, nextMs).catch(() => {});
      },
      worker.ready ? 0 : nextMs,
    );
  }

  #endIfEmpty(): void {
    if (this.#dismissed && this.#workers.size === 0) this.#options.ended();
  }

  #hear(worker: Worker, message: FromWorker): void {
    worker.heardAt = performance.now();
    switch (message.kind) {
      case 'ready':
        worker.ready = true;
        break;
      case 'answer':
        worker.waiting.get(message.id)?.(message);
        break;
      case 'pulse':
        worker.evidence = message.evidence;
        break;
      case 'suspect':
        this.#options.suspect(message.server);
        break;
      case 'ejected':
        this.#options.ejected(message.server, message.why);
    }
  }

  #askOne(worker: Worker, call: string, input: unknown, timeoutMs: number): Promise<Answer> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve) => {
      const settle = (answer: Answer) => {
        clearTimeout(timer);
        worker.waiting.delete(id);
        resolve(answer);
      };
      const late = `worker ${worker.child.pid}: no answer to ${call} within ${timeoutMs} ms`;
      const timer = setTimeout(() => settle({ output: null, error: late }), timeoutMs);
      worker.waiting.set(id, settle);
      send(worker.child, { kind: 'call', id, call, input });
    });
  }

  #counted(worker: Worker, answer: Answer): void {
    if (answer !== gone && answer.error === null) worker.evidence = asEvidence(answer.output);
  }

  /** What came while this process itself was out of breath is read first. */
  #endSilent(): void {
    setImmediate(() => {
      for (const { child, ready, heardAt } of this.#workers.values()) {
        if (!ready || performance.now() - heardAt < silentMsMax) continue;
        this.#options.say(`worker ${child.pid} hangs and is killed`);
        child.kill('SIGKILL');
      }
    });
  }
}

function send(child: ChildProcess, message: ToWorker): void {
  if (child.connected) child.send(message, () => {});
}
