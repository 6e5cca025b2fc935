/**
 * `npm run prove:simulation -- --seeds N --from S`: in simulated worlds, two a seed, the real code of the controller with a
 * site of two balancers, and that of holder, exposer and guard with one candidate.
 * A seed that breaks an invariant is told with the timeline of its smallest plan.
 */
import { argv } from 'node:process';
import { drawPlan } from '../test/simulation/plan.ts';
import { run } from '../test/simulation/run.ts';
import { smallest, toldOf } from '../test/simulation/shrink.ts';
import { runSlices } from '../test/simulation/slices.ts';
import { drawSlicePlan, sliceSteps } from '../test/simulation/slices-plan.ts';
import { smallestSlices, toldOfSlices } from '../test/simulation/slices-shrink.ts';
import { type Proof, prove } from './proof.ts';

const seedsDefault = 2_000;
const shownMax = 3;

function option(name: string, otherwise: number): number {
  const at = argv.indexOf(`--${name}`);
  const given = at < 0 ? otherwise : Number(argv[at + 1]);
  if (Number.isSafeInteger(given) && given >= 0) return given;
  process.stderr.write(`--${name}: expected a whole number, got "${argv[at + 1] ?? ''}"\n`);
  process.exit(1);
}

/** Calls `act` for each seed, and tells what the first ones that break something did. */
async function eachSeed(
  of: { readonly seeds: number; readonly from: number },
  act: (seed: number) => Promise<boolean>,
  tell: (seed: number) => Promise<string>,
): Promise<readonly number[]> {
  const broken: number[] = [];
  for (let seed = of.from; seed < of.from + of.seeds; seed += 1) {
    // A rejection that nobody handles is told between two turns.
    if (seed % 100 === 0) await new Promise(setImmediate);
    if (await act(seed)) continue;
    broken.push(seed);
    if (broken.length <= shownMax) process.stderr.write(`${await tell(seed)}\n\n`);
  }
  await new Promise(setImmediate);
  return broken;
}

const faults = new Map<string, number>();
const count = (kind: string, many = 1) => faults.set(kind, (faults.get(kind) ?? 0) + many);
const shownOf = (broken: readonly number[]) => broken.slice(0, 20).join(' ') || 'none';

async function controllers(
  proof: Proof,
  of: { readonly seeds: number; readonly from: number },
): Promise<void> {
  const began = performance.now();
  let [changes, promoted, hours] = [0, 0, 0];
  const broken = await eachSeed(
    of,
    async (seed) => {
      const outcome = await run(drawPlan(seed));
      changes += outcome.changes;
      promoted += outcome.promoted;
      hours += outcome.simulatedMs / 3_600_000;
      for (const [kind, many] of Object.entries(outcome.faults)) count(kind, many);
      return outcome.breaches.length === 0;
    },
    async (seed) => toldOf(await smallest(drawPlan(seed))),
  );
  proof.tell('sites: simulated hours', hours);
  proof.tell('sites: changes', changes);
  proof.tell('sites: of them promoted', promoted);
  proof.tell('sites: simulated changes a second', (changes / (performance.now() - began)) * 1000);
  proof.holds('sites: seeds that broke an invariant', shownOf(broken), 'none', broken.length === 0);
  proof.atLeast('sites: changes that were promoted', promoted, of.seeds / 2);
}

async function slices(proof: Proof, of: { readonly seeds: number; readonly from: number }): Promise<void> {
  const began = performance.now();
  let most = 0;
  const broken = await eachSeed(
    of,
    async (seed) => {
      const plan = drawSlicePlan(seed);
      const { breaches, shares } = await runSlices(plan);
      for (const { kind } of plan.faults) count(kind);
      for (const [index, { share }] of sliceSteps.entries())
        most = Math.max(most, Math.abs((shares[index] ?? share) - share));
      return breaches.length === 0;
    },
    async (seed) => toldOfSlices(await smallestSlices(drawSlicePlan(seed))),
  );
  proof.tell('slices: simulated candidates a second', (of.seeds / (performance.now() - began)) * 1000);
  proof.holds('slices: seeds that broke an invariant', shownOf(broken), 'none', broken.length === 0);
  proof.atMost('slices: without faults, furthest of a share from its step', most, 0.02);
}

await prove('simulation', async (proof) => {
  const of = { seeds: option('seeds', seedsDefault), from: option('from', 0) };
  const unhandled: string[] = [];
  process.on('unhandledRejection', (error) => unhandled.push(String(error)));
  proof.tell('seeds', of.seeds);
  await controllers(proof, of);
  await slices(proof, of);
  for (const [kind, many] of [...faults].toSorted()) proof.tell(`faults: ${kind}`, many);
  proof.holds('rejections that nobody handled', unhandled[0] ?? 'none', 'none', unhandled.length === 0);
});
