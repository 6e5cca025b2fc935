/**
 * `npm run prove:badness [-- --kind KIND] [--rate N]`: what a bad change costs that nothing has stopped, by kind of badness
 * and by rate: failed requests with HAProxy's reload and with Caddy's admin API, both under Prometheus and Alertmanager as
 * fast as they go with a program that takes the change back at the page, and with Holdfast. Servers on the loopback.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../src/base/index.ts';
import { findCommand } from '../src/main/replay/processes.ts';
import { findBinaries } from '../src/main/replay/usual/stack.ts';
import { holdfastRun } from './badness/holdfast.ts';
import { badnesses } from './badness/kinds.ts';
import type { Outcome } from './badness/load.ts';
import { startServers } from './badness/servers.ts';
import { caddy, haproxy, type UsualPlan, usualRun } from './badness/usual.ts';
import { tableOf } from './ladder/table.ts';
import { type Proof, prove, undoing } from './proof.ts';

const rates = [10, 100, 1_000, 5_000];

function tell(proof: Proof, name: string, { failed, of, lastMs, rate, what }: Outcome): void {
  const until = lastMs === null ? '' : `, the last after ${(lastMs / 1_000).toFixed(1)} s`;
  proof.tell(`  ${name}`, `${failed} of ${of} failed${until} (${rate} a second; ${what})`);
}

/** A machine that does not send or answer so many says nothing of what a change costs at that rate. */
const carriedShareMin = 0.8;

/** Resolves with failed requests of each, for the table. */
async function row(proof: Proof, plan: UsualPlan): Promise<string> {
  const outcomes: Outcome[] = [];
  for (const [name, run] of [
    [haproxy.name, () => usualRun(haproxy, plan)],
    [caddy.name, () => usualRun(caddy, plan)],
    ['Holdfast, forced', () => holdfastRun(plan)],
  ] as const) {
    const outcome = await run();
    tell(proof, name, outcome);
    outcomes.push(outcome);
  }
  judge(proof, plan, outcomes);
  return outcomes.map(({ failed }) => failed).join(' / ');
}

/** With Holdfast no more fail than with the better of the others; what cannot be reached fails nobody. */
function judge(proof: Proof, { kind, rate }: UsualPlan, outcomes: readonly Outcome[]): void {
  const failed = outcomes.map((outcome) => outcome.failed);
  const ours = failed.pop() ?? 0;
  // What neither alarm sees, a good answer from the wrong site, our guard does not see: identity refuses it beforehand.
  if (kind.name === 'wrong site') return;
  const name = `  ${kind.name}, ${rate} a second: failed with Holdfast`;
  if (outcomes.some((outcome) => outcome.rate < carriedShareMin * rate)) {
    proof.tell(name, `${ours} (not judged: this machine does not carry ${rate} a second)`);
    return;
  }
  const isUnreachable = ['refused', 'black hole'].includes(kind.name);
  proof.atMost(name, ours, isUnreachable ? 0 : Math.min(...failed));
}

await prove('badness', async (proof) => {
  const { values } = parseArgs({
    options: { kind: { type: 'string' }, rate: { type: 'string' }, json: { type: 'boolean' } },
  });
  const kinds = badnesses.filter(({ name }) => values.kind === undefined || name === values.kind);
  if (kinds.length === 0)
    throw new Error(`there is no "${values.kind}". Known: ${badnesses.map(({ name }) => name).join(', ')}`);
  const binaries = findBinaries();
  const missing = Object.entries({ ...binaries, caddy: findCommand('caddy') }).filter(([, path]) => !path);
  if (missing.length > 0) throw new Error(`not installed: ${missing.map(([name]) => name).join(', ')}`);
  const chosen = values.rate === undefined ? rates : [Number(values.rate)];
  const servers = await startServers();
  const close = undoing(() => servers.close());
  const table = new Map<string, Map<string, string>>();
  const began = performance.now();
  let done = 0;
  try {
    // All kinds at one rate first: what the machine does not carry comes last.
    for (const rate of chosen)
      for (const kind of kinds) {
        const minutes = ((performance.now() - began) / 60_000).toFixed(1);
        proof.say(
          `${kind.name}, ${rate} a second (${done} of ${kinds.length * chosen.length} done, ${minutes} min)`,
        );
        const plan = { kind, rate, good: servers.good, bad: servers.bad(kind), binaries };
        const cells = table.get(kind.name) ?? new Map<string, string>();
        table.set(kind.name, cells);
        // The others are worth knowing all the same.
        const cell = await row(proof, plan).catch((error: unknown) => {
          proof.holds('  it went on to its end', messageOf(error).split('\n')[0] ?? '', 'yes', false);
          return '-';
        });
        cells.set(`${rate} a second`, cell);
        done += 1;
      }
  } finally {
    await close();
  }
  proof.say(`failed requests: ${haproxy.name} / ${caddy.name} / Holdfast, forced`);
  const columns = chosen.map((rate) => `${rate} a second`);
  for (const line of tableOf(table, columns)) proof.say(line);
});
