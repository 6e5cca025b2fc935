import { Failure } from '#base';
import type { JournalEntry } from '#events';
import { causeOf, type Story, takeBacksOf } from './cause.ts';
import { type Figures, figuresOf, type Witness } from './figures.ts';
import { blamedChange, ledgerOf, type OpenedIncident } from './ledger.ts';
import { causeParagraphs, measures, resolutionParagraphs } from './sections.ts';
import { balancerNames, type TimelineLine, timelineOfIncident } from './timeline.ts';
import { counted, dateAndTime, duration, plain, sentence, share, timeOfDay, who } from './words.ts';

/** Markdown in the founding document's sections, every figure from the journal. Throws HF404 for an unknown incident. */
export function postmortem(entries: readonly JournalEntry[], incidentId: string): string {
  const { incidents } = ledgerOf(entries);
  const incident = incidents.find((i) => i.id === incidentId);
  if (!incident) {
    const known = incidents.map((i) => i.id).join(', ');
    throw new Failure(
      'HF404',
      `no incident "${incidentId}"`,
      known ? `There are: ${known}` : 'There are none yet',
    );
  }
  const story: Story = { incident, figures: figuresOf(incident), cause: causeOf(entries, incident) };
  const timeline = timelineOfIncident(entries, incident);
  return [
    '# Postmortem Report',
    `## ${plain(incident.title)}`,
    '### Incident report',
    '#### Summary',
    ...summary(story),
    '#### Timeline',
    ...timelineText(timeline),
    '#### Root Cause and Resolution',
    ...causeParagraphs(story),
    ...resolutionParagraphs(story),
    '#### Corrective and Preventive Measures',
    measures(story)
      .map((measure) => `- ${measure}`)
      .join('\n'),
    '#### Conclusion',
    conclusion(story),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

/** Times of day; on another day than it began, with the date. */
function timelineText(timeline: readonly TimelineLine[]): string[] {
  const day = (at: number) => dateAndTime(at).slice(0, 10);
  const first = day(timeline[0]?.at ?? 0);
  const lines = timeline.map(({ at, text }) => {
    const date = day(at) === first ? '' : `${day(at)} `;
    return `- **${date}${timeOfDay(at)}** - ${text}`;
  });
  return [`All times are UTC. The day is ${first}.`, lines.join('\n')];
}

function summary(story: Story): string[] {
  const { figures, incident, cause } = story;
  const changed = blamedChange(incident);
  const change = changed === null ? 'no change' : `change ${plain(changed)}`;
  const forced = cause?.proposed.force ? ', which had been forced' : '';
  const by = cause ? ` by ${who(cause.by)}` : '';
  return [
    [
      lasted(story),
      `${sentence(exposedText(figures))}`,
      changed === null ? `It concerned ${change}.` : `The root cause was ${change}${by}${forced}.`,
    ].join(' '),
    seenText(story),
  ];
}

function lasted({ figures, incident }: Story): string {
  const { beganAt, restoredAt } = figures;
  const what = whatWas(figures);
  const where = placeOf(incident);
  if (restoredAt === null) return `Since ${dateAndTime(beganAt)}, ${what}${where}; it is not over yet.`;
  const until = `to ${timeOfDay(restoredAt)}`;
  return `From ${dateAndTime(beganAt)} ${until} (${duration(restoredAt - beganAt)}), ${what}${where}.`;
}

function whatWas({ seenBy, badAnswers }: Figures): string {
  if (seenBy.kind === 'customers') return 'customers reported trouble';
  return badAnswers ? 'requests were at risk' : 'the guard had to act';
}

/** ` on lb-1 and lb-2`; nothing where no balancer is to be named. */
function placeOf(incident: OpenedIncident): string {
  const names = balancerNames(incident);
  return names === '' ? '' : ` on ${names}`;
}

function exposedText({ exposed, all }: Figures): string {
  const { requests, failed, netUses } = exposed;
  if (requests === 0) return 'no request is known to have failed';
  const saved =
    netUses > 0
      ? ` ${counted(netUses, 'request')} found no server there and ${netUses === 1 ? 'was' : 'were'} answered by the last good configuration instead (the net).`
      : '';
  const ofAll =
    all.requests > requests
      ? `; of all ${counted(all.requests, 'request')} meanwhile, ${share(all.failed, all.requests)} failed`
      : '';
  const some = failed === 0 ? 'none' : `${failed} (${share(failed, requests)})`;
  return `of ${counted(requests, 'request')} that reached what was at fault, ${some} failed${ofAll}.${saved}`;
}

function seenText({ figures }: Story): string {
  const { seenAt, seenBy, beganAt, badAnswers, reportedAt } = figures;
  if (seenBy.kind === 'customers') {
    const after = duration(seenAt - (reportedAt ?? seenAt));
    return `Nothing but customers saw it: their reports were enough at ${timeOfDay(seenAt)} UTC, ${after} after the first.`;
  }
  const after =
    badAnswers && seenAt > beganAt ? `, ${duration(seenAt - beganAt)} after the first bad answer` : '';
  return `${sawIt(seenBy)} first${after}, at ${timeOfDay(seenAt)} UTC.${customersText(figures)}`;
}

function sawIt(by: Exclude<Witness, { kind: 'customers' }>): string {
  if (by.kind === 'monitor') return 'The monitor saw it';
  return by.person ? `A person acted on ${plain(by.balancer)}` : `The guard of ${plain(by.balancer)} saw it`;
}

/** Who was first is the question that the founding report asks. */
function customersText({ reportedAt, seenAt }: Figures): string {
  if (reportedAt === null) return ' No customer reported it.';
  const ahead = seenAt - reportedAt;
  return ahead > 0
    ? ` The first customer had reported it ${duration(ahead)} before that.`
    : ` The first customer reported it ${duration(-ahead)} later.`;
}

function conclusion({ figures, incident, cause }: Story): string {
  const { exposed, restoredAt, beganAt, resolvedAt } = figures;
  const change = blamedChange(incident);
  const what = change === null ? 'The fault' : `Change ${plain(change)}`;
  const failed =
    exposed.failed === 0
      ? 'No request is known to have failed.'
      : `${counted(exposed.failed, 'request')} failed.`;
  const parked = takeBacksOf(incident).every(({ rung }) => rung < 3);
  const how =
    cause && parked ? ', by going back to the last good configuration, which was still running' : '';
  const over =
    restoredAt === null
      ? `${what} is not put right yet.`
      : `${what} was put right ${duration(restoredAt - beganAt)} after it began${how}.`;
  const end =
    resolvedAt === null
      ? 'The incident is still open.'
      : `The incident was declared resolved at ${timeOfDay(resolvedAt)} UTC.`;
  return `${over} ${failed} ${end}`;
}
