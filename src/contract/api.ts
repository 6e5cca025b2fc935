import type { Diagnostic } from '#base';
import type {
  AskedFor,
  ChangeState,
  CustomerReport,
  FaultSeverity,
  GateReport,
  PlanView,
  ReviewEvent,
  ServerRef,
  TakeBack,
} from '#events';
import type { SiteDifference, WrittenText } from '#model';
import type { BalancerStatus } from './balancer.ts';

/** The controller's HTTP API under `/v1`: shapes of its JSON. Problems are `application/problem+json` (RFC 9457) with `code`. */
export interface ApplyRequest extends WrittenText, AskedFor {
  /** It waits where it cannot begin at once. Absent: it is refused then. */
  readonly queue?: boolean;
  readonly force: boolean;
  readonly reason: string;
  /** Takes the text out of quarantine first. */
  readonly release: boolean;
  /** Ends a freeze first. */
  readonly unfreeze: boolean;
  readonly by: string;
}

export interface ChangeView {
  readonly id: string;
  readonly state: ChangeState;
  readonly why: string;
  readonly file: string;
  /** Empty when the text is not a site. */
  readonly siteHash: string;
  readonly by: string;
  readonly force: boolean;
  readonly reason: string;
  /** Absent: nothing beside the text. */
  readonly asked?: AskedFor;
  readonly proposedAt: number;
  readonly endedAt: number | null;
  readonly difference: SiteDifference;
  readonly gates: readonly GateReport[];
  /** What it does to requests, the first of each kind; null: it was not planned, or not yet. */
  readonly plan: PlanView | null;
  /** What people said to it. */
  readonly review: ReviewView;
  /** Absent: it asks for none, or does not wait for it yet. */
  readonly confirm?: ConfirmView;
  readonly incident: string | null;
}

export interface ReviewView {
  /** How many others than its author must approve it; null: nobody has said yet. */
  readonly needed: number | null;
  readonly because: readonly string[];
  readonly approvals: readonly {
    readonly by: string;
    readonly at: number;
    readonly reason: string;
    /** What was approved: the exact text on the exact site that ran. One of another does not count. */
    readonly of?: string;
  }[];
  /** It went on without them. `owed`: nobody else has reviewed it since. */
  readonly brokeGlass?: { readonly by: string; readonly reason: string; readonly owed: boolean };
}

export interface ConfirmView {
  readonly until: number;
  /** Null: nobody has yet. */
  readonly by: string | null;
}

/** `GET /v1/live`: what the last two seconds were like. */
export interface LiveView {
  readonly site: string;
  readonly at: number;
  readonly balancers: readonly LiveBalancer[];
  /** Seen and not over. */
  readonly faults: readonly {
    readonly fault: string;
    readonly severity: FaultSeverity;
    readonly startedAt: number;
    /** The verdict, or what was seen while there is none. */
    readonly said: string;
    readonly advice: string;
  }[];
  /** Of monitor.yaml. */
  readonly objectives: readonly LiveObjective[];
  /** The newest answer to each question of monitor.yaml. */
  readonly probes: readonly {
    readonly probe: string;
    readonly target: string;
    readonly ok: boolean;
    readonly answered: string;
    readonly tookMs: number;
    readonly askedMsAgo: number;
  }[];
}

/** An objective with its error budget, as far back as its days are known. */
export interface LiveObjective {
  readonly objective: string;
  /** `pool web`, `the site`, `probe home` */
  readonly of: string;
  /** Of requests that are to be good, 0 to 1. */
  readonly share: number;
  /** Good is who answers within it; null: good is what is no error. */
  readonly withinMs: number | null;
  readonly windowDays: number;
  readonly requests: number;
  readonly bad: number;
  /** 1: all of it; below 0: more than all is gone. */
  readonly budgetLeft: number;
  /** How many times as fast as it may the budget burns, over both windows; null: not too fast. */
  readonly burning: {
    readonly severity: FaultSeverity;
    readonly longMs: number;
    readonly long: number;
    readonly shortMs: number;
    readonly short: number;
  } | null;
  /** Why nothing is counted for it; empty: it is. */
  readonly idle: string;
}

export interface LiveBalancer {
  readonly balancer: string;
  /** How long its agent has said nothing. */
  readonly heardMsAgo: number;
  /** Whether its engine does. */
  readonly answers: boolean;
  readonly requestsPerSecond: number;
  readonly errorsPerSecond: number;
  readonly connections: number;
  /** Null: the engine does not tell. */
  readonly inHand: number | null;
  readonly engineCpuShare: number | null;
  /** Those at which something happened. */
  readonly pools: readonly {
    readonly pool: string;
    readonly requestsPerSecond: number;
    readonly errorsPerSecond: number;
    readonly retriesPerSecond: number;
    readonly queued: number;
    readonly meanMs: number | null;
    readonly serversLive: number;
    readonly serversAll: number;
  }[];
  readonly serversDown: readonly (ServerRef & { readonly lastCheck: string })[];
}

/** What `POST /v1/rollback` or `POST /v1/abort` did. */
export interface RollbackView {
  /** The change that was taken back; null when no change was in flight or promoted before. */
  readonly change: ChangeView | null;
  readonly balancers: readonly {
    readonly balancer: string;
    /** Null: it had nothing to go back from, or did not answer (`error`). */
    readonly takeBack: TakeBack | null;
    readonly error: string;
  }[];
}

/** What `GET /v1/journal/verify` found. */
export interface JournalCheckView {
  readonly ok: boolean;
  readonly entries: number;
  /** Sequence of the first entry that is not as it was written; null when all are. */
  readonly firstBad: number | null;
  readonly why: string;
  /** Hash of the newest entry: what to keep outside. */
  readonly head: string;
}

/** A refusal or fault as the API says it: `application/problem+json`, RFC 9457. */
export interface ProblemView {
  readonly code: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly remedy: string;
  readonly diagnostics: readonly Diagnostic[];
}

export interface StatusView {
  readonly site: string;
  readonly state: 'serving' | 'degraded' | 'down';
  readonly siteHash: string;
  readonly frozen: string | null;
  /** Why changes are refused for now, when the journal cannot be used. */
  readonly journal: { readonly ok: boolean; readonly why: string; readonly entries: number };
  readonly change: ChangeView | null;
  /** Changes that wait, in their order, `change` left out. */
  readonly queue: readonly ChangeView[];
  readonly balancers: readonly (
    | BalancerStatus
    | { readonly balancer: string; readonly unreachable: string }
  )[];
  readonly openIncidents: readonly string[];
  /** Changes that broke the glass, and that nobody else has reviewed since. */
  readonly reviewsOwed: readonly string[];
  /** What was changed behind Holdfast's back, when it was last looked for. Absent: nothing. */
  readonly drift?: readonly DriftFinding[];
  /** What keeps a certificate that was renewed on disk from being used. */
  readonly renewalTrouble: readonly string[];
}

/** A review as `GET /v1/reviews` gives it. */
export interface ReviewReport extends Omit<ReviewEvent, 'kind'> {
  readonly at: number;
  /** Who asked for it: `controller`, `person:root`. */
  readonly by: string;
}

/** A customer's report as `GET /v1/reports` gives it. */
export interface ReportView extends CustomerReport {
  readonly at: number;
  /** Who took it down: `customer`, `person:root`. */
  readonly by: string;
}

/** `GET /v1/drift`: what was changed behind Holdfast's back. */
export interface DriftView {
  readonly found: readonly DriftFinding[];
  /** What was done about it, where somebody asked for that. */
  readonly mended: readonly string[];
}

export interface DriftFinding {
  /** `file`: the one that was applied, since edited. `engine`: a running one was told otherwise. `journal`: what is kept is not what was promoted. */
  readonly kind: 'file' | 'engine' | 'boot' | 'journal';
  /** Null: the site's, not a balancer's. */
  readonly balancer: string | null;
  readonly what: string;
  readonly is: string;
  readonly wanted: string;
  readonly remedy: string;
}

export type { IncidentView } from '#events';

/** A line of the stream `GET /v1/changes/ID/progress` (server-sent events): what `apply` prints. */
export type Progress =
  | { readonly kind: 'gate started'; readonly gate: string }
  | { readonly kind: 'gate'; readonly report: GateReport }
  | { readonly kind: 'canary'; readonly balancer: string; readonly share: number; readonly line: string }
  | { readonly kind: 'state'; readonly state: ChangeState; readonly why: string }
  | { readonly kind: 'end'; readonly change: ChangeView };
