/** Kill -9 of the controller at several moments of a change, and of `up` itself, against the real `holdfast up`. */
import { join } from 'node:path';
import type { StatusView } from '../../src/contract/index.ts';
import { startOrigin } from '../../test/world/origins.ts';
import { freePort } from '../../test/world/stack.ts';
import { makeFolders, type, type UpSite, up } from '../../test/world/up.ts';
import type { Proof } from '../proof.ts';
import { inAChange } from './in-change.ts';
import { failedOf, get, pidIn, type SiteField, startLoads, writeSite } from './site.ts';

/** When the controller dies: in that state of the change, and so long after it began. */
const moments = [
  { state: 'proposed', afterMs: 0 },
  { state: 'gated', afterMs: 0 },
  { state: 'canary', afterMs: 50 },
  { state: 'canary', afterMs: 700 },
  { state: 'baking', afterMs: 100 },
  { state: 'baking', afterMs: 900 },
  { state: 'baking', afterMs: 1_000 },
  { state: 'baking', afterMs: 1_100 },
] as const;

export async function killControllers(proof: Proof): Promise<void> {
  const field: SiteField = {
    folders: makeFolders(),
    http: await freePort(),
    origin: await startOrigin({ name: 'web' }),
  };
  let running: UpSite | null = null;
  try {
    running = await up([writeSite(field, 'first'), '--port', '0'], field.folders.env);
    for (const [number, moment] of moments.entries())
      await inAChange(proof, field, {
        ...moment,
        name: `SIGKILL controller`,
        server: `server-${number}`,
        lost: 'none',
        strike: () => process.kill(pidIn(field, 'controller.pid'), 'SIGKILL'),
      });
    running = await killUp(proof, field, running);
    const words = await running.stop();
    proof.holds(
      '  Ctrl-C ends everything',
      words.trim().split('\n').at(-1) ?? '',
      'nothing left',
      /Nothing is left/.test(words),
    );
    const verified = await type(['journal', 'verify'], { env: field.folders.env }).ended;
    proof.holds('  the journal, verified offline', `exit ${verified.exit}`, 'exit 0', verified.exit === 0);
  } finally {
    await running?.stop();
    await field.origin.close();
    field.folders.remove();
  }
}

/** Everything outlives `up`; a new one takes it all up, engines included. */
async function killUp(proof: Proof, field: SiteField, running: UpSite): Promise<UpSite> {
  proof.say('SIGKILL up itself');
  const loads = await startLoads(field);
  try {
    const before = await get<StatusView>(field, '/v1/status');
    running.up.child.kill('SIGKILL');
    await running.up.ended;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const alone = await get<StatusView>(field, '/v1/status');
    proof.holds('  a second later', alone.state, 'serving', alone.state === 'serving');
    const next = await up([join(field.folders.folder, 'first.yaml'), '--port', '0'], field.folders.env);
    const after = await get<StatusView>(field, '/v1/status');
    const pids = ({ balancers }: StatusView) =>
      balancers.flatMap((b) => ('generations' in b ? b.generations.map((g) => g.pid) : [])).join(' ');
    proof.holds(
      '  engines before and after the next one',
      pids(after),
      pids(before),
      pids(after) === pids(before),
    );
    const { all, failed, how } = await failedOf(loads);
    proof.atMost(`  failed of ${all} ${how}`, failed, 0);
    return next;
  } finally {
    for (const load of loads) load.kill();
  }
}
