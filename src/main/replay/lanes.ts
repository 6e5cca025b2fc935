import { foundingReport } from './founding.ts';
import type { ReplayRun } from './run.ts';

/** A lane a run on a logarithmic scale: three tenths of a second and three hours stand on one line. */
const fromMs = 10;
const toMs = 4 * 3_600_000;
const ticks = [
  [10, '10 ms'],
  [100, '100 ms'],
  [1_000, '1 s'],
  [10_000, '10 s'],
  [60_000, '1 min'],
  [600_000, '10 min'],
  [3_600_000, '1 h'],
  [10_800_000, '3 h'],
] as const;
const laneWidthMin = 50;
const laneWidthMax = 84;

type Lane = Pick<ReplayRun, 'firstErrorMs' | 'seenMs' | 'causeNamedMs' | 'restoredMs'> & {
  readonly name: string;
  /** Until when requests failed; null: none did. */
  readonly failedUntilMs: number | null;
  readonly after: string;
};

export function drawTimeline(runs: readonly ReplayRun[], columns: number): string[] {
  const { firstErrorMs, seenMs, causeNamedMs, restoredMs } = foundingReport;
  const report = { firstErrorMs, seenMs, causeNamedMs, restoredMs };
  const lanes: Lane[] = [
    { name: 'the report, 2023', ...report, failedUntilMs: restoredMs, after: '' },
    ...runs.filter(({ requests }) => requests > 0).map(laneOf),
  ];
  const nameWidth = Math.max(...lanes.map(({ name }) => name.length)) + 2;
  const width = Math.min(laneWidthMax, Math.max(laneWidthMin, columns - nameWidth - 1));
  const indent = ' '.repeat(nameWidth);
  return [
    `${indent}${scale(width)}`,
    ...lanes.map((lane) => `${lane.name.padEnd(nameWidth)}${drawLane(lane, width)}`),
    `${indent}${'\u2588'} requests fail   E first error   S seen   C cause named   R restored`,
  ];
}

function laneOf(run: ReplayRun): Lane {
  const { name, firstErrorMs, seenMs, causeNamedMs, restoredMs, refused, failed } = run;
  const failedUntilMs = firstErrorMs === null ? null : (restoredMs ?? toMs);
  const after = refused ? ' refused before any request' : failed === 0 ? ' no request failed' : '';
  return { name, firstErrorMs, seenMs, causeNamedMs, restoredMs, failedUntilMs, after };
}

/** The column of a moment; what lies outside the scale stands at its end. */
function columnOf(ms: number, width: number): number {
  const inside = Math.min(toMs, Math.max(fromMs, ms));
  return Math.round((Math.log(inside / fromMs) / Math.log(toMs / fromMs)) * (width - 1));
}

function scale(width: number): string {
  const cells: string[] = Array.from({ length: width + 8 }, () => ' ');
  let free = 0;
  for (const [ms, label] of ticks) {
    const at = columnOf(ms, width);
    if (at < free) continue;
    for (const [index, letter] of [...label].entries()) cells[at + index] = letter;
    free = at + label.length + 1;
  }
  return cells.join('').trimEnd();
}

function drawLane(lane: Lane, width: number): string {
  const cells: string[] = Array.from({ length: width }, () => '\u00b7');
  if (lane.firstErrorMs !== null && lane.failedUntilMs !== null)
    cells.fill('\u2588', columnOf(lane.firstErrorMs, width), columnOf(lane.failedUntilMs, width) + 1);
  const marks = [
    ['R', lane.restoredMs],
    ['C', lane.causeNamedMs],
    ['S', lane.seenMs],
    ['E', lane.firstErrorMs],
  ] as const;
  const taken = new Set<number>();
  // From the last to the first: of two at one place the later one stands to the right.
  for (const [mark, ms] of marks) {
    if (ms === null) continue;
    let at = columnOf(ms, width);
    while (taken.has(at) && at > 0) at -= 1;
    taken.add(at);
    cells[at] = mark;
  }
  return `${cells.join('')}${lane.after}`;
}
