export { type Asked, findEngine, type RunningEngine } from './find.ts';
export * from './service.ts';
export * from './take-over.ts';
