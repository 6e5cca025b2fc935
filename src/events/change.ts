import type { Diagnostic, Place } from '#base';

export const changeStates = [
  'proposed',
  'gated',
  'canary',
  'baking',
  'promoted',
  'refused',
  'rolled back',
  'superseded',
  'abandoned',
] as const;
export type ChangeState = (typeof changeStates)[number];

export const finalStates: readonly ChangeState[] = [
  'promoted',
  'refused',
  'rolled back',
  'superseded',
  'abandoned',
];

/** In the order in which they are asked. */
export const gateNames = [
  'parse',
  'limits',
  'engine check',
  'existence',
  'rehearsal',
  'way back',
  'canary',
  'bake',
] as const;
export type GateName = (typeof gateNames)[number];

/** A gate's answer. `unknown` (could not tell) is never a pass. */
export interface GateReport {
  readonly gate: GateName;
  readonly verdict: 'passed' | 'refused' | 'unknown';
  /** Set when it did not pass and the change went on because it was forced. */
  readonly forced: boolean;
  /** One line for a person: `6 of 6 servers answered from lb-1 and lb-2`. */
  readonly summary: string;
  /** Lines of evidence, the decisive ones first. */
  readonly evidence: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly tookMs: number;
}

/** What a change does to the site's parts, with the lines that say so. */
export interface SiteDifference {
  readonly serversAdded: readonly ChangedServer[];
  readonly serversRemoved: readonly ChangedServer[];
  /** Listeners, routes, pools (other than their servers), guard: `routes[2] "api"`, `changed`. */
  readonly parts: readonly {
    readonly what: string;
    readonly how: 'added' | 'removed' | 'changed';
    readonly place: Place | null;
  }[];
}

export interface ChangedServer {
  readonly pool: string;
  readonly server: string;
  /** `10.0.0.7:8080` */
  readonly address: string;
  readonly place: Place;
}
