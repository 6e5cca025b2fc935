export { type Outcome, type OwnProof, type ProofOptions, proveOwn, type TextProof } from './prove.ts';
export { proveSite } from './site.ts';
export { proofView, provePlan, proveWritten } from './written.ts';
