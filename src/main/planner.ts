import { Worker } from 'node:worker_threads';
import { Failure, messageOf } from '#base';
import type { Planner } from '#change';
import type { PlanView } from '#contract';

/** A plan of 10,000 routes takes a few seconds; what needs longer than this is not waited for. */
const planMsMax = 30_000;
const memoryMegabytesMax = 1_536;

export type PlanAnswer = { readonly view: PlanView } | { readonly error: string };

/**
 * Plans in a thread of their own, each ended when it takes too long: whatever a text does to us there, the controller goes
 * on answering, and a rollback waits for nothing.
 */
export function threadPlanner(msMax = planMsMax): Planner {
  return {
    plan: (before, after) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(new URL('./plan-thread.ts', import.meta.url), {
          workerData: { before, after },
          resourceLimits: { maxOldGenerationSizeMb: memoryMegabytesMax },
        });
        const end = (act: () => void) => {
          clearTimeout(timer);
          void worker.terminate();
          act();
        };
        const failed = (why: string) => end(() => reject(new Failure('HF111', why)));
        const timer = setTimeout(() => failed(`the plan did not end within ${msMax / 1000} s`), msMax);
        worker.on('message', (answer: PlanAnswer) =>
          'view' in answer ? end(() => resolve(answer.view)) : failed(answer.error),
        );
        worker.on('error', (error) => failed(`the plan broke off: ${messageOf(error)}`));
        worker.on('exit', () => failed('the plan broke off'));
      }),
  };
}
