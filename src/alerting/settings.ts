import type { Place, SecretRef, UrlRef } from '#base';
import type { Matcher } from '#events';

/** All that a site's owner says about people and pages: oncall.yaml, read. docs/oncall.md has it with examples. */
export interface OnCall {
  readonly file: string;
  readonly notifiers: readonly Notifier[];
  readonly people: readonly Person[];
  readonly teams: readonly Team[];
  readonly schedules: readonly Schedule[];
  readonly policies: readonly Policy[];
  /** The first that matches an alert says which policy it goes by; where none does, nobody is paged. */
  readonly routes: readonly Route[];
  readonly inhibit: readonly Inhibition[];
  readonly alertmanagers: readonly { readonly url: string; readonly resendMs: number }[];
  readonly watchdog: { readonly url: string; readonly everyMs: number } | null;
  /** What lets other systems hand in alerts, and nothing else. */
  readonly inbound: { readonly token: SecretRef } | null;
  /** Hosts that notifiers may reach although their addresses are inner ones. */
  readonly allowedHosts: readonly string[];
}

export interface Notifier {
  readonly name: string;
  readonly place: Place;
  readonly how: NotifierHow;
}

export type NotifierHow =
  | { readonly kind: 'webhook'; readonly url: UrlRef; readonly secret: SecretRef | null }
  | { readonly kind: 'slack'; readonly url: UrlRef }
  | { readonly kind: 'teams'; readonly url: UrlRef }
  | {
      readonly kind: 'pagerduty';
      readonly routingKey: SecretRef;
      readonly url: string;
      /** Every change is told too (`/v2/change/enqueue`). */
      readonly changes: boolean;
    }
  | {
      readonly kind: 'email';
      readonly host: string;
      readonly port: number;
      /** `implicit`: TLS from the first byte. `starttls`: refused where the server has none. */
      readonly tls: 'implicit' | 'starttls';
      readonly from: string;
      readonly user: string;
      readonly password: SecretRef | null;
      readonly ca: string | null;
    }
  | { readonly kind: 'command'; readonly run: readonly string[]; readonly timeoutMs: number };

export type NotifierKind = NotifierHow['kind'];

export interface Person {
  readonly name: string;
  readonly contacts: readonly { readonly notifier: string; readonly to: string }[];
}

export interface Team {
  readonly name: string;
  readonly members: readonly string[];
}

export interface Schedule {
  readonly name: string;
  /** IANA: `Europe/Berlin`. */
  readonly timeZone: string;
  /** A later one stands above those before it, where it is in force. */
  readonly rotations: readonly Rotation[];
  readonly overrides: readonly Override[];
  /** Times with nobody on call are meant. */
  readonly gaps: boolean;
  readonly place: Place;
}

export interface Rotation {
  readonly people: readonly string[];
  /** The day of its first shift: `2026-01-05`. */
  readonly starts: string;
  /** Local time at which a shift begins: `09:00`. */
  readonly handover: string;
  readonly everyDays: number;
  /** Only then; null: always. */
  readonly during: Hours | null;
}

export interface Hours {
  /** 1 is Monday, 7 is Sunday: the days on which they begin. */
  readonly days: readonly number[];
  readonly from: string;
  /** At or before `from`: of the next day. */
  readonly to: string;
}

export interface Override {
  readonly person: string;
  /** Local: `2026-12-24T09:00`. */
  readonly from: string;
  readonly until: string;
}

export interface Policy {
  readonly name: string;
  /** Alerts with the same values of these labels are one page. */
  readonly groupBy: readonly string[];
  /** So long after its first alert a group is paged: what comes meanwhile is in the same page. */
  readonly waitMs: number;
  readonly steps: readonly Step[];
  /** How often all steps are taken. */
  readonly repeat: number;
  /** An acknowledgement is good for so long; then, if it still fires, the same step is paged again. */
  readonly ackTimeoutMs: number;
}

export interface Step {
  readonly targets: readonly Target[];
  /** The next step comes when nobody has answered so long; null: it only tells, and is the last. */
  readonly ackWithinMs: number | null;
}

export interface Target {
  readonly kind: 'person' | 'team' | 'schedule' | 'notifier';
  readonly name: string;
  /** Only of a notifier: where it goes. */
  readonly to: string;
}

export interface Route {
  readonly matchers: readonly Matcher[];
  readonly policy: string;
}

/** While a source fires, its targets page nobody, where both have the same values of `equal`. */
export interface Inhibition {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
}
