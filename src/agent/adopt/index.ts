export { ensureHolder } from '../ensure-holder.ts';
export { holderClient } from '../holder/protocol.ts';
export { handoverMark } from './beside.ts';
export { type Asked, findEngine, type RunningEngine } from './find.ts';
export { type HandBackParts, handBack, type Inherited } from './hand-back.ts';
export * from './service.ts';
export * from './take-over.ts';
