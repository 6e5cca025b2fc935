/**
 * `npm run prove:badness [-- --kind KIND] [--rate N]`: what a bad change costs that nothing has stopped, by kind of badness
 * and by rate: failed requests with HAProxy's reload and with Caddy's admin API, both under Prometheus and Alertmanager as
 * fast as they go with a program that takes the change back at the page, and with Holdfast. Servers on the loopback.
 */
import { parseArgs } from 'node:util';
import { findCommand } from '../src/main/replay/processes.ts';
import { findBinaries } from '../src/main/replay/usual/stack.ts';
import { holdfastRun } from './badness/holdfast.ts';
import { badnesses, startServers } from './badness/kinds.ts';
import type { Outcome } from './badness/load.ts';
import { caddy, haproxy, type UsualPlan, usualRun } from './badness/usual.ts';
import { type Proof, prove } from './proof.ts';

const rates = [10, 100, 1_000, 5_000];

function tell(proof: Proof, name: string, { failed, of, lastMs, rate, what }: Outcome): void {
  const until = lastMs === null ? '' : `, the last after ${(lastMs / 1_000).toFixed(1)} s`;
  proof.tell(`  ${name}`, `${failed} of ${of} failed${until} (${rate} a second; ${what})`);
}

/** With Holdfast no more fail than with the better of the others; what cannot be reached fails nobody. */
async function row(proof: Proof, plan: UsualPlan): Promise<void> {
  const others: Outcome[] = [];
  for (const usual of [haproxy, caddy]) {
    const outcome = await usualRun(usual, plan);
    tell(proof, usual.name, outcome);
    others.push(outcome);
  }
  const ours = await holdfastRun(plan);
  tell(proof, 'Holdfast, forced', ours);
  // What neither alarm sees, a good answer from the wrong site, our guard does not see: identity refuses it beforehand.
  if (plan.kind.name === 'wrong site') return;
  const isUnreachable = ['refused', 'black hole'].includes(plan.kind.name);
  const most = isUnreachable ? 0 : Math.min(...others.map(({ failed }) => failed));
  proof.atMost(`  ${plan.kind.name}, ${plan.rate} a second: failed with Holdfast`, ours.failed, most);
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
  const servers = await startServers();
  try {
    for (const kind of kinds)
      for (const rate of values.rate === undefined ? rates : [Number(values.rate)]) {
        proof.say(`${kind.name}, ${rate} a second`);
        await row(proof, { kind, rate, good: servers.good, bad: servers.bad(kind), binaries });
      }
  } finally {
    await servers.close();
  }
});
