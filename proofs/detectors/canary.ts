import { comparison } from '../../src/detect/index.ts';
import { type Random, seededRandom } from '../../test/world/random.ts';
import type { Proof } from '../proof.ts';
import { round } from './delays.ts';

const p0 = 1e-3;
const share = 0.05;

/** A canary of 5 % against its incumbent. */
export async function canary(proof: Proof): Promise<void> {
  proof.say('Candidate against incumbent, 5 % canary, alpha = 1e-6');
  const random = seededRandom(3);
  for (const [perSecond, most] of [
    [100, 1.7],
    [1_000, 0.21],
  ] as const) {
    const runs = 1_000;
    const times = Array.from({ length: runs }, () => refusedAfter(random, perSecond));
    const average = times.reduce((sum, t) => sum + t, 0) / runs;
    proof.atMost(
      `90 % bad at ${perSecond}/s: refused after, mean`,
      round(average, 2),
      round(most * 1.25, 2),
      's',
    );
  }
  const alpha = 0.01;
  const runs = 1_000;
  let refused = 0;
  for (let i = 0; i < runs; i += 1) if (isRefused(random, alpha)) refused += 1;
  // Three standard deviations above what is allowed.
  proof.atMost('as good as the incumbent, looked at 600 times, alpha = 0.01: refused of 1,000', refused, 20);
}

function refusedAfter(random: Random, perSecond: number): number {
  const test = comparison({ alpha: 1e-6 });
  for (let tick = 1; tick < 10_000; tick += 1) {
    const candidate = random.poisson((perSecond / 10) * share);
    const incumbent = random.poisson((perSecond / 10) * (1 - share));
    const { refuse } = test.add({
      candidateRequests: candidate,
      candidateErrors: random.binomial(candidate, 0.9),
      incumbentRequests: incumbent,
      incumbentErrors: random.binomial(incumbent, p0),
    });
    if (refuse) return tick / 10;
  }
  return Number.POSITIVE_INFINITY;
}

/** Both get worse and better together, and the share changes: neither is a difference. */
function isRefused(random: Random, alpha: number): boolean {
  const test = comparison({ alpha });
  for (let tick = 0; tick < 600; tick += 1) {
    const slice = 0.05 + 0.45 * (tick / 600);
    const bad = tick % 100 < 20 ? 0.2 : 0.01;
    const candidate = random.poisson(10 * slice);
    const incumbent = random.poisson(10 * (1 - slice));
    const { refuse } = test.add({
      candidateRequests: candidate,
      candidateErrors: random.binomial(candidate, bad),
      incumbentRequests: incumbent,
      incumbentErrors: random.binomial(incumbent, bad),
    });
    if (refuse) return true;
  }
  return false;
}
