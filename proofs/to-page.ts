/**
 * `npm run prove:page [-- --only WORDS]`: from the first bad answer to the page at its receiver, for the founding incident and
 * others: Holdfast, Prometheus with Alertmanager as the popular collections have them and as fast as they go, and somebody
 * who asks each minute.
 */
import { parseArgs } from 'node:util';
import { findBinaries } from '../src/main/replay/usual/stack.ts';
import { type Proof, prove } from './proof.ts';
import { type Case, cases, rate } from './to-page/case.ts';
import { ours, type Paged } from './to-page/ours.ts';
import { type UsualPages, usual } from './to-page/usual.ts';

/** Nobody's page takes longer, or it does not come. */
const usualMsMax = 300_000;

function tellOurs(proof: Proof, one: Case, paged: readonly Paged[]): number {
  proof.say(`${one.name}, ${rate} requests a second: ms to the page after the first bad answer`);
  const sorted = (times: readonly number[]) => times.toSorted((a, b) => a - b);
  const afterBad = sorted(paged.flatMap(({ afterBadMs }) => (afterBadMs === null ? [] : [afterBadMs])));
  const afterStrike = sorted(paged.map(({ afterStrikeMs }) => afterStrikeMs));
  const without = paged.length - afterBad.length;
  if (without > 0) proof.tell(`  of ${paged.length} times nobody got a bad answer`, without);
  if (afterBad.length > 0) {
    proof.tell(`  Holdfast, median of ${afterBad.length}`, middle(afterBad));
    proof.atMost(`  Holdfast, worst of ${afterBad.length}`, afterBad.at(-1) ?? 0, one.most);
  }
  proof.tell('  Holdfast, median since it was done to it', middle(afterStrike));
  proof.say(`    the page says: ${paged.at(-1)?.cause ?? ''}`);
  return middle(afterBad.length > 0 ? afterBad : afterStrike);
}

const middle = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] ?? 0;

function tellUsual(proof: Proof, { name }: Case, median: number, pages: UsualPages): void {
  proof.say(name);
  for (const [who, ms] of Object.entries(pages)) {
    const times = ms === null || median <= 0 ? '' : `, ${Math.round(ms / median)} times as long as Holdfast`;
    const how = who === 'asking each minute' ? who : `Prometheus and Alertmanager, ${who}`;
    proof.tell(
      `  ${how}`,
      ms === null ? `no page within ${usualMsMax / 1_000} s` : `${Math.round(ms)} ms${times}`,
    );
  }
}

await prove('page', async (proof) => {
  const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean' } } });
  const chosen = cases.filter(({ name }) => new RegExp(values.only ?? '').test(name));
  if (chosen.length === 0) throw new Error(`no case has "${values.only}" in its name`);
  const binaries = findBinaries();
  const missing = Object.entries(binaries).filter(([, path]) => path === null);
  if (missing.length > 0) throw new Error(`not installed: ${missing.map(([name]) => name).join(', ')}`);
  const medians: number[] = [];
  for (const one of chosen) medians.push(tellOurs(proof, one, await ours(one)));
  proof.say('the same for the others, every case at the same moment, each with its own requests');
  const pages = await usual(chosen, binaries, usualMsMax);
  for (const [at, one] of chosen.entries()) {
    const mine = pages[at];
    if (mine) tellUsual(proof, one, medians[at] ?? 0, mine);
  }
});
