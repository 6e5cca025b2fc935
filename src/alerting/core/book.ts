import type { Alert, Event, PageReason, PlannedPage, Silence } from '#events';
import { alertPart } from './alert-part.ts';
import { escalationPart } from './escalation-part.ts';
import { createSources, type Sources } from './sources.ts';

/**
 * What the journal says about alerts and pages, entry by entry. It is the whole state: who was paged, who is to be paged
 * and who has answered are read from it, so any process can take it up.
 */
export interface Book extends Alerts, Escalations {
  /** `seenAt` is steady. */
  add(entry: BookEntry, seenAt: number): void;
  readonly sources: Sources;
}

export interface Alerts {
  /** Firing now, by fingerprint. */
  readonly firing: ReadonlyMap<string, FiringAlert>;
  /** The last ones that ended, oldest first. */
  readonly resolved: readonly ResolvedAlert[];
  readonly silences: ReadonlyMap<string, Silence>;
  /** Alerts that were left out since it was last told that all are taken again. */
  readonly dropped: number;
}

export interface Escalations {
  /** Open ones, and those that ended and still have a message to be sent; oldest first. */
  readonly escalations: ReadonlyMap<string, Escalation>;
  /** The last ones that have ended whole, oldest first. */
  readonly past: readonly Escalation[];
  readonly pages: ReadonlyMap<string, Page>;
  /** The last that could not be delivered, oldest first. */
  readonly deadLetters: readonly Page[];
  /** How many escalations there ever were: the next one's number. */
  readonly begun: number;
}

/** What the book reads of a journal's entry. */
export interface BookEntry {
  readonly at: number;
  readonly by: string;
  readonly event: Event;
}

export interface FiringAlert {
  readonly fingerprint: string;
  readonly alert: Alert;
  /** When it was journalled first, in steady milliseconds. */
  readonly firedAt: number;
  readonly updatedAt: number;
}

export interface ResolvedAlert extends FiringAlert {
  readonly resolvedAt: number;
  readonly how: string;
}

export interface Escalation {
  readonly id: string;
  readonly policy: string;
  readonly group: string;
  readonly beganAt: number;
  readonly turns: Turn[];
  /** The newest acknowledgement; `over` when somebody was paged anew since. */
  ack: Acknowledgement | null;
  /** To whom it was handed, until that one is paged. */
  handedTo: { readonly to: string; readonly by: string } | null;
  exhausted: boolean;
  ended: { readonly at: number; readonly how: string } | null;
}

export interface Acknowledgement {
  readonly by: string;
  /** Wall time, for people. */
  readonly at: number;
  readonly until: number;
  /** Steady: when it runs out. */
  readonly runsOutAt: number;
  readonly comment: string;
  told: boolean;
}

export interface Turn {
  readonly turn: number;
  readonly what: 'page' | 'updated' | 'acknowledged' | 'resolved';
  readonly step: number;
  readonly round: number;
  readonly reason: PageReason;
  /** Steady. */
  readonly seenAt: number;
  readonly at: number;
  readonly pages: readonly string[];
  readonly missing: readonly string[];
}

export interface Page extends PlannedPage {
  readonly escalation: string;
  readonly what: 'page' | 'updated' | 'acknowledged' | 'resolved';
  readonly reason: PageReason;
  readonly plannedAt: number;
  state: 'planned' | 'sent' | 'dead';
  attempts: number;
  /** Steady: not before. */
  dueAt: number;
  /** What was told of the cause; null: nothing was sent, or by a version that did not say. */
  cause: string | null;
  /** What its receiver said last, or what was in the way. */
  said: string;
  at: number;
}

export function createBook(site: string): Book {
  const sources = createSources(site);
  const alerts = alertPart();
  const escalations = escalationPart();
  return {
    ...alerts.view,
    ...escalations.view,
    get dropped() {
      return alerts.view.dropped;
    },
    get begun() {
      return escalations.view.begun;
    },
    sources,
    add(entry, seenAt) {
      sources.add(entry);
      alerts.add(entry, seenAt);
      escalations.add(entry, seenAt);
    },
  };
}
