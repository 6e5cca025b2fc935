export { type Redactor, redactor } from './bundle/redact.ts';
export { type ReportDesk, type ReportInput, reportDesk } from './desk.ts';
export { incidentsOf } from './figures.ts';
export { type IncidentKeeper, incidentKeeper } from './keeper.ts';
export { postmortem } from './postmortem.ts';
export { type TimelineLine, timelineOf } from './timeline.ts';
