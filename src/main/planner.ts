import { Worker } from 'node:worker_threads';
import { assert, Failure, messageOf } from '#base';
import type { Planner } from '#change';
import type { PlanView, RecentSample, SiteText } from '#contract';
import type { RealRequests } from '#model';

/** A plan of 10,000 routes takes a few seconds; what needs longer than this is not waited for. */
const planMsMax = 30_000;
const memoryMegabytesMax = 1_536;
/** A controller that starts has better to do than to start a thread for a plan that nobody has asked for. */
const warmAfterMs = 3_000;

export interface PlanQuestion {
  readonly before: SiteText;
  readonly after: SiteText;
  /** What is wanted are recent requests, in the place of a plan. */
  readonly sample?: RealRequests;
}
export type PlanAnswer = (
  | { readonly view: PlanView }
  | { readonly sample: RecentSample }
  | { readonly error: string }
) & {
  /** It holds much memory, and is not to be kept. */
  readonly isSpent: boolean;
};

export interface ThreadPlanner extends Planner {
  /** What is being planned breaks off. */
  close(): void;
}

/**
 * Plans in a thread of its own, ended when it takes too long: whatever a text does to us there, the controller goes on
 * answering, and a rollback waits for nothing. One that has answered is kept for the next plan.
 */
export function threadPlanner(msMax = planMsMax): ThreadPlanner {
  const threads = new Set<Worker>();
  let idle: Worker | null = null;
  let closed = false;

  function start(): Worker {
    const worker = new Worker(new URL('./plan-thread.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: memoryMegabytesMax },
    });
    threads.add(worker);
    const gone = () => {
      threads.delete(worker);
      if (idle === worker) idle = null;
    };
    return worker.on('error', gone).on('exit', gone);
  }

  /** Nobody is kept alive by it. */
  function keep(worker: Worker): void {
    worker.unref();
    idle = worker;
  }

  const warm = setTimeout(() => {
    if (threads.size === 0) keep(start());
  }, warmAfterMs).unref();

  function ask(question: PlanQuestion): Promise<PlanAnswer> {
    const worker = idle ?? start();
    idle = null;
    worker.ref();
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        worker.off('message', answered).off('error', broke).off('exit', ended);
      };
      const failed = (why: string) => {
        end();
        void worker.terminate();
        reject(new Failure('HF111', why));
      };
      const answered = (answer: PlanAnswer) => {
        end();
        if (idle || closed || answer.isSpent) void worker.terminate();
        else keep(worker);
        if ('error' in answer) reject(new Failure('HF111', answer.error));
        else resolve(answer);
      };
      const broke = (error: unknown) => failed(`the plan broke off: ${messageOf(error)}`);
      const ended = () => failed('the plan broke off');
      const timer = setTimeout(() => failed(`the plan did not end within ${msMax / 1000} s`), msMax);
      worker.on('message', answered).on('error', broke).on('exit', ended);
      worker.postMessage(question);
    });
  }

  return {
    async plan(before, after) {
      const answer = await ask({ before, after });
      assert('view' in answer, 'a plan is answered with a plan');
      return answer.view;
    },
    async sample(before, after, wanted) {
      const answer = await ask({ before, after, sample: wanted });
      assert('sample' in answer, 'a sample is answered with a sample');
      return answer.sample;
    },
    close() {
      closed = true;
      clearTimeout(warm);
      for (const worker of threads) void worker.terminate();
    },
  };
}
