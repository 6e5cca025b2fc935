export * from './condition.ts';
export * from './difference/index.ts';
export * from './fate/index.ts';
export * from './findings/index.ts';
export type * from './language.ts';
export * from './meaning.ts';
export * from './value.ts';
