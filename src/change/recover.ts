import { type Clock, type Log, messageOf } from '#base';
import type { BalancerStatus, ChangeView } from '#contract';
import type { Book } from './book.ts';
import { askEvery } from './gates/gate.ts';
import { blameLate } from './late-blame.ts';
import { begun } from './ledger.ts';
import { decide } from './machine.ts';
import type { Missed } from './missed.ts';
import type { BalancerPort, SiteKeeper } from './ports.ts';
import type { RecordCollector } from './records.ts';
import { tellEvery } from './take-back.ts';

const statusTimeoutMs = 2_000;
/** Balancers may start at the same time as the controller. */
const patienceMs = 5_000;

export interface RecoveryParts {
  readonly book: Book;
  readonly balancers: readonly BalancerPort[];
  readonly sites: SiteKeeper;
  readonly records: RecordCollector;
  readonly clock: Clock;
  readonly log: Log;
  /** Balancers that did not hear it are told again later. */
  readonly missed: Missed;
}

/**
 * Ends what an earlier controller left under way: a change in flight is taken back, unless every balancer had promoted it;
 * one that was decided to be taken back, but may not have been everywhere, is taken back again. May be repeated.
 */
export async function recoverChange(parts: RecoveryParts): Promise<void> {
  const { book, sites, records, missed } = parts;
  await records.poll();
  const view = begun(book.ledger());
  const statuses = await statusOfEvery(parts, view !== null);
  if (view) await endInterrupted(parts, view, statuses);
  else await finishTakeBack(parts, statuses);
  await blameLate(book);
  const [now] = await statusOfEvery({ ...parts, balancers: missed.heard() }, false);
  if (now) await sites.settle(now.lastGoodHash);
}

async function endInterrupted(
  parts: RecoveryParts,
  view: ChangeView,
  statuses: readonly BalancerStatus[],
): Promise<void> {
  const { book, balancers, log, missed } = parts;
  const promotedEverywhere =
    statuses.length === balancers.length &&
    statuses.every(({ lastGoodHash }) => lastGoodHash === view.siteHash);
  const step = decide(view.state, { kind: 'controller ended', promotedEverywhere });
  if (!step) return;
  const { state, why } = step;
  let failure: unknown = null;
  try {
    await book.append('controller', { kind: 'change.state', change: view.id, state, why });
  } catch (error) {
    failure = error;
    log.error('the end of the change is not journalled', { change: view.id, why: messageOf(error) });
  }
  if (step.takeBack) missed.remember(await tellEvery(balancers, view.id, why), view.id, why);
  if (failure) throw failure;
}

/** Journalled as rolled back, but the controller may have ended before every balancer heard it. One that is silent now may not have. */
async function finishTakeBack(parts: RecoveryParts, statuses: readonly BalancerStatus[]): Promise<void> {
  const { book, balancers, missed } = parts;
  const last = [...book.ledger().changes.values()].at(-1);
  if (last?.state !== 'rolled back') return;
  const isLeft = statuses.some(
    ({ lastGoodHash, generations }) =>
      lastGoodHash === last.siteHash ||
      generations.some(
        ({ change, role }) => change === last.id && (role === 'candidate' || role === 'active'),
      ),
  );
  if (isLeft || statuses.length < balancers.length)
    missed.remember(await tellEvery(balancers, last.id, last.why), last.id, last.why);
}

/** Those that answer; with `patient`, all of them if they come within `patienceMs`. */
async function statusOfEvery(
  { balancers, clock }: RecoveryParts,
  patient: boolean,
): Promise<readonly BalancerStatus[]> {
  const giveUpAt = clock.monotonicMs() + patienceMs;
  for (;;) {
    const { answers, silent } = await askEvery(balancers, 'status', {}, statusTimeoutMs);
    if (!patient || silent.length === 0 || clock.monotonicMs() >= giveUpAt)
      return answers.map(({ output }) => output);
    await clock.sleep(200);
  }
}
