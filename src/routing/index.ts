export * from './access.ts';
export { linearMatcher } from './automaton.ts';
export * from './certificate.ts';
export * from './decide.ts';
export * as meaning from './meaning/index.ts';
export * from './outcome.ts';
export * from './routing.ts';
export * from './stream.ts';
export { type ShadowedRule, shadowedRules, type Witness, witnesses } from './witness.ts';
