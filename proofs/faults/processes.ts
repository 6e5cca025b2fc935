/** Kill -9 and SIGSTOP of each process of a site, at each step of a change. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessIdentity, sitePaths } from '../../src/base/index.ts';
import type { StatusView } from '../../src/contract/index.ts';
import type { ChangeState } from '../../src/events/index.ts';
import type { Case } from '../kill/cases.ts';
import { childrenOf } from '../kill/field.ts';
import { get, pidIn, type SiteField } from '../kill/site.ts';

export const victims = ['controller', 'agent', 'holder', 'up', 'active', 'standby', 'candidate'] as const;
export type Victim = (typeof victims)[number];

/** The steps of a change that last, in their order; `gated` has passed the checks and rehearses. */
export const steps = [
  { state: 'proposed', afterMs: 0 },
  { state: 'gated', afterMs: 0 },
  { state: 'canary', afterMs: 300 },
  { state: 'baking', afterMs: 300 },
] as const satisfies readonly { readonly state: ChangeState; readonly afterMs: number }[];

/** Who hangs goes on after this: longer than any lease, and than the guard's patience with an engine. */
export const hangsMs = 8_000;

const isEngine = (victim: Victim) => ['active', 'candidate', 'standby'].includes(victim);

export const lostWith = (victim: Victim, signal: 'SIGKILL' | 'SIGSTOP'): Case['lost'] => {
  if (!isEngine(victim)) return 'none';
  return signal === 'SIGKILL' ? 'in flight' : 'hung';
};

/** As a number, where it is not known when it began: what was in flight, or came over a connection whose end was not read. */
const inFlightMax = 100;

export const mayFail = (victim: Victim) => (isEngine(victim) ? inFlightMax : 0);

/** Null where there is none: before the canary there is no candidate. */
export async function pidsOf(
  field: SiteField,
  victim: Victim,
  upPid: number,
): Promise<readonly number[] | null> {
  const { run } = sitePaths('t', field.folders.env);
  const read = (file: string) => (JSON.parse(readFileSync(join(run, file), 'utf8')) as ProcessIdentity).pid;
  switch (victim) {
    case 'controller':
      return [pidIn(field, 'controller.pid')];
    case 'agent':
      return [read('lb-1/agent.pid')];
    case 'holder':
      return [read('lb-1/holder.pid')];
    case 'up':
      return [upPid];
    default: {
      const { balancers } = await get<StatusView>(field, '/v1/status');
      const all = balancers.flatMap((one) => ('generations' in one ? one.generations : []));
      const found = all.find(({ role }) => role === victim);
      return found ? [found.pid, ...childrenOf(found.pid)] : null;
    }
  }
}
