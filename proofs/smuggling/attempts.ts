/** Every published way, that we know of, to make a server see a request that its front did not. Our own words and bytes. */
import type { Attempt } from './attempt.ts';
import { downgrades } from './downgrades.ts';
import { framing } from './framing.ts';
import { heads } from './heads.ts';

export const attempts: readonly Attempt[] = [...framing, ...heads, ...downgrades];
