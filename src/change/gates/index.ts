import type { GateName, gateNames } from '#events';
import { bake } from './bake.ts';
import { canary } from './canary.ts';
import { engineCheck } from './engine-check.ts';
import { existence } from './existence.ts';
import type { Gate } from './gate.ts';
import { limits } from './limits.ts';
import { parse } from './parse.ts';
import { plan } from './plan.ts';
import { rehearsal } from './rehearsal.ts';
import { review } from './review.ts';
import { wayBack } from './way-back.ts';

type InOrder<Names extends readonly GateName[]> = { readonly [I in keyof Names]: Gate<Names[I]> };

/** The order in which a change is judged. What is forgotten or out of order does not compile. */
export const gates = [
  parse,
  plan,
  limits,
  engineCheck,
  existence,
  rehearsal,
  wayBack,
  review,
  canary,
  bake,
] as const satisfies InOrder<typeof gateNames>;

export { existence } from './existence.ts';
export type { Answer, Approvals, Confirmation, Gate, Proposal } from './gate.ts';
