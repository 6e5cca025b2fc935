import { getHeapStatistics } from 'node:v8';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '#base';
import { filesAround } from '#model';
import { planWritten } from '#plan';
import type { PlanAnswer, PlanQuestion } from './planner.ts';
import { recentTraffic } from './recent-traffic.ts';

const heapBytesKeptMax = 256 * 1_024 * 1_024;

function told({ before, after }: PlanQuestion) {
  try {
    return { view: planWritten(before, after, filesAround, recentTraffic(before)) };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

function answer(question: PlanQuestion): PlanAnswer {
  const answered = told(question);
  return { ...answered, isSpent: getHeapStatistics().used_heap_size > heapBytesKeptMax };
}

parentPort?.on('message', (question: PlanQuestion) => parentPort?.postMessage(answer(question)));
