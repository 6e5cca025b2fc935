/** Inputs, one after the other, and what came of them. */
import { resolve } from 'node:path';
import { type Random, seededRandom } from '../../test/world/random.ts';
import { BoundedChild } from '../bounded.ts';
import type { Answer, Input } from './child.ts';
import { mutated } from './mutate.ts';
import { fileNames, log, policies, type Seed, seedsOf } from './seeds.ts';
import { smallest } from './shrink.ts';
import { commandsFor, traps } from './traps.ts';

export interface FuzzOptions {
  /** Texts of a folder are started from, too. */
  readonly folder: string | null;
  readonly seed: number;
  readonly inputs: number;
  readonly only?: string;
  /** Absent: texts that are known to be hard come first. */
  readonly withoutTraps?: boolean;
  readonly msMax?: number;
  say(line: string): void;
}

export interface FuzzOutcome {
  readonly seeds: number;
  readonly inputs: number;
  readonly commands: number;
  readonly wrong: number;
  readonly late: number;
  readonly died: number;
  readonly longestMs: number;
  readonly longest: string;
  readonly residentMegabytes: number;
  /** Each failing input, as small as it was made. */
  readonly failures: readonly string[];
}

const child = resolve(import.meta.dirname, 'child.ts');
const inputMsMax = 60_000;
const heapMegabytesMax = 1_024;

export async function fuzz(options: FuzzOptions): Promise<FuzzOutcome> {
  const limits = { msMax: options.msMax ?? inputMsMax, heapMegabytesMax };
  const worker = new BoundedChild<Input, Answer>(child, limits);
  const seeds = seedsOf(options.folder);
  const sum = {
    ...{ seeds: seeds.length, inputs: 0, commands: 0, wrong: 0, late: 0, died: 0 },
    ...{ longestMs: 0, longest: '', residentMegabytes: 0, failures: [] as string[] },
  };
  try {
    for (const input of inputs(options, seeds)) {
      if (!input.name.includes(options.only ?? '')) continue;
      const outcome = await worker.run(input);
      sum.inputs += 1;
      let why = '';
      if (outcome.kind === 'late') {
        sum.late += 1;
        why = `no answer within ${limits.msMax} ms`;
      } else if (outcome.kind === 'died') {
        sum.died += 1;
        why = outcome.said.slice(0, 600);
      } else {
        const { faults, exits, slowest, residentMegabytes } = outcome.result;
        sum.commands += exits.length;
        sum.residentMegabytes = Math.max(sum.residentMegabytes, residentMegabytes);
        if (slowest.ms > sum.longestMs) {
          sum.longestMs = slowest.ms;
          sum.longest = `${input.name}: ${slowest.args}`.slice(0, 80);
        }
        if (faults.length > 0) sum.wrong += 1;
        why = faults.join('\n');
      }
      if (why === '') continue;
      const failure = `${input.name}: ${why}\n${await smallest(worker, input, outcome.kind)}`;
      sum.failures.push(failure);
      options.say(failure);
    }
  } finally {
    await worker.close();
  }
  return sum;
}

function* inputs(options: FuzzOptions, seeds: readonly Seed[]): Generator<Input> {
  if (!options.withoutTraps) yield* traps;
  for (let number = 0; number < options.inputs; number += 1) {
    const random = seededRandom(options.seed * 1_000_003 + number);
    yield inputOf(`seed ${options.seed}, input ${number}`, random, seeds);
  }
}

/** Mostly a text; now and then a policy file, or a log. */
function inputOf(name: string, random: Random, seeds: readonly Seed[]): Input {
  const some = () => seeds[random.integer(seeds.length)];
  const [seed, other] = [some(), some()];
  if (!seed || !other) throw new Error('there is no text to start from');
  const file = fileNames[seed.dialect];
  const before = `before/${file}`;
  const whole = { [before]: Buffer.from(seed.text) };
  const from = ['plan', `@${before}`, '--from', `@${before}`, '--json'];
  switch (random.integer(8)) {
    case 0: {
      const args = [...from, '--policy', '@policy.yaml'];
      const files = { ...whole, 'policy.yaml': mutated(policies, random, other.text) };
      return { name, files, commands: [{ args }, { args: ['check', '@policy.yaml', '--json'] }] };
    }
    case 1: {
      const files = { ...whole, 'access.log': mutated(log, random, other.text) };
      return { name, files, commands: [{ args: [...from, '--traffic', '@access.log'] }] };
    }
    default:
      return {
        name,
        files: { ...whole, [file]: mutated(seed.text, random, other.text) },
        commands: commandsFor(file, before),
      };
  }
}
