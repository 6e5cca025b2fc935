/** One plan in a process of its own, so that its memory and its processor time are its own: prints them as JSON. */
import { readFileSync } from 'node:fs';
import { resourceUsage } from 'node:process';
import type { TextDialect, WrittenText } from '#model';
import { meaningOfWritten, planOf } from '#plan';

const [before = '', after = '', dialect = ''] = process.argv.slice(2);
const noFiles = { find: () => [], read: () => null, environment: () => null };

function read(file: string) {
  const text: WrittenText = {
    file,
    folder: '/',
    text: readFileSync(file, 'utf8'),
    dialect: dialect as TextDialect,
  };
  return meaningOfWritten(text, file, noFiles);
}

const began = performance.now();
const [left, right] = [read(before), read(after)];
const lifted = performance.now();
const view = planOf(left, right, { traffic: null, policies: [] });
const { userCPUTime, systemCPUTime, maxRSS } = resourceUsage();
process.stdout.write(
  JSON.stringify({
    liftMs: lifted - began,
    planMs: performance.now() - lifted,
    cpuMs: (userCPUTime + systemCPUTime) / 1_000,
    memoryMb: maxRSS / 1_024,
    differences: view.differences.length,
    notUnderstood: view.notUnderstood.length,
  }),
);
