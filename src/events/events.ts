import type { SiteDifference, WrittenText } from '#model';
import type { AlertEvent } from './alert.ts';
import type { AskedFor, ChangeState, GateReport } from './change.ts';
import type { FaultEvent } from './fault.ts';
import type { GuardRecord } from './guard.ts';
import type { PlanView } from './plan.ts';
import type { ReportEvent } from './report.ts';
import type { ReviewEvent } from './review.ts';
import type { SpareEvent } from './spare.ts';

/** The facts that are journalled. Past tense; what a person must be able to read back years later. */
export type Event =
  | AlertEvent
  | ReportEvent
  | ReviewEvent
  | SpareEvent
  | {
      readonly kind: 'site.started';
      readonly site: string;
      readonly siteHash: string;
      readonly balancers: readonly string[];
      readonly version: string;
    }
  | { readonly kind: 'site.stopped'; readonly site: string }
  /** A process of ours lived and did nothing, and was killed at `killedAt` (milliseconds since 1970) to be started again. */
  | {
      readonly kind: 'process.replaced';
      readonly process: string;
      readonly why: string;
      readonly killedAt: number;
    }
  /** Seen of an engine that is only watched (`adopt --observe`). */
  | { readonly kind: 'site.observed'; readonly site: string; readonly what: string }
  | {
      readonly kind: 'change.proposed';
      readonly change: string;
      readonly file: string;
      readonly siteHash: string;
      readonly text: string;
      readonly force: boolean;
      readonly reason: string;
      readonly difference: SiteDifference;
      readonly asked?: AskedFor;
    }
  /** What it does to requests; `left` counts what a long plan has and this entry has not. */
  | {
      readonly kind: 'change.planned';
      readonly change: string;
      readonly plan: PlanView;
      readonly left: number;
    }
  /** It waits for people: so many others than its author. With all that it takes to carry on after a restart. */
  | {
      readonly kind: 'change.awaits';
      readonly change: string;
      readonly approvals: number;
      readonly because: readonly string[];
      readonly written: WrittenText;
      readonly newGeneration: boolean;
    }
  /** It waits for its turn, for the hour, or for the end of an incident. With all that it takes to begin after a restart. */
  | {
      readonly kind: 'change.queued';
      readonly change: string;
      readonly because: string;
      readonly written: WrittenText;
      readonly newGeneration: boolean;
    }
  /** `of`: what was approved, the exact text on the exact site that runs. */
  | {
      readonly kind: 'change.approved';
      readonly change: string;
      readonly reason: string;
      readonly of?: string;
    }
  /** It went on without the approvals that it needs, because its author said so: somebody else reviews it afterwards. */
  | {
      readonly kind: 'change.brokeGlass';
      readonly change: string;
      readonly reason: string;
      readonly missing: string;
    }
  /** Certificates were renewed while it waited: this is the site that it proposes from now on. */
  | { readonly kind: 'change.renewed'; readonly change: string; readonly siteHash: string }
  /** It has all traffic, and is taken back at `until` unless a person confirms it. */
  | { readonly kind: 'change.awaitsConfirmation'; readonly change: string; readonly until: number }
  | { readonly kind: 'change.confirmed'; readonly change: string; readonly reason: string }
  | { readonly kind: 'change.gate'; readonly change: string; readonly report: GateReport }
  | {
      readonly kind: 'change.state';
      readonly change: string;
      readonly state: ChangeState;
      readonly why: string;
    }
  | {
      readonly kind: 'change.exposed';
      readonly change: string;
      readonly balancer: string;
      readonly share: number;
    }
  /** A certificate was renewed on disk and cannot be used: what runs goes on with the one before. */
  | { readonly kind: 'certificate.refused'; readonly siteHash: string; readonly why: string }
  /** What was changed behind Holdfast's back, each time that is otherwise; none: all is as it should be again. */
  | { readonly kind: 'drift.seen'; readonly found: readonly string[] }
  | { readonly kind: 'change.promoted'; readonly change: string; readonly balancer: string }
  | {
      readonly kind: 'quarantine.added';
      readonly siteHash: string;
      readonly change: string;
      readonly why: string;
    }
  | { readonly kind: 'quarantine.released'; readonly siteHash: string; readonly reason: string }
  | { readonly kind: 'pipeline.frozen'; readonly why: string }
  | { readonly kind: 'pipeline.released'; readonly reason: string }
  | { readonly kind: 'guard.acted'; readonly record: GuardRecord }
  /** An agent reported what cannot have been. It is kept as it came, and nothing follows from it. */
  | { readonly kind: 'guard.refused'; readonly record: GuardRecord; readonly why: string }
  | {
      readonly kind: 'incident.opened';
      readonly incident: string;
      readonly title: string;
      readonly change: string | null;
      readonly balancers: readonly string[];
    }
  | { readonly kind: 'incident.resolved'; readonly incident: string; readonly how: string }
  | FaultEvent;

export type EventKind = Event['kind'];

/** An event as it lies in the journal. */
export interface JournalEntry {
  /** From 1, without a gap. */
  readonly sequence: number;
  /** Milliseconds since 1970 when it was journalled. */
  readonly at: number;
  /** Who: `person:root`, `controller`, `agent:lb-1`. */
  readonly by: string;
  readonly event: Event;
  /** SHA-256 in hex over the entry before and this one. */
  readonly hash: string;
}

/** What capabilities need of a journal; `store` has the real one. */
export interface Journal {
  /** Resolves when the entry is on disk. Rejects with Failure HF203 when it cannot be, and nothing was acknowledged. */
  append(by: string, event: Event): Promise<JournalEntry>;
  /** Entries with a sequence above `after`, oldest first; with `max`, it may stop after that many. */
  entries(after?: number, max?: number): readonly JournalEntry[];
  /** Called for every entry after it is on disk; returns the function that ends it. */
  follow(use: (entry: JournalEntry) => void): () => void;
}
