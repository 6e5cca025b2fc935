export { type Comparison, type Difference, difference } from './difference.ts';
