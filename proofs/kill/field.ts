/** A balancer with an agent, a holder and generations of one engine, brought to where a case wants it. */
import { readdirSync, readFileSync } from 'node:fs';
import { type HolderClient, type HolderStatus, holderClient } from '../../src/agent/holder/protocol.ts';
import { identify } from '../../src/base/process.ts';
import type { EngineName } from '../../src/model/index.ts';
import { type Origin, startOrigin } from '../../test/world/origins.ts';
import { patientCheck, shopText } from '../../test/world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../../test/world/stack.ts';
import type { Case, Who } from './cases.ts';

/** What an origin takes for an answer: so that there is always something in flight. */
const answerMs = 20;

export interface Field {
  readonly engine: EngineName;
  readonly stack: Stack;
  readonly http: number;
  readonly origin: Origin;
  readonly holder: HolderClient;
}

export async function openField(engine: EngineName): Promise<Field> {
  const origin = await startOrigin({ name: 'web', delayMs: answerMs });
  const http = await freePort();
  const stack = await startStack({ siteText: siteText(engine, http, origin), engine });
  return { engine, stack, http, origin, holder: holderClient(`${stack.run}/holder.sock`) };
}

/** Another name of the server makes another text: a candidate as good as what it is to replace. */
function siteText(
  engine: EngineName,
  http: number,
  origin: Origin,
  server = 'one',
): (folder: string) => string {
  const servers = [{ name: server, port: origin.port }];
  return (folder) => shopText({ http, https: null, engine, servers, healthCheck: patientCheck }, folder);
}

export async function closeField(field: Field): Promise<void> {
  field.holder.close();
  await field.stack.stop();
  await field.origin.close();
}

/** Renews the exposure as a controller does, whatever answers. */
function keepExposed({ stack }: Field, change: string, share: number): () => void {
  const renew = () =>
    void stack.call('expose', { change, share, leaseMs: 3_000, requestsMax: null }, 1_000).catch(() => {});
  renew();
  const timer = setInterval(renew, 500);
  return () => clearInterval(timer);
}

/** Brings the candidate to where the case wants it; returns how to let it be. */
export async function arrange(
  field: Field,
  { moment }: Pick<Case, 'moment'>,
  change: string,
): Promise<() => void> {
  if (moment === 'none') return () => {};
  const { engine, stack, holder, http, origin } = field;
  await stack.call('candidate', {
    site: textOf(siteText(engine, http, origin, `for-${change}`)(stack.folder), stack.folder),
    change,
  });
  if (moment === 'parked') return () => {};
  const end = keepExposed(field, change, moment === 'half' ? 0.25 : 1);
  await new Promise((resolve) => setTimeout(resolve, 600));
  const sides = moment === 'half' ? { active: 'accepting' } : { active: 'parked' };
  await until(`the candidate is exposed (${moment})`, async () => {
    const { generations } = await holder.call('status', {}, 500);
    return (
      generations.some((g) => g.role === 'candidate' && g.side === 'accepting') &&
      generations.some((g) => g.role === 'active' && g.side === sides.active)
    );
  });
  return end;
}

/** The main process first: it would start its workers anew. */
export async function pidsOf(
  { engine, stack, holder }: Field,
  who: readonly Who[],
  signal: Case['signal'],
): Promise<number[]> {
  const status = await holder.call('status', {}, 500);
  return who.flatMap((one) => {
    if (one === 'agent') return [stack.agent().pid ?? 0];
    if (one === 'holder') return [status.pid];
    const role = one.split(' ').at(-1);
    const found = status.generations.find((g) => g.role === role);
    if (!found) throw new Error(`no ${role}`);
    if (one.startsWith('master')) return [found.pid];
    if (one.startsWith('worker')) return childrenOf(found.pid).slice(0, 1);
    // A reload is the master's to do.
    return engine === 'nginx' && signal !== 'SIGHUP' ? [found.pid, ...childrenOf(found.pid)] : [found.pid];
  });
}

export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
}

/** Its sockets are closed when the last of its threads has ended, not the first. */
export function hasThreads(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => identify(Number(thread)) !== null);
  } catch {
    return false;
  }
}

/** One active that accepts, one parked standby, no candidate: by itself. */
export function isWhole({ active, generations }: HolderStatus): boolean {
  const serving = generations.filter((g) => g.role !== 'draining');
  const [first, second, ...more] = serving.toSorted((a, b) => a.role.localeCompare(b.role));
  return (
    more.length === 0 &&
    first?.role === 'active' &&
    first.generation === active &&
    first.side === 'accepting' &&
    second?.role === 'standby' &&
    second.side === 'parked'
  );
}
