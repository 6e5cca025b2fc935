export * from './policy-file.ts';
export * from './traffic.ts';
