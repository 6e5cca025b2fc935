/** The contract's table: cases x engines x versions. `--write` keeps it in docs/contract.md. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf } from '#base';
import { type Engine, type EngineBinary, engines } from '#engines';
import { cases } from '../test/contract/cases/index.ts';
import { differenceOf } from '../test/contract/differences.ts';
import { cannotDo, type Tried, tryAll } from '../test/contract/field.ts';
import { mismatches } from '../test/contract/judge.ts';
import { type Column, contractPage, type Result } from './engines/page.ts';
import { binaryOf, bringRelease, releases } from './engines/versions.ts';
import { whenAndWhere } from './page.ts';
import { type Proof, prove } from './proof.ts';

const page = resolve(import.meta.dirname, '../docs/contract.md');
const all: readonly Engine[] = Object.values(engines);

interface Candidate {
  readonly engine: Engine;
  readonly binary: EngineBinary;
  readonly from: string;
  readonly judged: boolean;
}

function resultOf({ test, outcome }: Tried, engine: string, version: string): Result {
  const wrong = mismatches(test, outcome);
  if (wrong.length === 0) return { kind: 'expected' };
  const difference = differenceOf(test.id, engine, version);
  const still = difference && mismatches({ ...test, ...difference.instead }, outcome);
  return still?.length === 0 ? { kind: 'difference' } : { kind: 'other', what: wrong };
}

async function columnOf({ engine, binary, from, judged }: Candidate): Promise<Column> {
  const column = { engine: engine.name, version: binary.version.replace(/[-+].*$/, ''), from, judged };
  try {
    const tried = await tryAll({ engine, binary }, cases);
    const unable = cases.filter((one) => cannotDo(one, engine) !== null);
    const results = new Map<string, Result>([
      ...unable.map(({ id }) => [id, { kind: 'cannot' }] as const),
      ...tried.map((one) => [one.test.id, resultOf(one, engine.name, binary.version)] as const),
    ]);
    return { ...column, refused: null, results };
  } catch (error) {
    return { ...column, refused: firstReason(messageOf(error)), results: new Map() };
  }
}

/** The engine's own words say why it does not take the text. */
function firstReason(message: string): string {
  const alert = /\[(?:ALERT|emerg)\].*?: (?:config : )?(.*)/.exec(message)?.[1];
  return `refuses the text: ${(alert ?? message.trim().split('\n').slice(1).join(' ')).replaceAll(/\/tmp\/[^\s:\]]+\//g, '').slice(0, 160)}`;
}

async function candidates(proof: Proof, folder: string): Promise<readonly Candidate[]> {
  const found: Candidate[] = [];
  for (const engine of all) {
    const binary = await engine.find();
    if (!binary) throw new Error(`${engine.name} is not installed: ${engine.install}`);
    found.push({ engine, binary, from: engine.install === '' ? 'Holdfast' : 'installed', judged: true });
  }
  const others = all.filter(({ install }) => install !== '');
  for (const release of releases) {
    try {
      bringRelease(release, folder, others);
    } catch (error) {
      proof.tell(`${release.label} could not be brought: ${messageOf(error).slice(0, 120)}`, '-');
      continue;
    }
    for (const engine of others) {
      const binary = binaryOf(release, engine, folder);
      if (binary) found.push({ engine, binary, from: release.label, judged: false });
    }
  }
  return found.sort((a, b) => all.indexOf(a.engine) - all.indexOf(b.engine));
}

function tellColumn(proof: Proof, { engine, version, from, judged, refused, results }: Column): void {
  const kinds = [...results.values()].map(({ kind }) => kind);
  const count = (wanted: Result['kind']) => kinds.filter((kind) => kind === wanted).length;
  proof.say(`${engine} ${version} (${from})`);
  if (refused !== null) {
    if (judged) proof.holds(`  ${refused}`, 'no', 'takes the text', false);
    else proof.tell(`  ${refused}`, '-');
    return;
  }
  proof.tell('  cases as expected', count('expected'));
  proof.tell('  cases that it cannot do, refused at `check`', count('cannot'));
  proof.tell('  published differences', count('difference'));
  if (judged) proof.atMost('  something else', count('other'), 0);
  else proof.tell('  something else', count('other'));
  for (const [id, one] of results)
    if (one.kind === 'other') proof.say(`      ${id}: ${one.what.join('; ').slice(0, 160)}`);
}

await prove('engines', async (proof) => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-versions-'));
  chmodSync(folder, 0o755);
  try {
    const columns: Column[] = [];
    for (const candidate of await candidates(proof, folder)) {
      const column = await columnOf(candidate);
      columns.push(column);
      tellColumn(proof, column);
    }
    const versions = columns.filter(({ refused }) => refused === null).length;
    proof.atLeast('engines and versions tried', versions, all.length);
    proof.atLeast('cases', cases.length, 200);
    const summary = `${cases.length} cases, ${columns.length} versions of ${all.length} engines, ${columns.length - versions} of which refuse the text.`;
    if (process.argv.includes('--write'))
      writeFileSync(page, contractPage(columns, whenAndWhere(new Date()), summary));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
