/** The product's own: `holdfast replay` ships with them. */
export * from '../../src/main/replay/origins.ts';
