/** Kill -9 of the controller at several moments of a change, and of `up` itself, against the real `holdfast up`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiLocation, type ProcessIdentity, sitePaths } from '../../src/base/index.ts';
import type { ChangeView, StatusView } from '../../src/contract/index.ts';
import { finalStates, type JournalEntry } from '../../src/events/index.ts';
import type { LoadProcess } from '../../src/main/replay/load-process.ts';
import { startLoadProcess, usualLoad } from '../../test/world/load.ts';
import { type Origin, startOrigin } from '../../test/world/origins.ts';
import { patientCheck, shopText } from '../../test/world/shop.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { type Folders, makeFolders, type, type UpSite, up } from '../../test/world/up.ts';
import type { Proof } from '../proof.ts';

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
const endsMsMax = 30_000;

interface Field {
  readonly folders: Folders;
  readonly http: number;
  readonly origin: Origin;
}

/** Another name of the server makes another text. */
function writeSite({ folders, http, origin }: Field, server: string): string {
  const guard = 'guard:\n  canary: { steps: [0.25, 1], step: 500ms }\n  bake: 1s\n';
  const servers = [{ name: server, port: origin.port }];
  const file = join(folders.folder, `${server}.yaml`);
  writeFileSync(
    file,
    shopText(
      { http, https: null, engine: 'haproxy', servers, more: guard, healthCheck: patientCheck },
      folders.folder,
    ),
  );
  return file;
}

/** The API as `holdfast` finds it, asked without its patience: an answer or none. */
async function get<T>({ folders }: Field, path: string): Promise<T> {
  const { url, token } = JSON.parse(readFileSync(sitePaths('t', folders.env).api, 'utf8')) as ApiLocation;
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

function pidIn({ folders }: Field, file: string): number {
  const path = join(sitePaths('t', folders.env).run, file);
  return (JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity).pid;
}

async function startLoads(http: number): Promise<LoadProcess[]> {
  const usual = { ...usualLoad, port: http, hostname: 'shop.example', ratePerSecond: 400, expectBody: 'web' };
  return await Promise.all((['new', 'kept'] as const).map((kind) => startLoadProcess({ ...usual, kind })));
}

async function failedOf(
  loads: readonly LoadProcess[],
): Promise<{ all: number; failed: number; how: string }> {
  const records = (await Promise.all(loads.map((load) => load.stop()))).flatMap((result) => result.records);
  const failed = records.filter((r) => r.outcome !== 'ok');
  const how = [...Map.groupBy(failed, (r) => `${r.outcome} ${r.status ?? ''}`)];
  return {
    all: records.length,
    failed: failed.length,
    how: how.map(([outcome, some]) => `${outcome} ${some.length}`).join(', '),
  };
}

export async function killControllers(proof: Proof): Promise<void> {
  const field: Field = {
    folders: makeFolders(),
    http: await freePort(),
    origin: await startOrigin({ name: 'web' }),
  };
  let running: UpSite | null = null;
  try {
    running = await up([writeSite(field, 'first'), '--port', '0'], field.folders.env);
    for (const [number, moment] of moments.entries()) await killInChange(proof, field, moment, number);
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

async function killInChange(
  proof: Proof,
  field: Field,
  { state, afterMs }: (typeof moments)[number],
  number: number,
): Promise<void> {
  proof.say(`SIGKILL controller, ${afterMs} ms after the change was ${state}`);
  const loads = await startLoads(field.http);
  try {
    const before = (await get<{ changes: ChangeView[] }>(field, '/v1/changes')).changes.length;
    const file = writeSite(field, `server-${number}`);
    const applied = type(['apply', file, '--unfreeze', '--reason', 'measured'], { env: field.folders.env });
    const acknowledged = new Map<number, string>();
    await until(`a change that is ${state}`, async () => {
      for (const entry of (await get<{ entries: JournalEntry[] }>(field, '/v1/journal')).entries)
        acknowledged.set(entry.sequence, entry.hash);
      const { changes } = await get<{ changes: ChangeView[] }>(field, '/v1/changes');
      return changes.length > before && changes[0]?.state === state;
    });
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    const at = performance.now();
    process.kill(pidIn(field, 'controller.pid'), 'SIGKILL');
    const change = await until(
      'the end of the change',
      async () => {
        const { changes } = await get<{ changes: ChangeView[] }>(field, '/v1/changes');
        return (
          changes.length > before && changes.find((c) => finalStates.includes(c.state) && c === changes[0])
        );
      },
      endsMsMax,
    );
    proof.tell('  the change ended, ms after the kill', performance.now() - at);
    await judgeChange(proof, field, change, acknowledged);
    const { exit } = await applied.ended;
    proof.tell('  apply, whose controller died, ended with', `exit ${exit}`);
    const { all, failed, how } = await failedOf(loads);
    proof.atMost(`  failed of ${all} ${how}`, failed, 0);
  } finally {
    for (const load of loads) load.kill();
  }
}

/** A final state; what runs is what it says; nothing that was seen in the journal is gone; and it verifies. */
async function judgeChange(
  proof: Proof,
  field: Field,
  change: ChangeView,
  acknowledged: ReadonlyMap<number, string>,
): Promise<void> {
  proof.holds('  the change ended', change.state, 'a final state', finalStates.includes(change.state));
  const consistent = await until('one text, active and parked, no candidate', async () => {
    const status = await get<StatusView>(field, '/v1/status');
    const generations = status.balancers.flatMap((b) => ('generations' in b ? b.generations : []));
    const serving = generations.filter((g) => g.role !== 'draining');
    const active = serving.filter((g) => g.role === 'active' && g.state === 'accepting');
    const isRight =
      change.state === 'promoted'
        ? active[0]?.siteHash === change.siteHash
        : active[0]?.siteHash !== change.siteHash;
    return serving.length === 2 && active.length === 1 && isRight && active[0]?.siteHash === status.siteHash;
  }).catch((error: Error) => error.message);
  proof.holds(
    '  what serves is what the change says',
    consistent === true ? 'yes' : `${consistent}`,
    'yes',
    consistent === true,
  );
  const kept = new Map<number, string>();
  for (let last = 0; ; ) {
    const { entries } = await get<{ entries: JournalEntry[] }>(field, `/v1/journal?after=${last}`);
    for (const entry of entries) kept.set(entry.sequence, entry.hash);
    if (entries.length === 0) break;
    last = entries.at(-1)?.sequence ?? last;
  }
  const lost = [...acknowledged].filter(([sequence, hash]) => kept.get(sequence) !== hash).length;
  proof.atMost(`  entries lost, of ${acknowledged.size} that were read before`, lost, 0);
  const verified = await type(['journal', 'verify'], { env: field.folders.env }).ended;
  proof.holds('  journal verify', `exit ${verified.exit}`, 'exit 0', verified.exit === 0);
}

/** Everything outlives `up`; a new one takes it all up, engines included. */
async function killUp(proof: Proof, field: Field, running: UpSite): Promise<UpSite> {
  proof.say('SIGKILL up itself');
  const loads = await startLoads(field.http);
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
