/** Many decisions of a real engine, each against what its meaning says. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { meaning } from '#routing';
import { type Random, seededRandom } from '../../test/world/random.ts';
import { disagreement } from './compare.ts';
import { type RunningEngine, startHaproxy, type Trial } from './haproxy.ts';
import { poolsPerText } from './haproxy-text.ts';
import { requestNear } from './requests.ts';
import { startServers } from './servers.ts';
import { askAll, bytesOf } from './wire.ts';

/** Starts an engine with so many random texts. */
export type Starter = (
  random: Random,
  texts: number,
  folder: string,
  servers: readonly string[],
) => Promise<RunningEngine>;

export const starters = { haproxy: startHaproxy } as const satisfies Record<string, Starter>;

export interface Outcome {
  readonly decisions: number;
  /** Requests of which the meaning does not say what becomes of them. */
  readonly unsaid: number;
  readonly texts: number;
  readonly disagreements: readonly string[];
  /** How many decisions had which kind of fate. */
  readonly kinds: Readonly<Record<string, number>>;
}

const requestsPerText = 64;
const textsPerProcess = 100;
const shownMax = 20;

export async function decide(engine: keyof typeof starters, seed: number, wanted: number): Promise<Outcome> {
  const random = seededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-plan-'));
  chmodSync(folder, 0o755);
  const servers = await startServers(folder, poolsPerText);
  const sum = {
    decisions: 0,
    unsaid: 0,
    texts: 0,
    disagreements: [] as string[],
    kinds: {} as Record<string, number>,
  };
  try {
    while (sum.decisions < wanted) {
      const missing = Math.ceil((wanted - sum.decisions) / requestsPerText);
      const running = await starters[engine](
        random,
        Math.min(textsPerProcess, missing),
        folder,
        servers.paths,
      );
      try {
        for (const trial of running.trials) await tryOut(trial, random, sum);
      } finally {
        await running.close();
      }
    }
  } finally {
    await servers.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return sum;
}

type Sum = { -readonly [Key in keyof Outcome]: Outcome[Key] } & {
  disagreements: string[];
  kinds: Record<string, number>;
};

async function tryOut(trial: Trial, random: Random, sum: Sum): Promise<void> {
  sum.texts += 1;
  for (const scheme of ['http', 'https'] as const) {
    const count = scheme === 'http' ? (requestsPerText * 3) / 4 : requestsPerText / 4;
    const requests = Array.from({ length: count }, () => requestNear(random, trial.words, scheme));
    const replies = await askAll(trial.entrances[scheme], requests);
    requests.forEach((request, index) => {
      const reply = replies[index];
      const { ways, exact } = meaning.fateOf(trial.meaning, request);
      const fate = ways[0]?.fate;
      sum.decisions += 1;
      if (!exact || fate === undefined || reply === undefined) {
        sum.unsaid += 1;
        return;
      }
      sum.kinds[fate.kind] = (sum.kinds[fate.kind] ?? 0) + 1;
      const wrong = disagreement(fate, reply, trial.serverOf);
      if (wrong === null) return;
      const asked = bytesOf(request).trim().replaceAll('\r\n', ' | ');
      const where = ways[0]?.steps.map(({ place, text }) => `${place.line} ${text}`).join(' > ');
      if (sum.disagreements.length < shownMax)
        sum.disagreements.push(
          `${trial.name} ${scheme} from ${request.sourceAddress}: ${asked}\n    ${wrong}\n    by ${where}\n${trial.text}`,
        );
      else sum.disagreements.push(trial.name);
    });
  }
}
