/**
 * `npm run prove:mutants -- --seed N --minutes N --mutants N`: bugs are planted in the model, one at a time, and the decisions of
 * real engines have to find them. What the engines did is recorded once; each mutant is a process that loads the model with one
 * place changed.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Finding } from './mutants/child.ts';
import { equivalent, excluded } from './mutants/excluded.ts';
import { type Mutant, mutants, reachOf, tried } from './mutants/mutants.ts';
import { record } from './mutants/tape.ts';
import { type Proof, prove } from './proof.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    /** No more mutants are begun after that. */
    minutes: { type: 'string', default: '10' },
    /** No more than so many. */
    mutants: { type: 'string', default: '100000' },
    /** Recorded of each engine. */
    decisions: { type: 'string', default: '6400' },
    json: { type: 'boolean' },
  },
});

const foundShareLeast = 95;
const together = 2;

interface Tried {
  readonly mutant: Mutant;
  readonly finding: Finding;
}

await prove('mutants', async (proof) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'));
  try {
    await run(proof, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function run(proof: Proof, folder: string): Promise<void> {
  const end = Date.now() + Number(values.minutes) * 60_000;
  const seed = Number(values.seed);
  const files = {
    haproxy: join(folder, 'haproxy.json'),
    nginx: join(folder, 'nginx.json'),
    both: join(folder, 'both.json'),
  };
  const haproxy = await record('haproxy', seed, Number(values.decisions));
  const nginx = await record('nginx', seed, Number(values.decisions));
  writeFileSync(files.haproxy, JSON.stringify(haproxy));
  writeFileSync(files.nginx, JSON.stringify(nginx));
  writeFileSync(
    files.both,
    JSON.stringify(
      haproxy.flatMap((one, at) => [one, nginx[at]].filter(Boolean)).concat(nginx.slice(haproxy.length)),
    ),
  );
  const isReached = await reachOf(files.both);
  const all = mutants(seed);
  const open = all.filter(isReached).filter((one) => sameAs(one) === null);
  for (const { path, why } of excluded) proof.say(`    nothing is planted in ${path}: ${why}`);
  proof.tell('places where a bug can be planted', all.length);
  proof.tell('of which the decisions come by', all.filter(isReached).length);
  proof.tell(
    'known to be the same as what they were made from',
    all.filter((one) => sameAs(one) !== null).length,
  );
  told(proof, await triedAll(open.slice(0, Number(values.mutants)), files, end));
}

/** Several at a time, until the time is over. */
async function triedAll(
  drawn: readonly Mutant[],
  files: Readonly<Record<'haproxy' | 'nginx' | 'both', string>>,
  end: number,
): Promise<readonly Tried[]> {
  const results: Tried[] = [];
  const waiting = drawn.values();
  const worker = async () => {
    for (const mutant of waiting) {
      if (Date.now() > end) return;
      results.push({ mutant, finding: await tried(mutant, files[mutant.engine ?? 'both']) });
    }
  };
  await Promise.all(Array.from({ length: together }, worker));
  return results;
}

function told(proof: Proof, results: readonly Tried[]): void {
  const table = (by: (one: Tried) => string) =>
    [...Map.groupBy(results, by)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const share = (some: readonly Tried[]) =>
    (100 * some.filter(({ finding }) => finding.found).length) / some.length;
  for (const [rule, some] of table(({ mutant }) => mutant.rule))
    proof.tell(`found of ${some.length}: ${rule}`, `${Math.round(share(some))} %`);
  for (const [how, some] of table(({ finding }) => finding.found ?? 'not found'))
    proof.tell(`by: ${how}`, some.length);
  for (const { mutant, finding } of results)
    if (!finding.found)
      proof.say(
        `    not found: ${mutant.file}:${mutant.line} ${mutant.rule}: ${JSON.stringify(mutant.was.slice(0, 60))} to ${JSON.stringify(mutant.is.slice(0, 60))}\n        ${mutant.text}`,
      );
  proof.atLeast(`found of ${results.length} mutants`, share(results), foundShareLeast, '%');
}

function sameAs({ file, text, rule }: Mutant): string | null {
  return equivalent.find((one) => one.file === file && one.text === text && one.rule === rule)?.why ?? null;
}
