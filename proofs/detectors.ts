/** DETECTION.md's tables and its budget of false alarms, by simulation: delays, bursts, importance sampling, months of traffic. */
import { bursts } from './detectors/bursts.ts';
import { canary } from './detectors/canary.ts';
import { delays } from './detectors/delays.ts';
import { falseAlarms } from './detectors/false-alarms.ts';
import { others } from './detectors/others.ts';
import { prove } from './proof.ts';

await prove('detectors', async (proof) => {
  for (const part of [delays, falseAlarms, bursts, canary, others]) {
    await part(proof);
    // A proof that computes for minutes lets its lines out.
    await new Promise((resolve) => setImmediate(resolve));
  }
});
