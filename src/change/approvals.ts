import { type Clock, Failure } from '#base';
import type { ChangeView, Progress } from '#contract';
import { finalStates } from '#events';
import type { WrittenText } from '#model';
import type { Book } from './book.ts';
import type { Approvals } from './gates/index.ts';

/** A change that nobody approves does not stand in the way of renewed certificates for ever. */
const approvalMsMax = 24 * 3_600_000;

export interface ApprovalParts {
  readonly view: ChangeView;
  /** What it takes to go on with it after this controller has ended. */
  readonly again: { readonly written: WrittenText; readonly newGeneration: boolean };
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
  const { view, again, book, clock, show, heard, waits } = parts;
  const { id: change, proposedAt } = view;
  const review = () => viewOf(book, change)?.review;
  const given = () => review()?.approvals ?? [];
  return {
    given,
    async wait({ count: approvals, because }, signal) {
      if (review()?.needed !== approvals && given().length < approvals) {
        await book.append('controller', { kind: 'change.awaits', change, approvals, because, ...again });
        const many = approvals === 1 ? 'an approval' : `${approvals} approvals`;
        show({ kind: 'state', state: 'proposed', why: `waits for ${many}: ${because.join('; ')}` });
      }
      const until = proposedAt + approvalMsMax;
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

/** Journalled with who and when. The author's own is none. @throws Failure HF404, HF114, HF203 */
export async function approveChange(
  book: Book,
  change: string,
  by: string,
  reason: string,
): Promise<ChangeView> {
  const view = viewOf(book, change);
  if (!view) throw new Failure('HF404', `there is no change "${change}"`);
  if (finalStates.includes(view.state) || !['proposed', 'gated'].includes(view.state))
    throw new Failure('HF114', `change ${change} is ${view.state}: there is nothing to approve`);
  if (by === view.by)
    throw new Failure('HF114', `${by} proposed change ${change}`, 'Somebody else approves it.');
  if (!view.review.approvals.some((one) => one.by === by))
    await book.append(by, { kind: 'change.approved', change, reason });
  return viewOf(book, change) ?? view;
}

function viewOf(book: Book, change: string): ChangeView | undefined {
  return book.ledger().changes.get(change);
}
