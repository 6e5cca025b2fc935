import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '#base';
import type { SiteText } from '#contract';
import { filesAround } from '#model';
import { planWritten } from '#plan';
import type { PlanAnswer } from './planner.ts';

const { before, after } = workerData as { readonly before: SiteText; readonly after: SiteText };
let answer: PlanAnswer;
try {
  answer = { view: planWritten(before, after, filesAround) };
} catch (error) {
  answer = { error: messageOf(error) };
}
parentPort?.postMessage(answer);
