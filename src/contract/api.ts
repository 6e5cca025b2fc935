import type { ChangeState, GateReport } from '#events';
import type { SiteDifference } from '#model';
import type { BalancerStatus } from './balancer.ts';

/** The controller's HTTP API under `/v1`: shapes of its JSON. Problems are `application/problem+json` (RFC 9457) with `code`. */
export interface ApplyRequest {
  readonly file: string;
  readonly folder: string;
  readonly text: string;
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
  readonly siteHash: string;
  readonly by: string;
  readonly force: boolean;
  readonly reason: string;
  readonly proposedAt: number;
  readonly endedAt: number | null;
  readonly difference: SiteDifference;
  readonly gates: readonly GateReport[];
  readonly incident: string | null;
}

export interface StatusView {
  readonly site: string;
  readonly state: 'serving' | 'degraded' | 'down';
  readonly siteHash: string;
  readonly frozen: string | null;
  /** Why changes are refused for now, when the journal cannot be used. */
  readonly journal: { readonly ok: boolean; readonly why: string; readonly entries: number };
  readonly change: ChangeView | null;
  readonly balancers: readonly (
    | BalancerStatus
    | { readonly balancer: string; readonly unreachable: string }
  )[];
  readonly openIncidents: readonly string[];
}

export interface IncidentView {
  readonly id: string;
  readonly title: string;
  readonly change: string | null;
  readonly beganAt: number;
  readonly seenAt: number;
  readonly restoredAt: number | null;
  readonly resolvedAt: number | null;
  readonly requests: number;
  readonly failed: number;
}

/** A line of the stream `GET /v1/changes/ID/progress` (server-sent events): what `apply` prints. */
export type Progress =
  | { readonly kind: 'gate started'; readonly gate: string }
  | { readonly kind: 'gate'; readonly report: GateReport }
  | { readonly kind: 'canary'; readonly balancer: string; readonly share: number; readonly line: string }
  | { readonly kind: 'state'; readonly state: ChangeState; readonly why: string }
  | { readonly kind: 'end'; readonly change: ChangeView };
