/** A real balancer whose candidate answers everybody from the wrong servers: for proofs and benchmarks of switch and rollback. */
import type { SiteText } from '#contract';
import type { EngineName } from '#model';
import { type HolderClient, holderClient } from '../src/agent/holder/protocol.ts';
import { type LoadPlan, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { shopText } from '../test/world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../test/world/stack.ts';
import { type OriginProcess, startOriginProcess } from './origin.ts';

export const kinds = {
  new: { name: 'new connections, HTTP/1.1', kind: 'new', tls: false },
  kept: { name: 'kept-alive, HTTP/1.1', kind: 'kept', tls: false },
  newTls: { name: 'new connections, TLS', kind: 'new', tls: true },
  h2: { name: 'kept-alive, HTTP/2 over TLS', kind: 'h2', tls: true },
} as const satisfies Record<string, Pick<LoadPlan, 'kind' | 'tls'> & { name: string }>;
export type Kind = (typeof kinds)[keyof typeof kinds];

export interface Field {
  readonly stack: Stack;
  readonly holder: HolderClient;
  readonly http: number;
  readonly https: number;
  /** The same site, every server another: a good answer contains `good`. */
  readonly bad: SiteText;
}

/** Opens a field, uses it, and leaves nothing behind. */
export async function withField(
  use: (field: Field) => Promise<void>,
  engine: EngineName = 'haproxy',
): Promise<void> {
  const [good, bad] = await Promise.all(['good', 'bad'].map(startOriginProcess));
  if (!good || !bad) throw new Error('two origins were started');
  const [http, https] = [await freePort(), await freePort()];
  const site = (origin: OriginProcess) => (folder: string) =>
    shopText({ http, https, engine, servers: [{ name: 'one', port: origin.port }] }, folder);
  const stack = await startStack({ siteText: site(good), engine });
  const holder = holderClient(`${stack.run}/holder.sock`);
  try {
    await use({ stack, holder, http, https, bad: textOf(site(bad)(stack.folder), stack.folder) });
  } finally {
    holder.close();
    await stack.stop();
    await good.close();
    await bad.close();
  }
}

export function loadOf(
  field: Field,
  kind: Pick<LoadPlan, 'kind' | 'tls'>,
  ratePerSecond: number = rateOf(kind),
): LoadPlan {
  return {
    ...usualLoad,
    kind: kind.kind,
    tls: kind.tls,
    port: kind.tls ? field.https : field.http,
    hostname: 'shop.example',
    ratePerSecond,
  };
}

/** A full handshake for each request costs the generator too much for more. */
function rateOf(kind: Pick<LoadPlan, 'kind' | 'tls'>): number {
  return kind.kind === 'new' && kind.tls ? 300 : 1_000;
}

export async function generationOf({ stack }: Field, role: string): Promise<number> {
  return await until(
    role,
    async () => (await stack.call('status', {})).generations.find((g) => g.role === role)?.generation,
  );
}

/** The holder's times are whole milliseconds, the generator's are not. */
const clockSlackMs = 1;
const badForMs = 400;
const watchedAfterMs = 600;

/** What one rollback looked like from outside. */
export interface Round {
  readonly requests: number;
  readonly before: number;
  readonly after: number;
  /** Sent when the take-back was done: these must not be wrong. The others were under way. */
  readonly late: number;
  readonly lastBadMs: number;
  readonly broken: number;
  readonly refused: number;
  readonly stallMs: number;
}

/** The bad generation gets everybody, the good one is parked; then it is taken back, with all that a take-back does. */
export async function rollbackOnce(field: Field, kind: Kind, change: string): Promise<Round> {
  const { stack, holder } = field;
  const { generation } = await stack.call('candidate', { site: field.bad, change });
  const good = await generationOf(field, 'active');
  await holder.call('expose', { generation, forMs: 5_000, alone: true, leaseMs: 5_000 });
  const load = await startLoadProcess({ ...loadOf(field, kind), expectBody: 'good' });
  await new Promise((resolve) => setTimeout(resolve, badForMs));
  const { decidedAt, doneAt } = await holder.call(
    'takeBack',
    { from: generation, to: good, drainMs: 60_000 },
    5_000,
  );
  await new Promise((resolve) => setTimeout(resolve, watchedAfterMs));
  const { records, stall } = await load.stop();
  await stack.call('rollback', { reason: 'measured', change });
  const wrong = records.filter((r) => r.outcome === 'wrong answer');
  const after = wrong.filter((r) => r.endedAt > decidedAt);
  return {
    requests: records.length,
    before: wrong.length - after.length,
    after: after.length,
    late: wrong.filter((r) => r.sentAt > doneAt + clockSlackMs).length,
    lastBadMs: Math.max(0, ...after.map((r) => r.endedAt - decidedAt)),
    broken: records.filter((r) => !['ok', 'wrong answer', 'refused stream'].includes(r.outcome)).length,
    refused: records.filter((r) => r.outcome === 'refused stream').length,
    stallMs: stall.maxMs,
  };
}
