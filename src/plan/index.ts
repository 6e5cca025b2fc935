export { markdownOf } from './markdown.ts';
export * from './policy-file.ts';
export { linesOf, type PlanPaint } from './terminal.ts';
export * from './traffic.ts';
export { summaryOf } from './words.ts';
