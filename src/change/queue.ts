import { Failure } from '#base';
import type { ApplyRequest, ChangeView } from '#contract';
import type { GuardPolicy } from '#model';
import type { Book } from './book.ts';
import type { Hubs } from './hubs.ts';
import { type Ledger, waitingLine } from './ledger.ts';
import { writtenOf } from './reading.ts';
import { closedAt } from './windows.ts';

const queuedMax = 20;

export interface QueueParts {
  readonly book: Book;
  readonly hubs: Hubs;
}

/** What a change would begin in. `against`: what the team's own series say, one line each. */
interface Moment {
  readonly ledger: Ledger;
  readonly changes: GuardPolicy['changes'];
  readonly now: number;
  readonly against: readonly string[];
}

/** Why no change may begin now, though nobody is ahead: a freeze, an incident, a series, the hour. Null: one may. */
export function heldBack(
  { ledger, changes, now, against }: Moment,
  who: { readonly isRenewal: boolean; readonly isUrgent: boolean },
): Failure | null {
  if (ledger.frozen !== null)
    return new Failure(
      'HF109',
      `the pipeline is frozen: ${ledger.frozen}`,
      'Read the incident, then `holdfast apply FILE --unfreeze`.',
    );
  if (who.isRenewal || who.isUrgent) return null;
  const remedy =
    '`--queue` waits for it; `--break-glass --reason WHY` goes on now, and is reviewed afterwards.';
  const [incident] = ledger.openIncidents;
  if (changes.duringIncidents === 'refused' && incident !== undefined)
    return new Failure('HF118', `no change during incident ${incident}`, remedy);
  const [why] = against;
  if (why !== undefined) return new Failure('HF118', why, remedy);
  const closed = closedAt(changes, now);
  if (!closed) return null;
  const opens =
    closed.opensAt === null ? '' : `; the next one may begin at ${new Date(closed.opensAt).toISOString()}`;
  return new Failure('HF118', `${closed.why}${opens}`, remedy);
}

/**
 * Behind all that wait. Of the same file by the same person only the newest waits: what it says is what is wanted.
 * `propose` journals it as proposed. @throws Failure HF108 when too many wait, HF203
 */
export async function enqueue(
  { book, hubs }: QueueParts,
  request: ApplyRequest,
  { because, propose }: { readonly because: string; readonly propose: () => Promise<ChangeView> },
): Promise<ChangeView> {
  const { queued, changes } = book.ledger();
  const older = [...queued.keys()].flatMap((id) => {
    const view = changes.get(id);
    return view && view.file === request.file && view.by === request.by ? [view] : [];
  });
  if (queued.size - older.length >= queuedMax)
    throw new Failure('HF108', `${queued.size} changes wait already`, 'See `holdfast status`.');
  const { id: change } = await propose();
  const written = writtenOf(request);
  const newGeneration = request.newGeneration ?? false;
  await book.append('controller', { kind: 'change.queued', change, because, written, newGeneration });
  hubs.open(change).show({ kind: 'state', state: 'proposed', why: `waits: ${because}` });
  for (const { id } of older)
    await endWaiting({ book, hubs }, id, 'superseded', `change ${change} came after it`);
  const view = book.ledger().changes.get(change);
  if (!view) throw new Error('a change that was journalled is in the ledger');
  return view;
}

/** Nothing of it was in traffic. */
export async function endWaiting(
  { book, hubs }: QueueParts,
  change: string,
  state: 'superseded' | 'abandoned',
  why: string,
  by = 'controller',
): Promise<void> {
  await book.append(by, { kind: 'change.state', change, state, why });
  const view = book.ledger().changes.get(change);
  const hub = hubs.of(change);
  hub?.show({ kind: 'state', state, why });
  if (view) hub?.show({ kind: 'end', change: view });
}

/** What waited was proposed for a site that is gone back to another one: nothing begins by itself after that. */
export async function abandonQueue(parts: QueueParts, because: string): Promise<void> {
  const { queued } = parts.book.ledger();
  for (const { id } of waitingLine(parts.book.ledger()))
    if (queued.has(id))
      await endWaiting(parts, id, 'abandoned', `${because} while it waited: propose it again`);
}
