import type { Diagnostic } from '#base';
import type { CandidateObservation } from '#contract';
import type { ServerRef, TakeBack } from '#events';
import type { SiteDifference } from '#model';
import { type Stop, whyStopped } from '../machine.ts';
import type { Answer } from './gate.ts';

/** The answer of a gate under which the change was stopped: what spoke against it, joined with the lines of the change. */
export function stopAnswer(stop: Stop, difference: SiteDifference, seen?: CandidateObservation): Answer {
  const takeBack = seen?.takenBack ?? null;
  return {
    verdict: 'refused',
    summary: whyStopped(stop),
    evidence: [...(takeBack ? takeBackLines(takeBack, difference) : []), ...(seen ? [countsLine(seen)] : [])],
    diagnostics: [diagnostic(stop)],
    stop,
  };
}

function diagnostic(stop: Stop): Diagnostic {
  return {
    code: codeOf(stop),
    severity: 'error',
    place: null,
    path: '',
    message: whyStopped(stop),
    remedy: '',
  };
}

function codeOf(stop: Stop): string {
  if (stop.kind === 'silent') return 'HF304';
  if (stop.kind === 'unconfirmed') return 'HF117';
  return (stop.kind === 'broken' && stop.code) || 'HF107';
}

function takeBackLines(
  { evidence, decidedAt, doneAt, rung }: TakeBack,
  difference: SiteDifference,
): string[] {
  const { firstBadAt, exposedAt, serversDown, errorLines } = evidence;
  const since = (at: number | null) =>
    at === null || exposedAt === null ? null : Math.round(at - exposedAt);
  const firstBadMs = since(firstBadAt);
  const decidedMs = since(decidedAt);
  return [
    ...serversDown.map((down) => `${lineOf(down, difference)}${down.lastCheck}`),
    ...(firstBadMs === null ? [] : [`first bad answer ${firstBadMs} ms after the exposure began`]),
    ...(decidedMs === null ? [] : [`decided ${decidedMs} ms after the exposure began`]),
    `done in ${Math.max(0, Math.round(doneAt - decidedAt))} ms, rung ${rung}`,
    ...errorLines,
  ];
}

function lineOf(down: ServerRef, { serversAdded }: SiteDifference): string {
  const added = serversAdded.find(({ pool, server }) => pool === down.pool && server === down.server);
  const where = added ? `${added.place.file}:${added.place.line} ` : '';
  return `${where}pool "${down.pool}" server "${down.server}"${added ? ` ${added.address}` : ''}: `;
}

function countsLine({ candidate, incumbent, eValue }: CandidateObservation): string {
  const figures = (c: typeof candidate) =>
    `${c.requests} requests, ${c.errors} errors, ${c.netUses} by the net, ${c.connectionErrors} connection errors`;
  return `candidate: ${figures(candidate)}; incumbent: ${figures(incumbent)}; evidence ${eValue.toPrecision(2)} to 1`;
}
