/**
 * `npm run prove:plan -- --engine haproxy|nginx --seed N --decisions N`: random texts by random requests, the meaning of a text
 * against the real engine. Each request that is treated otherwise is a defect, and is printed with its text.
 */
import { parseArgs } from 'node:util';
import { decide, starters } from './plan/decisions.ts';
import { againstNginx } from './plan/nginx/run.ts';
import { type Proof, prove } from './proof.ts';

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
  if (values.engine === undefined || values.engine === 'nginx') await nginx(proof);
});

async function nginx(proof: Proof): Promise<void> {
  proof.say(`nginx, seed ${values.seed}`);
  const run = await againstNginx(Number(values.seed), Number(values.decisions));
  for (const one of run.disagreements.slice(0, 5)) proof.say(JSON.stringify(one, null, 1));
  proof.tell('texts', run.texts);
  proof.tell('decided from the text and the request alone', run.exact);
  proof.tell('too complex, said to be so', run.tooComplex);
  proof.atMost(`disagreements, of ${run.decisions} decisions`, run.disagreements.length, 0);
}
