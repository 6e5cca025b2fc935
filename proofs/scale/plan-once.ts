/** One plan in a process of its own, so that its memory and its processor time are its own: prints them as JSON. */
import { readFileSync } from 'node:fs';
import { resourceUsage } from 'node:process';
import { Shared } from '#dialects';
import type { TextDialect, WrittenText } from '#model';
import { meaningOfWritten, planOf } from '#plan';

const [before = '', after = '', dialect = ''] = process.argv.slice(2);
const shared = new Shared();
const noFiles = { find: () => [], read: () => null, environment: () => null };

function read(file: string) {
  const text: WrittenText = {
    file,
    folder: '/',
    text: readFileSync(file, 'utf8'),
    dialect: dialect as TextDialect,
  };
  return meaningOfWritten(text, file, noFiles, shared);
}

const spentMs = () => {
  const { userCPUTime, systemCPUTime } = resourceUsage();
  return (userCPUTime + systemCPUTime) / 1_000;
};
const startMs = spentMs();
const [left, right] = [read(before), read(after)];
const liftedMs = spentMs();
const view = planOf(left, right, { traffic: null, policies: [] });
const plannedMs = spentMs();
process.stdout.write(
  JSON.stringify({
    startMs,
    liftMs: liftedMs - startMs,
    planMs: plannedMs - liftedMs,
    cpuMs: plannedMs,
    memoryMb: resourceUsage().maxRSS / 1_024,
    differences: view.differences.length,
    notUnderstood: view.notUnderstood.length,
  }),
);
