/** The words of Alertmanager (labels, annotations, API v2) and of PagerDuty (severity), so that what a team has fits. */
export const alertSeverities = ['critical', 'error', 'warning', 'info'] as const;
export type AlertSeverity = (typeof alertSeverities)[number];

/** Who an alert is: the same labels are the same alert. */
export interface AlertLabels extends Readonly<Record<string, string>> {
  /** CamelCase: `BadAnswers`. */
  readonly alertname: string;
  /** One of `alertSeverities`. */
  readonly severity: string;
}

/**
 * What a person reads. `users`, `cause` and `action` are the three lines of a page: what users see, what the cause is,
 * what was done and what to do. None is more than one line.
 */
export interface AlertAnnotations extends Readonly<Record<string, string>> {
  /** One line: `Change c7 was taken back from lb-1`. */
  readonly summary: string;
  readonly users: string;
  readonly cause: string;
  readonly action: string;
}

export interface Alert {
  readonly labels: AlertLabels;
  readonly annotations: AlertAnnotations;
  /** Milliseconds since 1970. */
  readonly startsAt: number;
  /** When it is over unless it comes again; null: its end will be told. */
  readonly endsAt: number | null;
  /** Where it comes from, as a URL; empty: from Holdfast itself. */
  readonly generatorURL: string;
}

/** `name="value"` is equal; `!=`, `=~`, `!~` as in Alertmanager, expressions over the whole value. A label that is not there is empty. */
export interface Matcher {
  readonly name: string;
  readonly value: string;
  readonly isEqual: boolean;
  readonly isRegex: boolean;
}

/** Alerts that match all of it page nobody until it ends. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAt: number;
  readonly endsAt: number;
  readonly createdBy: string;
  readonly comment: string;
}

/** One message to one receiver. `id` never changes, however often it is tried: receivers that know such keys get it once. */
export interface PlannedPage {
  readonly id: string;
  /** Null: a channel that belongs to nobody. */
  readonly person: string | null;
  /** The notifier's name in oncall.yaml. */
  readonly notifier: string;
  /** Where it has the person, in the notifier's own words (an address, a number); empty: it needs none. */
  readonly to: string;
}

/** Why somebody is paged. */
export type PageReason = 'first' | 'unanswered' | 'ackRanOut' | 'worse' | 'handedOver';

export type AlertEvent =
  | { readonly kind: 'alert.fired'; readonly fingerprint: string; readonly alert: Alert }
  | { readonly kind: 'alert.resolved'; readonly fingerprint: string; readonly how: string }
  /** More alerts came than are taken; so many were left out since the last such entry. */
  | { readonly kind: 'alert.dropped'; readonly count: number; readonly why: string }
  | { readonly kind: 'silence.made'; readonly silence: Silence }
  | { readonly kind: 'silence.ended'; readonly silence: string }
  /** Alerts of one group want a person, by this policy of oncall.yaml. */
  | {
      readonly kind: 'escalation.began';
      readonly escalation: string;
      readonly policy: string;
      /** Which alerts belong to it: policy and the values of the labels that it groups by. */
      readonly group: string;
    }
  /** A person has it, until `until`. */
  | {
      readonly kind: 'alert.acknowledged';
      readonly escalation: string;
      readonly until: number;
      readonly comment: string;
    }
  | { readonly kind: 'escalation.handedOver'; readonly escalation: string; readonly to: string }
  /** Every step was taken as often as the policy says, and nobody answered. */
  | { readonly kind: 'escalation.exhausted'; readonly escalation: string }
  | { readonly kind: 'escalation.ended'; readonly escalation: string; readonly how: string }
  /** Before any of them is sent. A step is one entry, so it is never planned by half. */
  | {
      readonly kind: 'page.planned';
      readonly escalation: string;
      /** Counts from 0 within its escalation. */
      readonly turn: number;
      /** `updated`: what was told of the cause is known better; nobody is woken anew. */
      readonly what: 'page' | 'updated' | 'acknowledged' | 'resolved';
      /** Of the policy, from 0. */
      readonly step: number;
      /** How often the policy has begun anew. */
      readonly round: number;
      readonly reason: PageReason;
      /** Empty: nobody was there to be paged; `missing` says why. */
      readonly pages: readonly PlannedPage[];
      readonly missing: readonly string[];
    }
  /** The receiver has it, in its own words. */
  | {
      readonly kind: 'page.sent';
      readonly page: string;
      readonly attempt: number;
      readonly said: string;
      /** What was told of the cause. Absent in journals of before. */
      readonly cause?: string;
    }
  /** It is tried again at `retryAt`. */
  | {
      readonly kind: 'page.failed';
      readonly page: string;
      readonly attempt: number;
      readonly why: string;
      readonly retryAt: number;
    }
  /** It is not tried again: a dead letter. */
  | { readonly kind: 'page.dead'; readonly page: string; readonly attempt: number; readonly why: string };

const offsetLow = 0x84222325;
const offsetHigh = 0xcbf29ce4;
const primeLow = 0x1b3;
const separator = 0xff;

/** Alertmanager's own: FNV-1a, 64 bits, over the labels in order of their names. 16 hexadecimal digits. */
export function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  let low = offsetLow;
  let high = offsetHigh;
  const add = (byte: number) => {
    const mixed = (low ^ byte) >>> 0;
    const product = mixed * primeLow;
    high = (high * primeLow + Math.floor(product / 2 ** 32) + ((mixed << 8) >>> 0)) % 2 ** 32;
    low = product % 2 ** 32;
  };
  for (const name of Object.keys(labels).sort()) {
    for (const word of [name, labels[name] ?? '']) {
      for (const byte of Buffer.from(word)) add(byte);
      add(separator);
    }
  }
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}
