/**
 * `npm run prove:plan -- --engine haproxy --seed N --decisions N`: random texts by random requests, the meaning of a text
 * against the real engine. Each request that is treated otherwise is a defect, and is printed with its text.
 */
import { parseArgs } from 'node:util';
import { decide, starters } from './plan/decisions.ts';
import { prove } from './proof.ts';

const { values } = parseArgs({
  options: {
    engine: { type: 'string' },
    seed: { type: 'string', default: '1' },
    decisions: { type: 'string', default: '100000' },
    json: { type: 'boolean' },
  },
});

await prove('plan', async (proof) => {
  const names = Object.keys(starters) as (keyof typeof starters)[];
  for (const engine of names.filter((name) => values.engine === undefined || values.engine === name)) {
    proof.say(`${engine}, seed ${values.seed}`);
    const outcome = await decide(engine, Number(values.seed), Number(values.decisions));
    for (const one of outcome.disagreements.slice(0, 5)) proof.say(one);
    proof.tell('texts', outcome.texts);
    for (const [kind, count] of Object.entries(outcome.kinds)) proof.tell(`decided: ${kind}`, count);
    proof.tell('of which the meaning does not say what becomes', outcome.unsaid);
    proof.atMost(`disagreements, of ${outcome.decisions} decisions`, outcome.disagreements.length, 0);
  }
});
