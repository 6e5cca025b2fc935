/**
 * `npm run prove:gates [-- --engine haproxy|nginx] [--case WORDS]`: each gate finds what it is for, and lets pass what it
 * must, on the real engines, under load: a table of gates, cases and verdicts. Then every process is killed at each step of a
 * change, and the machine boots without Holdfast. `--case boot`, `drift` (an edit behind its back) and `reached` (servers that
 * only maps or variables lead to, in a team's own text) do one of these alone.
 */
import { argv } from 'node:process';
import type { ChangeView } from '../src/contract/api.ts';
import { boots } from './gates/boots.ts';
import { type Case, cases } from './gates/cases.ts';
import { drifts } from './gates/drifts.ts';
import { type EngineOfField, openField } from './gates/field.ts';
import { reached } from './gates/reached.ts';
import { type Proof, prove } from './proof.ts';

const engines: readonly EngineOfField[] = ['haproxy', 'nginx'];

function option(name: string): string | null {
  const at = argv.indexOf(`--${name}`);
  return at < 0 ? null : (argv[at + 1] ?? '');
}

await prove('gates', async (proof) => {
  const [only, words] = [option('engine'), option('case')];
  const isAsked = (part: string) => words === null || words === part;
  for (const engine of engines) {
    if (only !== null && only !== engine) continue;
    proof.say(engine);
    if (words !== 'reached' && words !== 'boot') await inField(proof, engine, words);
    if (isAsked('reached')) await reached(proof, engine);
    if (isAsked('boot')) await boots(proof, engine);
  }
});

async function inField(proof: Proof, engine: EngineOfField, words: string | null): Promise<void> {
  const field = await openField(engine);
  try {
    for (const one of cases) {
      if (one.only !== undefined && one.only !== engine) continue;
      if (words !== null && !`${one.gate} ${one.name}`.includes(words)) continue;
      judge(proof, one, await one.how(field));
    }
    if (words === null || words === 'drift') await drifts(proof, field);
    const { sent, failed } = await field.traffic();
    proof.tell('requests meanwhile', sent);
    proof.tell('of them failed (the canary that was forced past the limits)', failed);
  } finally {
    await field.close();
  }
}

function judge(proof: Proof, { gate, name, verdict, state, says, shows }: Case, view: ChangeView): void {
  const report = view.gates.find((one) => one.gate === gate);
  const came = saidOf(view, report);
  const wanted = `${verdict}, ${state}`;
  const isSaid = says === undefined || says.test(report?.summary ?? '');
  const isShown = shows === undefined || (report?.evidence.some((line) => shows.test(line)) ?? false);
  const holds = came === wanted && isSaid && isShown;
  proof.holds(`${gate}: ${name}`, came, wanted, holds);
  if (!holds)
    proof.say(
      `      ${view.id} ${view.state}: ${view.why}; ${gate}: ${report?.summary ?? 'was not asked'}${isShown ? '' : `\n      ${report?.evidence.join('\n      ') ?? ''}`}`,
    );
}

function saidOf({ state }: ChangeView, report: ChangeView['gates'][number] | undefined): string {
  if (!report) return `not asked, ${state}`;
  if (report.summary.startsWith('nothing to do')) return `nothing to do, ${state}`;
  return `${report.forced ? 'forced' : report.verdict}, ${state}`;
}
