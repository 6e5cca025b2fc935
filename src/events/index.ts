export * from './alert.ts';
export * from './change.ts';
export * from './events.ts';
export * from './fault.ts';
export * from './guard.ts';
export * from './incident.ts';
export type * from './plan.ts';
export * from './report.ts';
export * from './review.ts';
