import type { Event, SpareEvent } from '#events';
import { clockOf, ending, type Told } from './told.ts';

type SpareTurned = Pick<Extract<SpareEvent, { readonly change: string }>, 'pool' | 'server' | 'because'>;
type Of<K extends Event['kind']> = Extract<Event, { readonly kind: K }>;

export function toldOfFreeze({ why }: Of<'pipeline.frozen'>): Told {
  return {
    name: 'PipelineFrozen',
    severity: 'error',
    role: 'symptom',
    summary: 'No change is taken until a person has looked',
    users: 'Nothing: what was last good serves.',
    cause: why,
    action: 'Read the incident (`holdfast incidents`), then `holdfast apply FILE --unfreeze`.',
    until: [ending.frozen],
  };
}

export function toldOfReview({ change, approvals, because }: Of<'change.awaits'>): Told {
  return {
    name: 'ChangeAwaitsReview',
    severity: 'info',
    labels: { change },
    summary: `Change ${change} waits for ${approvals} ${approvals === 1 ? 'approval' : 'approvals'}`,
    users: 'Nothing: it has no traffic yet.',
    cause: because.join('; '),
    action: `Look at it: \`holdfast changes ${change}\`; then \`holdfast approve ${change}\`.`,
    until: [ending.review(change)],
  };
}

export function toldOfConfirmation({ change, until }: Of<'change.awaitsConfirmation'>): Told {
  return {
    name: 'ChangeAwaitsConfirmation',
    severity: 'warning',
    labels: { change },
    summary: `Change ${change} is taken back at ${clockOf(until)} unless it is confirmed`,
    users: 'Nothing so far.',
    cause: 'It was applied with --confirm-within.',
    action: `If the site is as it should be: \`holdfast confirm ${change}\`. Else do nothing.`,
    until: [ending.confirmation(change)],
  };
}

export function toldOfBreakGlass({ change, missing, reason }: Of<'change.brokeGlass'>): Told {
  return {
    name: 'ChangeBrokeGlass',
    severity: 'warning',
    labels: { change },
    summary: `Change ${change} went past its review`,
    users: 'Nothing is known.',
    cause: `${missing}; the reason given: ${reason}`,
    action: `Review it now: \`holdfast approve ${change} --reason "what was looked at"\`.`,
    until: [ending.glass(change)],
  };
}

/** The way back is asked for with each change: that it could not be proven matters also when the change does not. */
export function toldOfGate({ report }: Of<'change.gate'>): Told | null {
  if (report.gate !== 'way back' || report.verdict === 'passed') return null;
  return {
    name: 'LastGoodNotProven',
    severity: 'error',
    summary: 'The last good generation could not be proven',
    users: 'Nothing now; a fault could not be taken back.',
    cause: report.evidence[0] ?? report.summary,
    action: 'See `holdfast status`, mend what is named, and apply the change again.',
    until: [ending.wayBack],
  };
}

export function toldOfCertificate({ why }: Of<'certificate.refused'>): Told {
  return {
    name: 'CertificateRefused',
    severity: 'error',
    summary: 'A renewed certificate cannot be used',
    users: 'Nothing until the one in use expires.',
    cause: why,
    action: 'Mend the file; it is looked at again by itself. `holdfast status` shows the days left.',
    until: [ending.certificate],
  };
}

export function toldOfExhaustion({ escalation }: Of<'escalation.exhausted'>): Told {
  return {
    name: 'NobodyAnswers',
    severity: 'critical',
    labels: { escalation },
    summary: `Everybody was paged about ${escalation}, and nobody answered`,
    users: 'See the alerts of that escalation.',
    cause: 'No step of its policy was acknowledged.',
    action: `Take it: \`holdfast ack ${escalation}\`. Who was tried: \`holdfast oncall\`.`,
    until: [ending.exhausted(escalation)],
  };
}

/** Of an incident that no alert speaks of yet, such as one that customers' reports opened. */
export function toldOfIncident({ incident, title, balancers }: Of<'incident.opened'>): Told {
  return {
    name: 'IncidentOpened',
    severity: 'critical',
    labels: { incident },
    summary: title,
    users: title,
    cause: balancers.length > 0 ? `Not located yet; seen on ${balancers.join(', ')}.` : 'Not located yet.',
    action: `See \`holdfast status\` and \`holdfast postmortem ${incident}\`.`,
    until: [ending.incident(incident)],
  };
}

/** More alerts came than are taken in. */
export function toldOfFlood({ count, why }: Of<'alert.dropped'>): Told {
  return {
    name: 'AlertsDropped',
    severity: 'warning',
    summary: `${count} alerts from outside were not taken in`,
    users: 'Nothing; another alert may be missing.',
    cause: why,
    action: 'Find who sends them, and let it group or limit them.',
    until: [ending.flood],
  };
}

/** A pool that needs its spare server has none left, and something fills it: that stays to be seen. */
export function toldOfSpare({ pool, server, because }: SpareTurned): Told {
  return {
    name: 'SpareInUse',
    severity: 'warning',
    labels: { pool },
    summary: `Pool ${pool} needs its spare server ${server}`,
    users: 'Nothing now; there is one spare server less.',
    cause: because,
    action: 'See what fills the pool (`holdfast watch`). It leaves by itself when the pool is quiet again.',
    until: [ending.spare(pool, server)],
  };
}

export function toldOfFailedSpare(event: Of<'spare.failed'>): Told | null {
  const { turn, pool, server, because, why } = event;
  if (turn === 'leaves') return null;
  return {
    name: 'SpareNotUsed',
    severity: 'error',
    labels: { pool },
    summary: `Pool ${pool} is full, and its spare server ${server} cannot come in`,
    users: 'Requests wait, or fail.',
    cause: `${because}; ${why}`,
    action: 'Mend what is named: it is tried again by itself. `holdfast changes` shows what was tried.',
    until: [ending.spare(pool, server)],
  };
}
