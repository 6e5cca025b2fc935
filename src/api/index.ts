export type { AlertBackend } from './alert-routes.ts';
export { createApi } from './app.ts';
export type { Backend } from './backend.ts';
export { createReportForm, type ReportPages } from './reports.ts';
