/**
 * `npm run prove:simulation -- --seeds N --from S`: the controller's real code in a simulated world, one world a seed.
 * A seed that breaks an invariant is told with the timeline of its smallest plan.
 */
import { argv } from 'node:process';
import { drawPlan } from '../test/simulation/plan.ts';
import { run } from '../test/simulation/run.ts';
import { smallest, toldOf } from '../test/simulation/shrink.ts';
import { prove } from './proof.ts';

const seedsDefault = 2_000;
const shownMax = 3;

function option(name: string, otherwise: number): number {
  const at = argv.indexOf(`--${name}`);
  const given = at < 0 ? otherwise : Number(argv[at + 1]);
  if (Number.isSafeInteger(given) && given >= 0) return given;
  process.stderr.write(`--${name}: expected a whole number, got "${argv[at + 1] ?? ''}"\n`);
  process.exit(1);
}

await prove('simulation', async (proof) => {
  const [seeds, from] = [option('seeds', seedsDefault), option('from', 0)];
  const unhandled: string[] = [];
  process.on('unhandledRejection', (error) => unhandled.push(String(error)));
  const broken: number[] = [];
  const faults = new Map<string, number>();
  const began = performance.now();
  let [changes, promoted, hours] = [0, 0, 0];
  for (let seed = from; seed < from + seeds; seed += 1) {
    const plan = drawPlan(seed);
    const outcome = await run(plan);
    changes += outcome.changes;
    promoted += outcome.promoted;
    hours += outcome.simulatedMs / 3_600_000;
    for (const [kind, count] of Object.entries(outcome.faults))
      faults.set(kind, (faults.get(kind) ?? 0) + count);
    // A rejection that nobody handles would end the real process.
    if (seed % 100 === 0) await new Promise(setImmediate);
    if (outcome.breaches.length === 0) continue;
    broken.push(seed);
    if (broken.length <= shownMax) process.stderr.write(`${toldOf(await smallest(plan))}\n\n`);
  }
  await new Promise(setImmediate);
  const seconds = (performance.now() - began) / 1000;
  proof.tell('seeds', seeds);
  proof.tell('simulated hours', hours);
  proof.tell('changes', changes);
  proof.tell('of them promoted', promoted);
  proof.tell('changes a second', changes / seconds);
  for (const [kind, count] of [...faults].toSorted()) proof.tell(`faults: ${kind}`, count);
  proof.holds(
    'seeds that broke an invariant',
    broken.slice(0, 20).join(' ') || 'none',
    'none',
    broken.length === 0,
  );
  proof.atMost('rejections that nobody handled', unhandled.length, 0);
  proof.atLeast('changes that were promoted', promoted, seeds / 2);
});
