export { type Outcome, type OwnProof, type ProofOptions, proveOwn, type TextProof } from './prove.ts';
