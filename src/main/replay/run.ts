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
  /** When monitoring told a person. */
  readonly seenMs: number | null;
  readonly causeNamedMs: number | null;
  /** When a client saw the last bad answer, and good ones followed. */
  readonly restoredMs: number | null;
  /** The change did not go live. */
  readonly refused: boolean;
  /** Whatever was not real, one sentence each. */
  readonly simulated: readonly string[];
  /** Parts that are missing on this machine, with the line that installs them. */
  readonly leftOut: readonly string[];
  readonly timeline: readonly { readonly atMs: number; readonly what: string }[];
}
