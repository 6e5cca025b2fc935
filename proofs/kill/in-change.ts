/** Something happens to a site in the middle of a change; whatever it is, the change ends, and is what it says. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeView } from '../../src/contract/index.ts';
import { type ChangeState, finalStates, type JournalEntry } from '../../src/events/index.ts';
import type { LoadProcess } from '../../src/main/replay/load-process.ts';
import { preciseNow } from '../../test/world/load.ts';
import { until } from '../../test/world/stack.ts';
import { type } from '../../test/world/up.ts';
import { type Proof, undoing } from '../proof.ts';
import type { Case } from './cases.ts';
import { judge } from './judge.ts';
import { failedOf, get, judgeChange, recordsOf, type SiteField, startLoads, writeSite } from './site.ts';

export interface Blow {
  readonly name: string;
  /** The name of the server in the new text: another one makes another text. */
  readonly server: string;
  /** It happens when the change is in that state, so long after it came to it. */
  readonly state: ChangeState;
  readonly afterMs: number;
  strike(): unknown;
  /** What is over by itself, after so long; or when the change has ended, whichever comes first. */
  readonly over?: { readonly afterMs: number; mend(): unknown };
  /** What may fail; a number: so many requests, however; `in hand`: what was sent before it happened, and nothing after. */
  readonly lost: Case['lost'] | 'in hand' | number;
}

/** A process that hangs holds things up until somebody ends it. */
const endsMsMax = 60_000;

export async function inAChange(proof: Proof, field: SiteField, blow: Blow): Promise<ChangeView> {
  const { name, state, afterMs } = blow;
  proof.say(`${name}, ${afterMs} ms after the change was ${state}`);
  const loads = await startLoads(field);
  let mend: () => Promise<void> = async () => {};
  try {
    // A controller that was just killed is on its way back.
    const before = await until('the changes so far', async () => ({
      count: (await changesOf(field)).length,
    }));
    const file = writeSite(field, blow.server);
    const words = ['apply', file, '--unfreeze', '--reason', 'measured', '--new-generation'];
    const applied = type(words, { env: field.folders.env });
    const acknowledged = new Map<number, string>();
    const reached = await until(`a change that is ${state}`, async () => {
      const [change, ...others] = await changesOf(field);
      const { entries } = await get<{ entries: JournalEntry[] }>(field, '/v1/journal');
      for (const entry of entries) acknowledged.set(entry.sequence, entry.hash);
      if (change === undefined || others.length < before.count) return false;
      const isThere = came(change, state, entries);
      return (isThere || finalStates.includes(change.state)) && { change, isThere };
    });
    if (!reached.isThere) throw new Error(`it is ${reached.change.state}: ${reached.change.why}`);
    await sleep(afterMs);
    const at = preciseNow();
    mend = undoing(mending(blow));
    await blow.strike();
    const doneAt = preciseNow();
    const change = await until(
      'the end of the change',
      async () => {
        const [last, ...others] = await changesOf(field);
        return others.length >= before.count && last && finalStates.includes(last.state) && last;
      },
      endsMsMax,
    );
    proof.tell('  the change ended, ms after it happened', preciseNow() - at);
    await mend();
    await judgeChange(proof, field, change, acknowledged);
    const { exit } = await applied.ended;
    proof.tell('  apply ended with', `exit ${exit}`);
    await judgeLoads(proof, loads, blow.lost, { at, doneAt });
    return change;
  } finally {
    await mend();
    for (const load of loads) load.kill();
  }
}

async function judgeLoads(
  proof: Proof,
  loads: readonly LoadProcess[],
  lost: Blow['lost'],
  when: { readonly at: number; readonly doneAt: number },
): Promise<void> {
  if (lost === 'in hand') {
    const failed = (await recordsOf(loads)).filter(({ outcome }) => outcome !== 'ok');
    const how = [...Map.groupBy(failed, (r) => `${r.outcome} ${r.status ?? ''}`)];
    const told = how.map(([outcome, some]) => `${outcome} ${some.length}`).join(', ');
    proof.tell(`  failed of what was in the engine's hands ${told}`, failed.length);
    proof.atMost('  failed of what came later', failed.filter((r) => r.sentAt > when.doneAt).length, 0);
    return;
  }
  if (typeof lost === 'string') return judge(proof, { lost }, await recordsOf(loads), when);
  const { all, failed, how } = await failedOf(loads);
  proof.atMost(`  failed of ${all} ${how}`, failed, lost);
}

/** It is, or was: some states last for milliseconds, and whoever looks now and then does not meet them. */
function came({ id, state: now }: ChangeView, state: ChangeState, entries: readonly JournalEntry[]): boolean {
  if (now === state) return true;
  return entries.some(
    ({ event }) => event.kind === 'change.state' && event.change === id && event.state === state,
  );
}

async function changesOf(field: SiteField): Promise<readonly ChangeView[]> {
  return (await get<{ changes: ChangeView[] }>(field, '/v1/changes')).changes;
}

/** Once: after its time, or when it is called. */
function mending({ over }: Blow): () => Promise<void> {
  if (!over) return async () => {};
  let done: Promise<void> | null = null;
  const mend = () => {
    clearTimeout(timer);
    done ??= Promise.resolve(over.mend()).then(() => {});
    return done;
  };
  const timer = setTimeout(() => void mend(), over.afterMs);
  return mend;
}
