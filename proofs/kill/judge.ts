/** What a blow cost, from the records of the load. */
import type { RequestRecord } from '../../test/world/load.ts';
import type { Proof } from '../proof.ts';
import type { Case } from './cases.ts';

/** What a dead engine's successor may take to accept. */
export const takenOverMsMax = 50;
/** A dying process closes its connections one after the other, and two processes' clocks are compared. */
export const seenLateMs = 10;
/** As long as a hung engine may go on taking requests. */
const hungMsMax = 1_000;

export interface Blow {
  readonly at: number;
  /** When the last of them was gone; for another signal than SIGKILL the same. */
  readonly doneAt: number;
}

export function judge(
  proof: Proof,
  { lost }: Pick<Case, 'lost'>,
  records: readonly RequestRecord[],
  blow: Blow,
): void {
  const { at } = blow;
  const failed = records.filter((r) => r.outcome !== 'ok');
  const before = failed.filter((r) => r.endedAt < at);
  const kinds = Map.groupBy(failed, (r) =>
    `${r.reused ? 'kept' : 'new'} ${r.outcome} ${r.status ?? ''}`.trim(),
  );
  const faults = [...kinds].map(([outcome, all]) => `${outcome} ${all.length}`).join(', ');
  const waited = Math.max(...records.filter((r) => r.sentAt >= at - 100).map((r) => r.endedAt - r.sentAt));
  const name = `  failed of ${records.length}${faults && `: ${faults}`}`;
  if (lost === 'none') proof.atMost(name, failed.length, 0);
  if (lost === 'in flight') {
    proof.tell(name, failed.length);
    judgeDeath(proof, failed, blow);
  }
  if (lost === 'hung') {
    proof.tell(name, failed.length);
    const last = Math.max(0, ...failed.map((r) => r.sentAt - at));
    proof.atMost('  the last one that was lost began after, ms', last, hungMsMax);
  }
  proof.atMost('  failed before the blow', before.length, 0);
  if (failed.length > 0) {
    const [first, last] = [
      Math.min(...failed.map((r) => r.sentAt)),
      Math.max(...failed.map((r) => r.sentAt)),
    ];
    proof.tell('  they began, ms after the blow', `${Math.round(first - at)} to ${Math.round(last - at)}`);
  }
  proof.tell('  longest a request took from then on, ms', waited);
}

/**
 * What dies with an engine is its connections: on each, the request that was in flight, or one that the client sent before it
 * had read the connection's end. On a machine that is out of breath that is long after the death, so what counts is when
 * the connection was begun. Whoever connects after the death finds a successor, and an old connection can only break:
 * an answer that is not good comes from somebody who is alive. So may be who had led the request to the dead one, as a
 * candidate does that is taken back; until the holder has seen the death.
 */
function judgeDeath(proof: Proof, failed: readonly RequestRecord[], { at, doneAt }: Blow): void {
  const isOfTheDead = ({ openedAt, outcome }: RequestRecord) =>
    openedAt <= doneAt + seenLateMs && (outcome === 'closed' || outcome === 'reset');
  const isLedToTheDead = ({ sentAt, endedAt, status }: RequestRecord) =>
    sentAt <= doneAt + takenOverMsMax && endedAt >= at && (status === 502 || status === 503);
  const lost = failed.filter(isOfTheDead);
  const led = failed.filter((r) => !isOfTheDead(r) && isLedToTheDead(r));
  const unexplained = failed.filter((r) => !isOfTheDead(r) && !isLedToTheDead(r));
  proof.tell('    in flight in it', lost.filter((r) => r.sentAt < at).length);
  proof.tell(
    '    sent over a connection whose end the client had not read',
    lost.filter((r) => r.sentAt >= at).length,
  );
  proof.tell('    that another generation had led to it', led.length);
  proof.atMost('  failed otherwise, or on a connection begun after the death', unexplained.length, 0);
}
