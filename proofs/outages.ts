/**
 * `npm run prove:outages [-- --only NAME]`: outages that others have told of, replayed: what became of requests on the usual
 * stack at its best, and here. Each is a file in proofs/outages.
 */
import { parseArgs } from 'node:util';
import { findBinaries } from '../src/main/replay/usual/stack.ts';
import { tableOf } from './ladder/table.ts';
import { comesBack } from './outages/comes-back.ts';
import { defaultBackend } from './outages/default-backend.ts';
import { dormantBug } from './outages/dormant-bug.ts';
import { emptiedFile } from './outages/emptied-file.ts';
import { goneName } from './outages/gone-name.ts';
import { lostHost } from './outages/lost-host.ts';
import { type OursOutcome, underHoldfast } from './outages/ours.ts';
import { regex } from './outages/regex.ts';
import type { Scenario } from './outages/scenario.ts';
import { startServers } from './outages/servers.ts';
import { onTheUsualStack, type UsualOutcome } from './outages/usual.ts';
import { wrongEnvironment } from './outages/wrong-environment.ts';
import { type Proof, prove } from './proof.ts';

const scenarios: readonly Scenario[] = [
  dormantBug,
  lostHost,
  regex,
  emptiedFile,
  wrongEnvironment,
  defaultBackend,
  goneName,
  comesBack,
];
const seconds = (ms: number | null, otherwise: string) =>
  ms === null ? otherwise : `${(ms / 1_000).toFixed(1)} s`;

function judge(proof: Proof, scenario: Scenario, usual: UsualOutcome, ours: OursOutcome): string[] {
  const seen = seconds(usual.seenMs, 'never');
  const over = seconds(usual.lastMs, '-');
  proof.tell(
    '  usual stack',
    `${usual.failed} of ${usual.of} failed, seen after ${seen}, the last after ${over}`,
  );
  proof.tell('  Holdfast', `${ours.what}, in ${seconds(ours.tookMs, '')}`);
  proof.holds(
    '  what came of it',
    ours.what.split(/[:(]/)[0] ?? '',
    `${scenario.wanted}`,
    scenario.wanted.test(ours.what),
  );
  proof.atMost(`  failed of ${ours.of} with Holdfast`, ours.failed, scenario.failedMax);
  proof.holds(
    '  the outage is one, on the usual stack',
    `${usual.failed}`,
    'more',
    usual.failed > ours.failed,
  );
  return [`${usual.failed} of ${usual.of}`, seen, over, `${ours.failed} of ${ours.of}`, ours.what];
}

await prove('outages', async (proof) => {
  const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean' } } });
  const chosen = scenarios.filter(({ name }) => values.only === undefined || name.includes(values.only));
  if (chosen.length === 0)
    throw new Error(`there is no "${values.only}". Known: ${scenarios.map(({ name }) => name).join(', ')}`);
  const binaries = findBinaries();
  const missing = Object.entries(binaries).filter(([, path]) => path === null);
  if (missing.length > 0) throw new Error(`not installed: ${missing.map(([name]) => name).join(', ')}`);
  const { servers, close } = await startServers();
  const columns = ['usual: failed', 'seen', 'last failure', 'Holdfast: failed', 'what came of it'];
  const table = new Map<string, ReadonlyMap<string, string>>();
  try {
    for (const scenario of chosen) {
      proof.say(`${scenario.name}: ${scenario.source}`);
      proof.say(`  ${scenario.story}`);
      const usual = await onTheUsualStack(scenario, servers, binaries);
      const ours = await underHoldfast(scenario, servers);
      const row = judge(proof, scenario, usual, ours);
      table.set(scenario.name, new Map(columns.map((column, at) => [column, row[at] ?? ''])));
    }
  } finally {
    close();
  }
  for (const line of tableOf(table, columns)) proof.say(line);
});
