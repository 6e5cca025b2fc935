import type { RequestRecord } from './load.ts';
import type { Knows } from './people.ts';

/** One arm of the replay: an entry of `runs` in `replay --json`. Times in milliseconds since the change was applied, null where it never happened. */
export interface ReplayRun {
  readonly name: string;
  /** Since the change was applied, until service was restored and for a moment after. */
  readonly requests: number;
  readonly failed: number;
  /** Of the requests that were due while the change was in force; null where it never was. */
  readonly failedShare: number | null;
  /** When a client saw the first bad answer. */
  readonly firstErrorMs: number | null;
  /** When monitoring told a person; under Holdfast, when its guard had decided. */
  readonly seenMs: number | null;
  /** When the servers, their line and the change that brought them could be read. */
  readonly causeNamedMs: number | null;
  /** When a client saw the last bad answer, and good ones followed. */
  readonly restoredMs: number | null;
  /** The change did not go live. */
  readonly refused: boolean;
  /** What reached the change before it was taken back, and what the net answered of it; null where nobody counts that. */
  readonly exposed: { readonly requests: number; readonly failed: number; readonly netUses: number } | null;
  /** Whatever was not real, one sentence each. */
  readonly simulated: readonly string[];
  /** Parts that are missing on this machine, with the line that installs them. */
  readonly leftOut: readonly string[];
  /** What it said by itself: the gates that refused, or the guard that took it back. */
  readonly words: readonly string[];
  /** The report's people: when each knew or was told. */
  readonly people: readonly Knows[];
  readonly timeline: readonly { readonly atMs: number; readonly what: string }[];
}

/** A run in which nothing has happened yet. */
export function runOf(name: string): ReplayRun {
  return {
    name,
    requests: 0,
    failed: 0,
    failedShare: null,
    firstErrorMs: null,
    seenMs: null,
    causeNamedMs: null,
    restoredMs: null,
    refused: false,
    exposed: null,
    simulated: [],
    leftOut: [],
    words: [],
    people: [],
    timeline: [],
  };
}

/** From what clients saw after the change; `endedAt`: when it was no longer in force. */
export function figures(
  records: readonly RequestRecord[],
  appliedAt: number,
  endedAt: number,
  isRestored: boolean,
): Pick<ReplayRun, 'requests' | 'failed' | 'failedShare' | 'firstErrorMs' | 'restoredMs'> {
  const after = records.filter((record) => record.endedAt >= appliedAt);
  const badAt = after
    .filter(({ outcome }) => outcome !== 'ok')
    .map((record) => record.endedAt - appliedAt)
    .sort((a, b) => a - b);
  const during = records.filter(({ dueAt }) => dueAt >= appliedAt && dueAt < endedAt);
  return {
    requests: after.length,
    failed: badAt.length,
    failedShare:
      during.length === 0 ? null : during.filter(({ outcome }) => outcome !== 'ok').length / during.length,
    firstErrorMs: badAt[0] ?? null,
    restoredMs: isRestored ? (badAt.at(-1) ?? null) : null,
  };
}
