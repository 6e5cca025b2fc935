export * from './traffic.ts';
