export { type ReportPageState, reportPage } from './report-page.ts';
