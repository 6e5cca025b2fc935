import type { Watched } from './series.ts';
import type { Stated } from './stated.ts';

/** Probes that fail as series like any other: they join what is counted in one fault, and it is located once. */
export interface SymptomBook {
  /** All that is so now. What is new is to be raised; what is missing is alarmed no more. */
  are(now: number, all: readonly Stated[]): readonly Watched[];
}

/** What it comes of is looked for: requests and servers. Names, ports and certificates say themselves what they are. */
export function isLocated({ series, isSymptom }: Stated): boolean {
  return series === 'probes' && isSymptom;
}

const sure = 1_000;

interface Symptom extends Watched {
  alarmed: boolean;
  score: number;
  stated: Stated;
}

export function symptomBook(): SymptomBook {
  const open = new Map<string, Symptom>();
  return {
    are(now, all) {
      const mine = new Map(all.filter(isLocated).map((one) => [one.key, one]));
      for (const [key, one] of open) {
        const stated = mine.get(key);
        if (stated) one.stated = stated;
        else {
          Object.assign(one, { alarmed: false, score: 0 });
          open.delete(key);
        }
      }
      const fresh = [...mine.values()].filter(({ key }) => !open.has(key)).map((one) => symptomOf(one, now));
      for (const one of fresh) open.set(one.stated.key, one);
      return fresh;
    },
  };
}

function symptomOf(stated: Stated, now: number): Symptom {
  const { scope, series } = stated;
  const pool = 'pool' in scope ? scope.pool : null;
  const balancer = scope.kind === 'balancer' ? scope.balancer : '';
  const one: Symptom = {
    ...{ series, scope, balancer, pool, stated, beganAt: now, alarmed: true, score: sure },
    words: () => one.stated.verdict.sentence,
  };
  return one;
}
