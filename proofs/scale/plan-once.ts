/** `holdfast plan` of two files as a person starts it, and what its process has cost, from its start on. */
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { PlanView } from '#contract';

const root = resolve(import.meta.dirname, '../..');

export interface Cost {
  readonly cpuMs: number;
  readonly memoryMb: number;
  readonly differences: number;
}

export async function planOnce(before: string, after: string): Promise<Cost> {
  const usage = join(root, 'proofs/scale/usage.js');
  const args = ['--import', usage, join(root, 'bin/holdfast.js'), 'plan', after, '--from', before, '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'pipe'] });
  const [, out, , cost] = child.stdio;
  if (!out || !cost) throw new Error('no pipes');
  const ended = new Promise<number | null>((done) => child.once('close', done));
  const [printed, spent] = await Promise.all([text(out), text(cost as NodeJS.ReadableStream)]);
  const code = await ended;
  if (code !== 0 && code !== 2) throw new Error(`holdfast plan ended with ${code}: ${printed.slice(0, 500)}`);
  const { differences } = JSON.parse(printed) as PlanView;
  return { ...(JSON.parse(spent) as Omit<Cost, 'differences'>), differences: differences.length };
}
