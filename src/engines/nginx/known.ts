import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Servers } from './evidence.ts';
import type { PoolFacts, TextFacts } from './facts.ts';
import { flag } from './flag.ts';

/** Whom a generation began without gets requests again as soon as a probe finds one of the pool's well. */
export function lettingBack(folder: string, facts: () => TextFacts): (seen: Servers) => void {
  const back = new Set<string>();
  return (seen) => {
    for (const { name, known } of facts().pools) {
      if (!known || back.has(known.flag)) continue;
      const isBack = seen.some(
        (s) => s.pool === name && s.state === 'up' && known.servers.includes(s.server),
      );
      if (!isBack) continue;
      chmodSync(join(folder, known.flag), flag.set);
      back.add(known.flag);
    }
  };
}

/** Servers that the generation began without, and that nobody has let back since: no probe needs to find that out again. */
export function stillOut(folder: string): (pool: PoolFacts) => readonly string[] {
  return ({ known }) => (known && !isSet(folder, known.flag) ? known.servers : []);
}

function isSet(folder: string, name: string): boolean {
  const mode = statSync(join(folder, name), { throwIfNoEntry: false })?.mode ?? flag.unset;
  return (mode & 0o777) === flag.set;
}
