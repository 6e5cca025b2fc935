/**
 * `npm run prove:plan -- --engine haproxy|nginx --seed N --seeds N --decisions N --minutes N --text N`: random texts by random
 * requests, the meaning of a text against the real engine. Each request that is treated otherwise is a defect, and is printed with
 * its text.
 */
import { parseArgs } from 'node:util';
import type { EngineName } from './plan/case.ts';
import { type Disagreement, decide, starters } from './plan/decisions.ts';
import { type Proof, prove } from './proof.ts';

const { values } = parseArgs({
  options: {
    /** Both where none is said. */
    engine: { type: 'string' },
    seed: { type: 'string', default: '1' },
    /** How many seeds, from that one on. */
    seeds: { type: 'string', default: '1' },
    /** Of each engine, over all seeds. */
    decisions: { type: 'string', default: '100000' },
    /** Of each engine and seed: past it, what was decided by then is all. */
    minutes: { type: 'string' },
    /** One text again, by the number that a disagreement is told with. */
    text: { type: 'string' },
    json: { type: 'boolean' },
  },
});

const shownMax = 20;
const kindsMax = 30;

const numberOf = (name: 'seed' | 'seeds' | 'decisions', least: number): number => {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < least)
    throw new Error(`--${name} wants a number from ${least} on, not "${values[name]}"`);
  return number;
};

await prove('plan', async (proof) => {
  const [seed, seeds, decisions] = [numberOf('seed', 0), numberOf('seeds', 1), numberOf('decisions', 1)];
  const names = Object.keys(starters) as EngineName[];
  const asked = names.filter((name) => values.engine === undefined || values.engine === name);
  if (asked.length === 0)
    throw new Error(`--engine wants one of ${names.join(', ')}, not "${values.engine}"`);
  if (values.text !== undefined)
    for (const engine of asked) await compared(proof, engine, Number(values.text), decisions, true);
  else
    for (const engine of asked)
      for (let at = seed; at < seed + seeds; at += 1)
        await compared(proof, engine, at, Math.ceil(decisions / seeds));
});

async function compared(
  proof: Proof,
  engine: EngineName,
  seed: number,
  decisions: number,
  isText = false,
): Promise<void> {
  proof.say(`${engine}, ${isText ? 'text' : 'seed'} ${seed}`);
  const overAt = performance.now() + Number(values.minutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const outcome = await decide(engine, seed, decisions, undefined, isText ? [seed] : null, overAt);
  for (const one of outcome.disagreements.slice(0, shownMax)) proof.say(shown(one));
  const told = (name: string, count: number | string) => proof.tell(`${engine} ${seed}: ${name}`, count);
  told('texts', outcome.texts);
  if (outcome.refused > 0) told('texts that the engine itself refuses', outcome.refused);
  if (outcome.died.length > 0) told('texts that the engine itself ended at', outcome.died.length);
  for (const at of outcome.died) proof.say(`${engine} ended at text ${at}`);
  for (const [kind, count] of Object.entries(outcome.kinds)) told(`decided: ${kind}`, count);
  told('told from the text and the request alone', outcome.exact);
  told('too complex, and said to be so', outcome.unsaid);
  const { wrong } = outcome;
  if (wrong.texts > 0) told('texts that disagree', wrong.texts);
  const kinds = Object.entries(wrong.kinds).toSorted(([, a], [, b]) => b - a);
  for (const [kind, count] of kinds.slice(0, kindsMax)) told(`disagree: ${kind}`, count);
  const name = `${engine} ${seed}: disagreements, of ${outcome.decisions} decisions`;
  proof.atMost(name, wrong.decisions, 0);
}

function shown({ engine, seed, asked, wrong, by, text }: Disagreement): string {
  return `${engine}, text ${seed}, ${asked}\n    ${wrong}\n    by ${by}\n${text}`;
}
