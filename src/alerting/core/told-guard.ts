import type { GuardRecord } from '#events';
import { ending, type Told } from './told.ts';

/** What a guard did or saw; null: nothing that anybody has to hear of. */
export function toldOfGuard({ balancer, what }: GuardRecord): Told | null {
  switch (what.kind) {
    case 'tookBack':
      return toldOfTakeBack(balancer, what.takeBack);
    case 'engineDied':
      return {
        name: 'EngineDied',
        role: 'cause',
        severity: what.takenOverBy === null ? 'critical' : 'error',
        labels: { balancer },
        summary: `The ${what.role} engine of ${balancer} died`,
        users:
          what.takenOverBy === null
            ? 'Requests to this balancer fail.'
            : `${what.lostRequests ?? 'Some'} requests in flight got no answer.`,
        cause: what.how,
        action:
          what.takenOverBy === null
            ? 'The last good text is being started cold. See `holdfast status`.'
            : `Generation ${what.takenOverBy} took over. Find out why it died: \`holdfast incidents\`.`,
        until: [ending.engine(balancer), ending.balancer(balancer)],
      };
    case 'carried':
      return {
        name: 'CarriedByAnotherEngine',
        role: 'cause',
        severity: 'critical',
        labels: { balancer },
        summary: `${what.by} carries ${balancer}, because ${what.instead} does not serve`,
        users: `The site answers again, after ${Math.round(what.tookMs)} ms.`,
        cause: what.because,
        action: `Mend ${what.instead} on ${balancer}, then go back to it: \`holdfast apply FILE\`.`,
        until: [ending.carried(balancer)],
      };
    case 'alarm':
      return {
        name: 'BadAnswers',
        role: 'symptom',
        severity: 'critical',
        labels: { guard: balancer, balancer, series: what.series },
        summary: `Bad answers on ${balancer}: ${what.series}`,
        users: `${what.bad} of the last ${what.requests} requests were answered with an error.`,
        cause: `Not located yet (${what.series} on ${balancer}).`,
        action: 'See `holdfast status`; a change in flight is taken back by itself.',
        until: [ending.series(balancer, what.series)],
      };
    case 'beside':
      return what.gone
        ? null
        : {
            name: 'AddressShared',
            severity: 'warning',
            labels: { balancer, address: what.address },
            summary: `Process ${what.pid} listens on ${what.address} too`,
            users: 'Some connections may come to it instead of the site.',
            cause: what.unit === null ? what.command : `${what.unit}: ${what.command}`,
            action: 'See `holdfast status` for how to end it.',
            until: [ending.beside(balancer, what.address)],
          };
    default:
      return null;
  }
}

function toldOfTakeBack(
  balancer: string,
  {
    change: id,
    reason,
    evidence,
    doneAt,
    decidedAt,
  }: Extract<GuardRecord['what'], { kind: 'tookBack' }>['takeBack'],
): Told | null {
  const bad = evidence.candidate.errors + evidence.candidate.netUses + evidence.candidate.connectionErrors;
  // A person went back although nothing was wrong.
  if (evidence.cause === 'person' && bad === 0 && evidence.firstBadAt === null) return null;
  const what = id === null ? 'The configuration' : `Change ${id}`;
  const { requests, errors } = evidence.candidate;
  return {
    name: 'ChangeTakenBack',
    role: 'cause',
    severity: 'critical',
    labels: { balancer, ...(id === null ? {} : { change: id }) },
    summary: `${what} was taken back from ${balancer}`,
    users: `${errors} of ${requests} requests that it had got failed.`,
    cause: `${reason}${evidence.errorLines[0] ? `; ${evidence.errorLines[0]}` : ''}`,
    action: `Taken back in ${Math.max(0, Math.round(doneAt - decidedAt))} ms; what was last good serves. Nothing is urgent: \`holdfast incidents\`.`,
    until: [id === null ? ending.balancer(balancer) : ending.change(id), ending.balancer(balancer)],
  };
}
