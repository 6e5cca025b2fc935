import type { Diagnostic } from '#base';
import type { Matcher } from '#events';

/** An alert as Alertmanager's API v2 shows it (`GET /api/v2/alerts`). Times are ISO 8601. */
export interface AlertView {
  readonly fingerprint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly updatedAt: string;
  readonly generatorURL: string;
  /** Policies of oncall.yaml that it goes by; none: nobody is paged. */
  readonly receivers: readonly { readonly name: string }[];
  readonly status: {
    readonly state: 'active' | 'suppressed' | 'unprocessed';
    readonly silencedBy: readonly string[];
    readonly inhibitedBy: readonly string[];
    readonly mutedBy: readonly string[];
  };
}

export interface SilenceView {
  readonly id: string;
  readonly status: { readonly state: 'active' | 'pending' | 'expired' };
  readonly matchers: readonly Matcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly updatedAt: string;
  readonly createdBy: string;
  readonly comment: string;
}

export interface SilenceRequest {
  readonly matchers: readonly Matcher[];
  /** Milliseconds since 1970. */
  readonly startsAt: number;
  readonly endsAt: number;
  readonly createdBy: string;
  readonly comment: string;
}

/** Who was paged about what, and what became of it. Times in milliseconds since 1970. */
export interface EscalationView {
  readonly id: string;
  readonly policy: string;
  readonly group: string;
  readonly state: 'open' | 'acknowledged' | 'exhausted' | 'ended';
  readonly beganAt: number;
  readonly endedAt: number | null;
  readonly how: string;
  readonly alerts: readonly {
    readonly fingerprint: string;
    readonly name: string;
    readonly summary: string;
  }[];
  readonly acknowledged: {
    readonly by: string;
    readonly at: number;
    readonly until: number;
    readonly comment: string;
  } | null;
  readonly turns: readonly {
    readonly at: number;
    readonly what: 'page' | 'updated' | 'acknowledged' | 'resolved';
    /** Of the policy, from 1. */
    readonly step: number;
    readonly round: number;
    readonly reason: string;
    readonly pages: readonly PageView[];
    /** Why somebody who was meant was not there. */
    readonly missing: readonly string[];
  }[];
}

export interface PageView {
  readonly id: string;
  readonly escalation: string;
  readonly person: string | null;
  readonly notifier: string;
  readonly to: string;
  readonly state: 'planned' | 'sent' | 'dead';
  readonly attempts: number;
  /** What its receiver said last, or what was in the way. */
  readonly said: string;
  readonly at: number;
}

export interface AcknowledgeRequest {
  readonly by: string;
  readonly comment: string;
  /** Absent: as long as its policy says. */
  readonly forMs?: number;
}

export interface OnCallView {
  /** Null: there is none, so nobody is paged. */
  readonly file: string | null;
  /** Mistakes in the file as it lies there now; with any, what was read before stays in force. */
  readonly trouble: readonly Diagnostic[];
  readonly at: number;
  readonly schedules: readonly {
    readonly name: string;
    readonly timeZone: string;
    readonly shifts: readonly {
      /** Null: nobody is. */
      readonly person: string | null;
      readonly from: number;
      readonly until: number;
    }[];
  }[];
  readonly policies: readonly {
    readonly name: string;
    /** Whom each step would page at that moment. */
    readonly steps: readonly {
      readonly reaches: readonly string[];
      readonly missing: readonly string[];
      readonly ackWithinMs: number | null;
    }[];
  }[];
  /** The last that could not be delivered, newest first. */
  readonly deadLetters: readonly PageView[];
  /** Entries that the journal has not taken yet. */
  readonly unsaved: number;
}

export interface NotifyTestRequest {
  readonly by: string;
  /** Absent: every notifier, and every contact of each person. */
  readonly notifier?: string;
  readonly to?: string;
}

export interface NotifyTestView {
  readonly results: readonly {
    readonly notifier: string;
    readonly person: string | null;
    readonly to: string;
    readonly ok: boolean;
    readonly said: string;
    readonly tookMs: number;
  }[];
}

/** What became of alerts that were handed in. */
export interface TakenView {
  readonly taken: number;
  readonly dropped: number;
}
