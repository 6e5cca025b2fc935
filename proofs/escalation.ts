/**
 * `npm run prove:escalation -- --seeds N --from S`: people, receivers that hang, fail, refuse, answer late or lose their
 * answers, clocks that jump and disks that are full, each scenario killed after every single entry of its journal; and once
 * with real processes and SIGKILL. Nobody is paged twice for one step, nobody is forgotten.
 */
import { argv } from 'node:process';
import { breachesOf } from './escalation/judge.ts';
import { killAtEachPage } from './escalation/killed.ts';
import { drawScenario, type Mistake, runScenario } from './escalation/simulated.ts';
import { prove } from './proof.ts';

const seedsDefault = 40;
const shownMax = 3;
const plantedSeeds = 10;
/** Scenarios in which nobody answers well, so that nothing comes twice for sure. */
const deafSeedsMax = 3;
const mistakes: readonly (readonly [Mistake, string])[] = [
  ['sends twice', 'that send each page twice'],
  ['forgets sent', 'that forget over a kill what was sent'],
];

function option(name: string, otherwise: number): number {
  const at = argv.indexOf(`--${name}`);
  const given = at < 0 ? otherwise : Number(argv[at + 1]);
  if (Number.isSafeInteger(given) && given >= 0) return given;
  process.stderr.write(`--${name}: expected a whole number, got "${argv[at + 1] ?? ''}"\n`);
  process.exit(1);
}

/** What the judge says of keepers with a mistake: one that does not find it is worth nothing. */
async function foundPlanted(seeds: number, mistake: Mistake): Promise<number> {
  let found = 0;
  for (let seed = 0; seed < seeds; seed += 1) {
    const scenario = drawScenario(seed);
    const { entries } = await runScenario(scenario, null);
    const settled = entries.find(({ event: { kind } }) => kind === 'page.sent' || kind === 'page.dead');
    const kill = mistake === 'sends twice' ? null : (settled?.sequence ?? null);
    if (breachesOf(scenario, await runScenario(scenario, kill, mistake)).length > 0) found += 1;
  }
  return found;
}

await prove('escalation', async (proof) => {
  for (const [mistake, words] of mistakes) {
    const found = await foundPlanted(plantedSeeds, mistake);
    proof.atLeast(`control: of ${plantedSeeds} runs ${words}, found`, found, plantedSeeds - deafSeedsMax);
  }
  const [seeds, from] = [option('seeds', seedsDefault), option('from', 0)];
  let [runs, pages, again] = [0, 0, 0];
  const broken: string[] = [];
  for (let seed = from; seed < from + seeds; seed += 1) {
    const scenario = drawScenario(seed);
    const whole = await runScenario(scenario, null);
    for (let kill = 0; kill <= whole.entries.length; kill += 1) {
      const outcome = kill === 0 ? whole : await runScenario(scenario, kill);
      runs += 1;
      pages += new Set(outcome.came.map(({ page }) => page)).size;
      again += outcome.came.length;
      const breaches = breachesOf(scenario, outcome);
      if (breaches.length > 0)
        broken.push(`seed ${seed}, killed after entry ${kill}: ${breaches.join('; ')}`);
    }
  }
  for (const line of broken.slice(0, shownMax)) proof.say(`    ${line}`);
  proof.tell('scenarios', seeds);
  proof.tell('runs, each killed after another entry', runs);
  proof.tell('different pages', pages);
  proof.tell('tries', again);
  proof.atLeast('runs that had something to page', pages, runs);
  proof.holds(
    'runs in which somebody was paged twice or forgotten',
    String(broken.length),
    'none',
    broken.length === 0,
  );

  const { kills, steps, times } = await killAtEachPage();
  proof.tell('real kills, each between a page and its entry', kills);
  proof.holds(
    'real: steps',
    steps.join(', '),
    'support, engineering, vendor',
    steps.join() === 'support,engineering,vendor',
  );
  // A kill may also meet a page that was just answered: then that one comes once more, too.
  const bounded = times.length === 3 && times.every((count) => count >= 2 && count <= 1 + kills);
  proof.holds(
    'real: each key came again, at most once for each kill',
    times.join(', '),
    `2 to ${1 + kills} each`,
    bounded,
  );
});
