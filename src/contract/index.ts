export type * from './alerts.ts';
export * from './api.ts';
export * from './balancer.ts';
export * from './plan.ts';
