/** The product's own generator: `holdfast replay` ships with it. */
export * from '../../src/main/replay/load.ts';
export { type LoadProcess, startLoadProcess } from '../../src/main/replay/load-process.ts';
