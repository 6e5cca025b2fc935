export type { BalancerFacts, ReviewFacts } from './facts.ts';
export { reviewOf } from './review.ts';
export { type Reviewer, readSchedule, reviewer } from './reviewer.ts';
