import { getHeapStatistics } from 'node:v8';
import { parentPort } from 'node:worker_threads';
import { messageOf } from '#base';
import { filesAround } from '#model';
import { planWritten, sampleWritten } from '#plan';
import type { PlanAnswer, PlanQuestion } from './planner.ts';
import { recentTraffic } from './recent-traffic.ts';

const heapBytesKeptMax = 256 * 1_024 * 1_024;

function told({ before, after, sample: wanted }: PlanQuestion) {
  try {
    if (wanted) {
      const traffic = recentTraffic(before, wanted);
      if (traffic === null) throw new Error('there is no access log to take recent requests from');
      return { sample: sampleWritten(before, after, filesAround, { traffic, wanted }) };
    }
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
