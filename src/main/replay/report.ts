import type { Replay } from '../replay.ts';
import { foundingReport } from './founding.ts';
import { drawTimeline } from './lanes.ts';
import { type Knows, nobodyAcknowledges, roles } from './people.ts';
import type { ReplayRun } from './run.ts';
import { usualName } from './usual.ts';

/** Everything that `holdfast replay` prints: one table, the drawn timeline, what was said, and the postmortem. */
export function renderReplay(replay: Replay, columns: number): string {
  const { runs, rate, speed, postmortem } = replay;
  const sections = [
    `The incident of the founding report, ${rate} requests a second, ${speed} intervals of the usual monitoring`,
    tableOf(runs).join('\n'),
    peopleOf(runs).join('\n'),
    notesOf(runs).join('\n'),
    drawTimeline(runs, columns).join('\n'),
    ...runs.filter(({ words }) => words.length > 0).map(wordsOf),
    ...(postmortem === null ? [] : [postmortemOf(postmortem)]),
  ];
  return `\n${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

const heads = [
  '',
  'first error',
  'seen by monitoring',
  'cause named',
  'restored',
  'requests failed',
] as const;

export function tableOf(runs: readonly ReplayRun[]): string[] {
  const rows = [heads, reportRow(), ...runs.map(runRow)];
  return drawTable(rows);
}

function drawTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [lines[0] ?? '', rule, ...lines.slice(1)];
}

function reportRow(): readonly string[] {
  const { firstErrorMs, seenMs, causeNamedMs, restoredMs, usersAffectedShare, firstSeenBy } = foundingReport;
  const times = [
    `${durationOf(firstErrorMs)}, ${firstSeenBy}`,
    ...[seenMs, causeNamedMs, restoredMs].map(durationOf),
  ];
  return ['the report, 2023', ...times, `${usersAffectedShare * 100} % of users`];
}

function runRow(run: ReplayRun): readonly string[] {
  const { name, requests, failed, failedShare, refused } = run;
  if (requests === 0) return [name, 'left out', '', '', '', ''];
  const counts = `${number(failed)} of ${number(requests)}`;
  if (refused) return [name, 'none', 'refused', 'by the gates', 'never live', counts];
  const { firstErrorMs, seenMs, causeNamedMs, restoredMs, simulated } = run;
  const mark = simulated.length > 0 && restoredMs !== null ? ' simulated' : '';
  const share =
    failed === 0 || failedShare === null ? '' : `, ${Math.round(failedShare * 100)} % while it lasted`;
  return [
    name,
    firstErrorMs === null ? 'none' : durationOf(firstErrorMs),
    seenMs === null ? 'never' : durationOf(seenMs),
    causeNamedMs === null ? 'never' : durationOf(causeNamedMs),
    failed === 0 ? 'no outage' : restoredMs === null ? 'never' : `${durationOf(restoredMs)}${mark}`,
    `${counts}${share}`,
  ];
}

/** When customer, support, engineering and vendor knew, in the report and in each run. */
export function peopleOf(runs: readonly ReplayRun[]): string[] {
  const cell = (atMs: number | null) => (atMs === null ? 'never' : durationOf(Math.max(0, atMs)));
  const row = (name: string, people: readonly Knows[]) => [
    name,
    ...roles.map((role) => cell(people.find((one) => one.role === role)?.atMs ?? null)),
  ];
  const rows = [
    ['who knew when', ...roles],
    row('the report, 2023', foundingReport.people),
    ...runs.filter(({ people }) => people.length > 0).map(({ name, people }) => row(name, people)),
  ];
  return drawTable(rows);
}

function notesOf(runs: readonly ReplayRun[]): string[] {
  const leftOut = [...new Set(runs.flatMap((run) => run.leftOut))];
  return [
    `The report: ${foundingReport.source}. Declared resolved after ${durationOf(foundingReport.declaredResolvedMs)}.`,
    'Times count from the reload, or from the first exposure under Holdfast. Failed: as the client saw it.',
    'Seen: the page arrives, or the guard decides. Cause named: its postmortem can be read, with servers, lines and change.',
    ...(runs.some(({ people }) => people.some(({ role, atMs }) => role === 'vendor' && atMs !== null))
      ? [nobodyAcknowledges]
      : []),
    ...runs.flatMap(({ name, simulated }) => simulated.map((what) => `simulated, ${name}: ${what}`)),
    ...runs.flatMap(({ name, exposed }) => (exposed === null ? [] : [exposedNote(name, exposed)])),
    ...leftOut.map((what) => `left out: ${what}`),
    ...(runs.some(
      ({ name, seenMs, refused, requests }) =>
        name === usualName && requests > 0 && seenMs === null && !refused,
    )
      ? [`${usualName}: nobody was paged while the outage lasted`]
      : []),
  ];
}

function exposedNote(name: string, seen: NonNullable<ReplayRun['exposed']>): string {
  const { requests, failed, netUses } = seen;
  if (requests === 0)
    return `${name}: no request had reached the change when it was taken back; its health checks had spoken while it was parked`;
  return `${name}: ${requests} requests had reached the change, ${failed} failed, ${netUses} were answered by the net`;
}

function wordsOf({ name, words }: ReplayRun): string {
  return [`What it said: ${name}`, ...words.map((line) => `  ${line}`)].join('\n');
}

function postmortemOf(markdown: string): string {
  const lines = markdown.trimEnd().split('\n');
  return [
    'The postmortem, by `holdfast postmortem`:',
    '',
    ...lines.map((line) => `  ${line}`.trimEnd()),
  ].join('\n');
}

export function durationOf(ms: number): string {
  if (ms === 0) return '0';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 600_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 360_000) / 10} h`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}
