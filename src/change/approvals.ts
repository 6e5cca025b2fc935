import { type Clock, Failure } from '#base';
import type { ChangeView, Progress } from '#contract';
import type { GuardPolicy, WrittenText } from '#model';
import type { Book } from './book.ts';
import type { Approvals } from './gates/index.ts';

export interface ApprovalParts {
  readonly view: ChangeView;
  /** What it takes to go on with it after this controller has ended. */
  readonly again: { readonly written: WrittenText; readonly newGeneration: boolean };
  /** What is to be approved, `bindingOf`: an approval of anything else does not count. */
  readonly of: string;
  readonly policy: GuardPolicy['review'];
  readonly book: Book;
  readonly clock: Clock;
  readonly show: (line: Progress) => void;
  /** By change that waits: aborted when somebody has approved it. */
  readonly heard: Map<string, AbortController>;
  /** Told when the waiting begins, and when it ends. */
  readonly waits: (now: boolean) => void;
}

/** The approvals of a change, from the journal, and the waiting for them. */
export function waitingApprovals(parts: ApprovalParts): Approvals {
  const { view, again, of, policy, book, clock, show, heard, waits } = parts;
  const { id: change, proposedAt } = view;
  const review = () => viewOf(book, change)?.review;
  const given = () => {
    const since = clock.now() - policy.expiresAfterMs;
    return (review()?.approvals ?? []).filter((one) => one.of === of && one.at >= since);
  };
  return {
    given,
    async wait({ count: approvals, because }, signal) {
      if (review()?.needed !== approvals && given().length < approvals) {
        await book.append('controller', { kind: 'change.awaits', change, approvals, because, ...again });
        const many = approvals === 1 ? 'an approval' : `${approvals} approvals`;
        show({ kind: 'state', state: 'proposed', why: `waits for ${many}: ${because.join('; ')}` });
      }
      const until = proposedAt + policy.waitMsMax;
      waits(true);
      while (given().length < approvals && !signal.aborted && clock.now() < until) {
        const one = new AbortController();
        heard.set(change, one);
        await clock.sleep(until - clock.now(), AbortSignal.any([signal, one.signal])).catch(() => {});
      }
      waits(false);
      heard.delete(change);
    },
  };
}

/**
 * Journalled with who, when and `of` what. The author's own is none. Of a change that broke the glass it is the review
 * afterwards, at any time, and says why. @throws Failure HF404, HF110, HF114, HF203
 */
export async function approveChange(
  book: Book,
  change: string,
  of: string | null,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<ChangeView> {
  const view = viewOf(book, change);
  if (!view) throw new Failure('HF404', `there is no change "${change}"`);
  const isOwed = view.review.brokeGlass?.owed ?? false;
  if (by === view.by)
    throw new Failure('HF114', `${by} proposed change ${change}`, 'Somebody else approves it.');
  if (!isOwed && (of === null || !['proposed', 'gated'].includes(view.state)))
    throw new Failure('HF114', `change ${change} is ${view.state}: there is nothing to approve`);
  if (isOwed && !reason.trim())
    throw new Failure(
      'HF110',
      'a review afterwards says what was seen',
      'Add --reason "what was looked at".',
    );
  const isKnown = view.review.approvals.some((one) => one.by === by && one.of === of);
  if (!isKnown || isOwed)
    await book.append(by, { kind: 'change.approved', change, reason, ...(of === null ? {} : { of }) });
  return viewOf(book, change) ?? view;
}

/** @throws Failure HF404, HF117, HF203 */
export async function confirmChange(
  book: Book,
  change: string,
  now: number,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<ChangeView> {
  const view = viewOf(book, change);
  if (!view) throw new Failure('HF404', `there is no change "${change}"`);
  const { confirm, state } = view;
  if (!confirm || state !== 'baking')
    throw new Failure('HF117', `change ${change} is ${state}, and waits for no confirmation`);
  if (now >= confirm.until)
    throw new Failure('HF117', `it is too late: change ${change} is being taken back`);
  if (confirm.by === null) await book.append(by, { kind: 'change.confirmed', change, reason });
  return viewOf(book, change) ?? view;
}

function viewOf(book: Book, change: string): ChangeView | undefined {
  return book.ledger().changes.get(change);
}
