/**
 * `npm run prove:ladder [-- --engine WAY] [--phase PHASE]`: an engine that misbehaves in each way known by name, from each
 * point in the life of a change on. Real HAProxy behind a script or with a library loaded into it; a real site under load.
 */
import { parseArgs } from 'node:util';
import { startOrigin } from '../test/world/origins.ts';
import { type Cell, cell, judged } from './ladder/cell.ts';
import { type Misbehaviour, misbehaviours } from './ladder/misbehaviour.ts';
import { phases } from './ladder/phases.ts';
import { tableOf } from './ladder/table.ts';
import { prove } from './proof.ts';

/** The other cells are worth knowing all the same. */
function nothingCame(error: unknown): Cell {
  const what = error instanceof Error ? error.message.split('\n')[0] : String(error);
  return { what: what ?? '', failed: 0, of: 0, gapMs: 0, served: false };
}

function chosen<T extends string>(all: readonly T[], named: string | undefined, what: string): readonly T[] {
  if (named === undefined) return all;
  const found = all.filter((one) => one === named);
  if (found.length === 0) throw new Error(`there is no ${what} "${named}". Known: ${all.join(', ')}`);
  return found;
}

await prove('ladder', async (proof) => {
  const { values } = parseArgs({
    options: { engine: { type: 'string' }, phase: { type: 'string' }, json: { type: 'boolean' } },
  });
  const ways = chosen(Object.keys(misbehaviours) as Misbehaviour[], values.engine, 'engine');
  const names = chosen(
    phases.map(({ name }) => name),
    values.phase,
    'phase',
  );
  const origins = await Promise.all(['one', 'two'].map((name) => startOrigin({ name })));
  const ports = origins.map(({ port }) => port);
  const table = new Map<Misbehaviour, Map<string, string>>();
  try {
    for (const way of ways) {
      proof.say(`${way}: ${misbehaviours[way].what}`);
      const row = new Map<string, string>();
      table.set(way, row);
      for (const phase of phases.filter(({ name }) => names.includes(name))) {
        const came = await cell(way, phase, ports).catch(nothingCame);
        const { seen, wanted, holds } = judged(way, phase, came);
        proof.holds(phase.name, seen, wanted, holds);
        row.set(phase.name, `${came.what}${came.failed > 0 ? `, ${came.failed} failed` : ''}`);
      }
    }
  } finally {
    for (const origin of origins) await origin.close();
  }
  for (const line of tableOf(table, names)) proof.say(line);
});
