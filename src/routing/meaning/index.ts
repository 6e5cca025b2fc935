export * from './condition.ts';
export * from './difference/index.ts';
export * from './fate/index.ts';
export * from './findings/index.ts';
export { Keys } from './keys.ts';
export type * from './language.ts';
export * from './meaning.ts';
export { sizeOf, valueSizeMax } from './size.ts';
export * from './value.ts';
