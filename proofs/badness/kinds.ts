/** What the servers that a bad change leads to are like, and what clients take for a failed request. */
import type { Way } from '../../test/world/origins.ts';

type Bad = Way | 'no answer to SYN';

export interface Badness {
  readonly name: string;
  readonly ways: readonly Bad[];
  /** A client that has waited so long has failed. */
  readonly timeoutMs: number;
}

const patienceMs = 5_000;
const ten = (one: Bad): Bad[] => Array.from({ length: 10 }, () => one);

export const badnesses: readonly Badness[] = [
  { name: 'refused', ways: ten('refuses'), timeoutMs: patienceMs },
  { name: 'black hole', ways: ten('no answer to SYN'), timeoutMs: patienceMs },
  { name: '500s', ways: ten('errors'), timeoutMs: patienceMs },
  { name: 'slow', ways: ten('slow'), timeoutMs: 1_000 },
  { name: '10 % bad', ways: ['errors', ...ten('right').slice(1)], timeoutMs: patienceMs },
  { name: 'wrong site', ways: ten('wrong'), timeoutMs: patienceMs },
];

/** What a good answer's body begins with. */
export const goodName = 'web-';
