import { type Event, type JournalEntry, type ReportedSight, scopeWords } from '#events';
import type { Act } from './acts.ts';
import type { SeenFault } from './faults.ts';
import { figuresOf } from './figures.ts';
import { balancersOf, blamedChange, ledgerOf, type OpenedIncident } from './ledger.ts';
import { peopleLine } from './people.ts';
import { counted, duration, listed, number, plain, share, verbatim, who } from './words.ts';

export interface TimelineLine {
  /** Milliseconds since 1970, of the thing itself and not of when it was journalled. */
  readonly at: number;
  /** Markdown, one line. */
  readonly text: string;
}

/** What happened, oldest first; empty when there is no such incident. */
export function timelineOf(entries: readonly JournalEntry[], incident: string): TimelineLine[] {
  const opened = ledgerOf(entries).incidents.find((i) => i.id === incident);
  return opened ? timelineOfIncident(entries, opened) : [];
}

export function timelineOfIncident(
  entries: readonly JournalEntry[],
  incident: OpenedIncident,
): TimelineLine[] {
  const lines = [
    ...entries.flatMap((entry) => journalLine(entry, incident)),
    ...incident.acts.flatMap((act) => actLines(act)),
    ...factLines(incident),
    ...incident.faults.flatMap(faultLines),
    ...reportLines(incident),
    ...entries.flatMap((entry) => peopleLine(entry, incident)),
  ];
  return lines.toSorted((a, b) => a.at - b.at);
}

function factLines(incident: OpenedIncident): TimelineLine[] {
  const { beganAt, resolvedAt } = figuresOf(incident);
  const balancers = balancersOf(incident);
  const meanwhile = (fact: { balancer: string; at: number }) =>
    balancers.has(fact.balancer) && fact.at >= beganAt && fact.at <= (resolvedAt ?? Number.POSITIVE_INFINITY);
  return [
    ...incident.facts.signs.filter(meanwhile).map(({ at, balancer, series, bad }) => ({
      at,
      text: bad
        ? `The guard of ${plain(balancer)} saw bad answers: ${plain(series)}.`
        : `The guard of ${plain(balancer)} saw that they had ended: ${plain(series)}.`,
    })),
    ...incident.facts.drained
      .filter((fact) => meanwhile(fact) && fact.change === blamedChange(incident))
      .map(({ at, balancer, generation, candidate }) => ({
        at,
        text: `Generation ${generation} of ${plain(balancer)} has ended. In all, ${number(candidate.errors)} of its ${counted(candidate.requests, 'request')} failed.`,
      })),
    ...incident.facts.returns.filter(meanwhile).map(({ at, balancer, by }) => ({
      at,
      text: `${plain(balancer)} is back on ${plain(by)}.`,
    })),
    ...incident.facts.restarts.filter(meanwhile).map(({ at, balancer }) => ({
      at,
      text: `${plain(balancer)} serves again, after a cold start of the last good configuration.`,
    })),
  ];
}

function journalLine(entry: JournalEntry, incident: OpenedIncident): TimelineLine[] {
  const { event, at } = entry;
  const text = concerns(event, incident) ? textOf(entry, event) : null;
  return text === null ? [] : [{ at, text }];
}

function concerns(event: Event, incident: OpenedIncident): boolean {
  if ('incident' in event) return event.incident === incident.id;
  if (event.kind === 'fault.located') return incident.faults.some(({ facts }) => facts.fault === event.fault);
  if ('change' in event) return event.change !== null && event.change === blamedChange(incident);
  return false;
}

function textOf({ by }: JournalEntry, event: Event): string | null {
  switch (event.kind) {
    case 'change.proposed': {
      const forced = event.force ? `, forced, with the reason "${plain(event.reason)}"` : '';
      return `${who(by)} proposed change ${plain(event.change)} (${verbatim(event.file)})${forced}.`;
    }
    case 'change.gate': {
      const { gate, verdict, forced, summary } = event.report;
      if (verdict === 'passed') return null;
      const answer = verdict === 'refused' ? `refused it` : `could not tell`;
      const on = forced ? ' The change went on because it was forced.' : '';
      return `The gate "${gate}" ${answer}: ${plain(summary)}.${on}`;
    }
    case 'change.planned': {
      const { risk, differences } = event.plan;
      const classes = `${differences.length} ${differences.length === 1 ? 'class' : 'classes'} of requests`;
      const because = risk.because.length > 0 ? ` (${risk.because.map(plain).join('; ')})` : '';
      return `The plan said that ${classes} would be treated differently, risk ${risk.level}${because}.`;
    }
    case 'change.awaits':
      return `It waited for ${event.approvals === 1 ? 'an approval' : `${event.approvals} approvals`}: ${event.because.map(plain).join('; ')}.`;
    case 'change.approved':
      return `${who(by)} approved it${event.reason === '' ? '' : `, with the reason "${plain(event.reason)}"`}.`;
    case 'change.queued':
      return `It waited: ${plain(event.because)}.`;
    case 'change.renewed':
      return 'Certificates were renewed while it waited: it went on with the new ones.';
    case 'change.brokeGlass':
      return `${who(by)} took it past its review, with the reason "${plain(event.reason)}": ${plain(event.missing)}.`;
    case 'change.awaitsConfirmation':
      return 'It waited for a person to confirm it.';
    case 'change.confirmed':
      return `${who(by)} confirmed it.`;
    case 'change.exposed':
      return `${plain(event.balancer)} gave it ${share(event.share, 1)} of new connections.`;
    case 'change.promoted':
      return `It became the last good configuration of ${plain(event.balancer)}.`;
    case 'change.state':
      return `The change is now "${event.state}"${event.why ? `: ${plain(event.why)}` : ''}.`;
    case 'quarantine.added':
      return `The text was quarantined: ${plain(event.why)}.`;
    case 'fault.located':
      return `The fault was located: ${plain(event.verdict.sentence)}.`;
    case 'incident.opened':
      return `Incident ${plain(event.incident)} was opened.`;
    case 'incident.resolved':
      return `Incident ${plain(event.incident)} was resolved: ${plain(event.how)}.`;
    default:
      return null;
  }
}

function actLines(act: Act): TimelineLine[] {
  const balancer = plain(act.balancer);
  if (act.what.kind === 'engineDied') return [{ at: act.at, text: deathText(balancer, act.what) }];
  if (act.what.kind === 'carried') {
    const { by, instead, because, tookMs } = act.what;
    const text = `${plain(instead)} does not serve ${balancer} any more: ${plain(because)}. ${plain(by)} carries the site, ${duration(tookMs)} later.`;
    return [{ at: act.at, text }];
  }
  const { takeBack } = act.what;
  const { firstBadAt, cause } = takeBack.evidence;
  const since =
    firstBadAt === null
      ? ''
      : `, ${duration(takeBack.decidedAt - firstBadAt)} after the first bad answer there`;
  const decider =
    cause === 'person'
      ? `A person took it back from ${balancer}`
      : `The guard of ${balancer} decided to take it back`;
  const lines = [
    { at: takeBack.decidedAt, text: `${decider}${since}: ${plain(takeBack.reason)}.` },
    {
      at: takeBack.doneAt,
      text: `${balancer} served the last good configuration again (generation ${takeBack.from} to ${takeBack.to}), ${duration(takeBack.doneAt - takeBack.decidedAt)} after the decision.`,
    },
  ];
  if (firstBadAt !== null) lines.unshift({ at: firstBadAt, text: `The first bad answer on ${balancer}.` });
  return lines;
}

function deathText(balancer: string, what: Extract<Act['what'], { kind: 'engineDied' }>): string {
  const { role, generation, how, takenOverBy, tookOverMs } = what;
  const died = `The ${plain(role)} engine of ${balancer} (generation ${generation}) died: ${plain(how)}.`;
  if (takenOverBy === null) return died;
  const after = tookOverMs === null ? '' : ` after ${duration(tookOverMs)}`;
  return `${died} Generation ${takenOverBy} took over${after}.`;
}

function faultLines({ facts, seenAt, usersSee, ended }: SeenFault): TimelineLine[] {
  const { startedAt, scope, series, evidence } = facts;
  const where = plain(scopeWords(scope));
  const because = evidence[0] === undefined ? '' : ` (${plain(evidence[0])})`;
  const lines: TimelineLine[] = [
    { at: startedAt, text: `The first bad sign of ${where}: ${series}.` },
    {
      at: seenAt,
      text: `The monitor raised an alarm, ${duration(seenAt - startedAt)} after the first bad sign. ${usersSee === '' ? `Trouble with ${where}` : plain(usersSee)}${because}.`,
    },
  ];
  if (ended) lines.push({ at: ended.at, text: `The monitor saw its end: ${plain(ended.how)}.` });
  return lines;
}

/** Each of the first ones, and how many came after them. */
function reportLines({ reports }: OpenedIncident): TimelineLine[] {
  const lines = reports.slice(0, reportsShownMax).map(({ at, report }) => {
    const { sees, status, url, said, via, ticket } = report;
    const words = [
      via === 'person' ? 'Support wrote down a report of a customer' : 'A customer reported',
      `: ${sightWords[sees]}${status === null ? '' : ` (${status})`}`,
      url === '' ? '' : ` at ${verbatim(url)}`,
      said === '' ? '' : `: "${plain(said)}"`,
      ticket === '' ? '' : `, ticket ${plain(ticket)}`,
    ];
    return { at, text: `${words.join('')}.` };
  });
  const more = reports.slice(reportsShownMax);
  const last = more.at(-1);
  if (last)
    lines.push({ at: last.at, text: `${counted(more.length, 'more report')} of customers came until now.` });
  return lines;
}

const reportsShownMax = 5;
const sightWords: Readonly<Record<ReportedSight, string>> = {
  unreachable: 'the site cannot be reached',
  error: 'an error',
  slow: 'the site is slow',
  wrong: 'something wrong is shown',
  other: 'something else',
};

/** `lb-1 and lb-2` */
export function balancerNames(incident: OpenedIncident): string {
  return listed([...balancersOf(incident)].toSorted().map(plain));
}
