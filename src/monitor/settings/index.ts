export { type CountedPools, poolsCounted } from './counted.ts';
export { isMonitorFile, monitorJsonSchema, type ReadMonitoring, readMonitoring } from './read.ts';
export * from './settings.ts';
