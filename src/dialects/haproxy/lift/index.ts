export { lift } from './lift.ts';
export type { LiftSource } from './source.ts';
