import type {
  ApplyRequest,
  ChangeView,
  DriftView,
  IncidentView,
  JournalCheckView,
  LiveView,
  Progress,
  ReportView,
  ReviewReport,
  RollbackView,
  SiteText,
  StatusView,
} from '#contract';
import type { CustomerReport, JournalEntry } from '#events';
import type { AlertBackend } from './alert-routes.ts';

/** What the API gives access to; `main` wires it. Each call may throw a Failure, which becomes a problem with its code. */
export interface Backend {
  status(): Promise<StatusView>;
  /** The text that was promoted last, with what it includes. */
  site(): SiteText;
  /** What was changed behind Holdfast's back, looked for now; with `mend`, as far as that can be, kept or taken back. */
  drift(mend?: 'adopt' | 'revert'): Promise<DriftView>;
  propose(request: ApplyRequest): Promise<ChangeView>;
  /** What the last two seconds were like. */
  live(): LiveView;
  /** What is counted, as Prometheus or OpenMetrics reads it. */
  metrics(format: 'prometheus' | 'openmetrics'): string;
  /** Newest first. */
  changes(): readonly ChangeView[];
  /** What was, at once, then what comes; null when there is no such change. Returns the function that stops it. */
  watch(change: string, use: (line: Progress) => void): (() => void) | null;
  approve(change: string, by: string, reason: string): Promise<ChangeView>;
  confirm(change: string, by: string, reason: string): Promise<ChangeView>;
  rollback(by: string, reason: string): Promise<RollbackView>;
  abort(by: string, reason: string, change?: string): Promise<RollbackView>;
  /** Newest first. */
  incidents(): readonly IncidentView[];
  /** A person says that it is over. Rejects with HF404: there is none such, or it is over already; HF203. */
  resolveIncident(incident: string, by: string, reason: string): Promise<IncidentView>;
  /** Markdown; null when there is no such incident. */
  postmortem(incident: string): string | null;
  /** Takes a customer's report in; its number. `sender` tells clients apart, and is not kept. */
  report(by: string, sender: string, input: Omit<CustomerReport, 'report' | 'client'>): Promise<string>;
  /** Newest first. */
  reports(): readonly ReportView[];
  /** Reviews the site now. */
  review(by: string): Promise<ReviewReport>;
  /** Newest first. */
  reviews(): readonly ReviewReport[];
  /** Whether an incident is open, as far as it is known. */
  troubled(): boolean;
  entries(after: number, max: number): readonly JournalEntry[];
  verify(): Promise<JournalCheckView>;
  readonly alerting: AlertBackend;
}
