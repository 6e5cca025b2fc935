export interface ServerRef {
  readonly pool: string;
  readonly server: string;
}

/** Counts since the exposure began. */
export interface Counts {
  readonly requests: number;
  readonly errors: number;
  readonly clientErrors: number;
  readonly connectionErrors: number;
  readonly retries: number;
  readonly responseErrors: number;
  readonly netUses: number;
}

export const noCounts: Counts = {
  requests: 0,
  errors: 0,
  clientErrors: 0,
  connectionErrors: 0,
  retries: 0,
  responseErrors: 0,
  netUses: 0,
};

/** One taking back, with both clocks' times in milliseconds since 1970. */
export interface TakeBack {
  readonly change: string | null;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  readonly decidedAt: number;
  /** When both public sides were read back as they should be. */
  readonly doneAt: number;
  readonly rung: 1 | 2 | 3;
  readonly steps: readonly { readonly what: string; readonly ok: boolean; readonly tookMs: number }[];
  readonly evidence: TakeBackEvidence;
}

export interface TakeBackEvidence {
  /** What spoke: `netUses`, `errors`, `liveServers`, `hung`, `slower`, `memory`, `comparison`, `person`, `lease`, `died`. */
  readonly cause: string;
  readonly exposedAt: number | null;
  readonly firstBadAt: number | null;
  readonly candidate: Counts;
  readonly incumbent: Counts;
  readonly serversDown: readonly (ServerRef & { readonly lastCheck: string })[];
  readonly errorLines: readonly string[];
}

/** What the guard did, numbered by the agent without a gap, kept until delivered. */
export interface GuardRecord {
  readonly number: number;
  readonly at: number;
  readonly balancer: string;
  readonly what:
    | { readonly kind: 'tookBack'; readonly takeBack: TakeBack }
    | {
        readonly kind: 'engineDied';
        readonly generation: number;
        readonly role: string;
        readonly how: string;
        readonly takenOverBy: number | null;
        readonly tookOverMs: number | null;
        /** When it ended, where that is known better than by the record's own time. */
        readonly diedAt?: number;
        /** Requests that were in flight in it and got no answer; absent when nobody could count them. */
        readonly lostRequests?: number;
      }
    /** Serves again after no engine was left to take over: a cold start of the last good text. */
    | {
        readonly kind: 'restored';
        readonly generation: number;
        readonly how: string;
        readonly tookMs: number;
      }
    /** The fourth rung: another engine carries the site, until a change brings it back. */
    | {
        readonly kind: 'carried';
        readonly generation: number;
        readonly by: string;
        readonly instead: string;
        readonly because: string;
        /** From when the third rung had failed until the other engine accepted. */
        readonly tookMs: number;
      }
    /** A change brought the site back to its own engine. */
    | { readonly kind: 'carriedNoMore'; readonly change: string | null; readonly by: string }
    /** A generation that was taken back has ended: its last counts, with what was still in flight at the take-back. */
    | {
        readonly kind: 'drained';
        readonly change: string | null;
        readonly generation: number;
        readonly candidate: Counts;
      }
    | {
        readonly kind: 'alarm';
        readonly series: string;
        readonly requests: number;
        readonly bad: number;
        readonly score: number;
      }
    | { readonly kind: 'recovered'; readonly series: string }
    /** The last good text was started cold in a sandbox: told when that begins to fail, and when it works again. */
    | { readonly kind: 'coldStart'; readonly siteHash: string; readonly ok: boolean; readonly why: string }
    | Noted
    /** Another process listens on an address of the site: a service that came back by itself, say. Its end, where `gone`. */
    | {
        readonly kind: 'beside';
        readonly address: string;
        readonly pid: number;
        readonly command: string;
        readonly unit: string | null;
        readonly gone: boolean;
      }
    /** A generation has the newest keys for TLS tickets: it was told, or a fresh process of the same text took its place. */
    | {
        readonly kind: 'ticketKeys';
        readonly set: number;
        readonly generation: number;
        readonly replacedBy: number | null;
      }
    /** Somebody changed a running engine over the admin socket. */
    | {
        readonly kind: 'runtime';
        readonly command: string;
        /** By generation, what it answered; empty is HAProxy's way of saying that it was done. */
        readonly answers: readonly { readonly generation: number; readonly said: string }[];
      };
}

/** What was done to a balancer from outside of its agent, told to it so that it is journalled. */
export type Noted =
  | {
      readonly kind: 'adopted';
      readonly engine: string;
      readonly pid: number;
      readonly unit: string | null;
      readonly file: string;
      readonly how: 'taken' | 'beside';
      /** Connections that were still open when it was told to end. */
      readonly openConnections: number;
    }
  | { readonly kind: 'released'; readonly to: string; readonly pid: number };
