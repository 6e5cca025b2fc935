import type { BuiltinText } from '#dialects';
import type { Evidence, ServerEvidence } from '../../engine.ts';
import type { OpenEntrance } from './entrances.ts';

/** What a supervisor and its workers say to each other, as JSON over Node's channel between processes. In order, and answered in order. */
export type ToWorker =
  | {
      readonly kind: 'start';
      /** This worker's share of the limits, and its own numbers of the descriptors. */
      readonly text: BuiltinText;
      readonly entrances: readonly OpenEntrance[];
      readonly health: readonly Health[];
    }
  | { readonly kind: 'call'; readonly id: number; readonly call: string; readonly input: unknown }
  | { readonly kind: 'health'; readonly health: readonly Health[] };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly id: number; readonly output: unknown; readonly error: string | null }
  /** It lives, and has counted this. */
  | { readonly kind: 'pulse'; readonly evidence: Evidence }
  /** Connections to this server fail: it should be checked now. */
  | { readonly kind: 'suspect'; readonly server: string }
  /** It has put this server out by itself, until checks say otherwise. */
  | { readonly kind: 'ejected'; readonly server: string; readonly why: string };

export interface Health {
  /** `pool/server` */
  readonly server: string;
  readonly state: ServerEvidence['state'];
}
