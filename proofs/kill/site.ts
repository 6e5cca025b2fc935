/** A site under the real `holdfast up`: its texts, its API asked without patience, requests to it, and what a change has to leave. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiLocation, type ProcessIdentity, sitePaths } from '../../src/base/index.ts';
import type { ChangeView, StatusView } from '../../src/contract/index.ts';
import { finalStates, type JournalEntry } from '../../src/events/index.ts';
import type { LoadProcess } from '../../src/main/replay/load-process.ts';
import { type RequestRecord, startLoadProcess, usualLoad } from '../../test/world/load.ts';
import type { Origin } from '../../test/world/origins.ts';
import { patientCheck, shopText } from '../../test/world/shop.ts';
import { until } from '../../test/world/stack.ts';
import { type Folders, type } from '../../test/world/up.ts';
import type { Proof } from '../proof.ts';

export interface SiteField {
  readonly folders: Folders;
  readonly http: number;
  readonly origin: Origin;
  /** Of each kind of connection. */
  readonly ratePerSecond?: number;
}

/** Another name of the server makes another text. */
export function writeSite({ folders, http, origin }: SiteField, server: string): string {
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
export async function get<T>({ folders }: SiteField, path: string): Promise<T> {
  const { url, token } = JSON.parse(readFileSync(sitePaths('t', folders.env).api, 'utf8')) as ApiLocation;
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

export function pidIn({ folders }: SiteField, file: string): number {
  const path = join(sitePaths('t', folders.env).run, file);
  return (JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity).pid;
}

export async function startLoads({ http, ratePerSecond = 400 }: SiteField): Promise<LoadProcess[]> {
  const usual = { ...usualLoad, port: http, hostname: 'shop.example', ratePerSecond, expectBody: 'web' };
  return await Promise.all((['new', 'kept'] as const).map((kind) => startLoadProcess({ ...usual, kind })));
}

export async function recordsOf(loads: readonly LoadProcess[]): Promise<RequestRecord[]> {
  return (await Promise.all(loads.map((load) => load.stop()))).flatMap(({ records }) => records);
}

export async function failedOf(
  loads: readonly LoadProcess[],
): Promise<{ all: number; failed: number; how: string }> {
  const records = await recordsOf(loads);
  const failed = records.filter((r) => r.outcome !== 'ok');
  const how = [...Map.groupBy(failed, (r) => `${r.outcome} ${r.status ?? ''}`)];
  return {
    all: records.length,
    failed: failed.length,
    how: how.map(([outcome, some]) => `${outcome} ${some.length}`).join(', '),
  };
}

/** A final state; what runs is what it says; nothing that was seen in the journal is gone; and it verifies. */
export async function judgeChange(
  proof: Proof,
  field: SiteField,
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
    const { entries } = await until('the journal', () =>
      get<{ entries: JournalEntry[] }>(field, `/v1/journal?after=${last}`),
    );
    for (const entry of entries) kept.set(entry.sequence, entry.hash);
    if (entries.length === 0) break;
    last = entries.at(-1)?.sequence ?? last;
  }
  const lost = [...acknowledged].filter(([sequence, hash]) => kept.get(sequence) !== hash).length;
  proof.atMost(`  entries lost, of ${acknowledged.size} that were read before`, lost, 0);
  const verified = await type(['journal', 'verify'], { env: field.folders.env }).ended;
  proof.holds('  journal verify', `exit ${verified.exit}`, 'exit 0', verified.exit === 0);
}
