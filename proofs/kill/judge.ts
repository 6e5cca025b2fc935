/** What a blow cost, from the records of the load. */
import type { RequestRecord } from '../../test/world/load.ts';
import type { Proof } from '../proof.ts';
import type { Case } from './cases.ts';

/** A request that began this long after an engine's death must find another. */
export const takenOverMsMax = 50;
/** A dying process closes its connections one after the other, and two processes' clocks are compared. */
const seenLateMs = 10;
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
  { at, doneAt }: Blow,
): void {
  const failed = records.filter((r) => r.outcome !== 'ok');
  const inFlight = records.filter((r) => r.sentAt <= doneAt + seenLateMs && r.endedAt >= at).length;
  const late = failed.filter((r) => r.sentAt > doneAt + takenOverMsMax);
  const before = failed.filter((r) => r.endedAt < at);
  const kinds = Map.groupBy(failed, (r) =>
    `${r.reused ? 'kept' : 'new'} ${r.outcome} ${r.status ?? ''}`.trim(),
  );
  const faults = [...kinds].map(([outcome, all]) => `${outcome} ${all.length}`).join(', ');
  const waited = Math.max(...records.filter((r) => r.sentAt >= at - 100).map((r) => r.endedAt - r.sentAt));
  const name = `  failed of ${records.length}${faults && `: ${faults}`}`;
  if (lost === 'none') proof.atMost(name, failed.length, 0);
  if (lost === 'in flight') {
    proof.atMost(`${name} (${inFlight} were in flight)`, failed.length, inFlight);
    proof.atMost(`  failed that began ${takenOverMsMax} ms after the death or later`, late.length, 0);
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
