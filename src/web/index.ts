export { reportPage, type ReportPageState } from './report-page.ts';
