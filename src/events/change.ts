import type { Diagnostic } from '#base';

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
  'plan',
  'limits',
  'engine check',
  'existence',
  'rehearsal',
  'way back',
  'review',
  'canary',
  'bake',
] as const;
export type GateName = (typeof gateNames)[number];

/** What a person asked for with a change, beside its text. Absent: as always. */
export interface AskedFor {
  /** Also where running engines could be told of it. */
  readonly newGeneration?: boolean;
  /** The text that ran before the one that runs is meant. */
  readonly older?: boolean;
  /** Past its review, and nothing else: journalled, told, and reviewed afterwards. */
  readonly breakGlass?: boolean;
  /** Every gate, and a canary and a bake of seconds: what is broken now costs more than what they might miss. */
  readonly emergency?: boolean;
  /** Taken back unless a person confirms it so long after it has all traffic. */
  readonly confirmWithinMs?: number;
}

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
