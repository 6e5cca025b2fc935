export { type Ledger, viewsOf } from './ledger.ts';
export { createPipeline, type Pipeline, type PipelineParts } from './pipeline.ts';
export * from './ports.ts';
export { type Renewals, watchRenewals } from './renewals.ts';
export { type Told, tellEvery } from './take-back.ts';
