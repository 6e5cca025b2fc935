import { Failure } from '#base';
import type { JournalEntry } from '#events';
import { causeOf, type Story, takeBacksOf } from './cause.ts';
import { type Figures, figuresOf } from './figures.ts';
import { ledgerOf } from './ledger.ts';
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
  const change = incident.change === null ? 'no change' : `change ${plain(incident.change)}`;
  const forced = cause?.proposed.force ? ', which had been forced' : '';
  const by = cause ? ` by ${who(cause.by)}` : '';
  return [
    [
      lasted(story),
      `${sentence(exposedText(figures))}`,
      incident.change === null ? `It concerned ${change}.` : `The root cause was ${change}${by}${forced}.`,
    ].join(' '),
    seenText(story),
  ];
}

function lasted({ figures, incident }: Story): string {
  const { beganAt, restoredAt, badAnswers } = figures;
  const what = badAnswers ? 'requests were at risk' : 'the guard had to act';
  const where = `on ${balancerNames(incident)}`;
  if (restoredAt === null) return `Since ${dateAndTime(beganAt)}, ${what} ${where}; it is not over yet.`;
  const until = `to ${timeOfDay(restoredAt)}`;
  return `From ${dateAndTime(beganAt)} ${until} (${duration(restoredAt - beganAt)}), ${what} ${where}.`;
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

function seenText({ figures, incident }: Story): string {
  const { seenAt, beganAt, badAnswers, seenBy } = figures;
  const first = incident.acts.every(
    (act) => act.what.kind === 'tookBack' && act.what.takeBack.evidence.cause === 'person',
  )
    ? `A person acted on ${plain(seenBy)} first`
    : `The guard of ${plain(seenBy)} saw it first`;
  const after =
    badAnswers && seenAt > beganAt ? `, ${duration(seenAt - beganAt)} after the first bad answer` : '';
  return `${first}${after}, at ${timeOfDay(seenAt)} UTC.`;
}

function conclusion({ figures, incident, cause }: Story): string {
  const { exposed, restoredAt, beganAt, resolvedAt } = figures;
  const what = incident.change === null ? 'The fault' : `Change ${plain(incident.change)}`;
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
