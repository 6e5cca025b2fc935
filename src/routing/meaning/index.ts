export * from './condition.ts';
export type * from './language.ts';
export * from './meaning.ts';
export * from './value.ts';
