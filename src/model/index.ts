export * from './difference.ts';
export * from './site.ts';
