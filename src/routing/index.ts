export * from './decide.ts';
export * from './routing.ts';
