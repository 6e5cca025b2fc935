export * from './api.ts';
export * from './balancer.ts';
