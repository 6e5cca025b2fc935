import type { GateReport, TakeBack } from '#events';
import type { Act, EngineDeath } from './acts.ts';
import { type Cause, type DownServer, type Story, takeBacksOf } from './cause.ts';
import { blamedChange, type OpenedIncident } from './ledger.ts';
import { counted, dateAndTime, duration, listed, placed, plain, sentence, verbatim, who } from './words.ts';

const evidenceLinesMax = 5;
const serversMax = 20;

export function causeParagraphs({ incident, cause }: Story): string[] {
  if (!cause) {
    const blamed = blamedChange(incident);
    const change =
      blamed === null
        ? 'No change was in flight'
        : `The journal does not tell what change ${plain(blamed)} was`;
    return [...verdicts(incident), `${change}.`, ...deaths(incident.acts)];
  }
  return [
    ...verdicts(incident),
    proposedText(cause),
    ...downText(cause.serversDown),
    ...(cause.serversDown.length === 0 ? partsText(cause) : []),
    ...gatesText(cause),
    ...errorsText(cause.errorLines),
    ...deaths(incident.acts),
  ];
}

/** What the monitor found by asking servers directly and through each balancer. */
function verdicts({ faults }: OpenedIncident): string[] {
  return faults.flatMap(({ facts, verdict }) => {
    if (!verdict) return [];
    const sure = verdict.certain ? '' : ' (this could not be told for sure)';
    const lines = facts.evidence.slice(0, evidenceLinesMax).map((line) => `- ${plain(line)}`);
    return [
      `${sentence(`${plain(verdict.sentence)}${sure}`)}`,
      ...(lines.length > 0 ? [lines.join('\n')] : []),
    ];
  });
}

function proposedText({ proposed, by, at }: Cause): string {
  const { serversAdded, serversRemoved } = proposed.difference;
  const servers = `It adds ${counted(serversAdded.length, 'server')} and removes ${serversRemoved.length}.`;
  const forced = proposed.force
    ? `It was forced, with the reason "${plain(proposed.reason)}".`
    : 'It was not forced.';
  return `Change ${plain(proposed.change)} (${verbatim(proposed.file)}) was proposed by ${who(by)} at ${dateAndTime(at)}. ${servers} ${forced}`;
}

function downText(servers: readonly DownServer[]): string[] {
  if (servers.length === 0) return [];
  const lines = servers.slice(0, serversMax).map(({ pool, server, lastCheck, added }) => {
    const where = added
      ? ` (${plain(added.address)}), added at ${placed(added.place)}`
      : ', which the change did not add';
    return `- ${plain(pool)}/${plain(server)}${where}: ${plain(lastCheck)}`;
  });
  const more = servers.length - lines.length;
  if (more > 0) lines.push(`- and ${more} more`);
  return [`${servers.length === 1 ? 'This server' : 'These servers'} did not answer:`, lines.join('\n')];
}

/** Without a dead server, what the change did is the best that can be said. */
function partsText({ proposed }: Cause): string[] {
  const { serversAdded, serversRemoved, parts } = proposed.difference;
  const lines = [
    ...serversAdded.map(
      (s) => `- adds ${plain(s.pool)}/${plain(s.server)} (${plain(s.address)}) at ${placed(s.place)}`,
    ),
    ...serversRemoved.map((s) => `- removes ${plain(s.pool)}/${plain(s.server)} (${plain(s.address)})`),
    ...parts.map(({ what, how, place }) => `- ${how}: ${plain(what)}${place ? ` at ${placed(place)}` : ''}`),
  ];
  if (lines.length > serversMax)
    lines.splice(serversMax, lines.length, `- and ${lines.length - serversMax} more`);
  return lines.length === 0
    ? []
    : ['No server was seen down. This is what the change does:', lines.join('\n')];
}

function gatesText({ against, gatesAsked, proposed }: Cause): string[] {
  if (against.length === 0)
    return [gatesAsked === 0 ? 'No gate was asked.' : 'Every gate that was asked let it pass.'];
  const one = against.length === 1;
  const overruled = proposed.force ? `, and ${one ? 'was' : 'were'} overruled` : '';
  return [
    `${one ? 'One gate' : `${against.length} gates`} had spoken against it${overruled}:`,
    against.map(gateText).join('\n'),
  ];
}

function gateText({ gate, verdict, summary, evidence, diagnostics }: GateReport): string {
  const said = verdict === 'refused' ? 'refused' : 'could not tell';
  const places = diagnostics.flatMap((d) => (d.place ? [placed(d.place)] : []));
  const at = places.length === 0 ? '' : ` (${listed(places.slice(0, evidenceLinesMax))})`;
  const lines = evidence.slice(0, evidenceLinesMax).map((line) => `  - ${plain(line)}`);
  return [`- ${gate} ${said}: ${plain(summary)}${at}`, ...lines].join('\n');
}

function errorsText(lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const shown = lines.slice(0, evidenceLinesMax).map((line) => `- ${verbatim(line)}`);
  return ['The load balancer had written:', shown.join('\n')];
}

function deaths(acts: readonly Act[]): string[] {
  return acts.flatMap(({ balancer, what }) =>
    what.kind === 'engineDied' ? [deathText(balancer, what)] : [],
  );
}

function deathText(balancer: string, { role, generation, how, lostRequests }: EngineDeath): string {
  const lost =
    lostRequests === undefined ? '' : ` ${counted(lostRequests, 'request')} in flight got no answer.`;
  return `The ${plain(role)} engine of ${plain(balancer)} (generation ${generation}) died: ${plain(how)}.${lost}`;
}

export function resolutionParagraphs({ incident, figures }: Story): string[] {
  const backs = incident.acts.flatMap(({ balancer, what }) =>
    what.kind === 'tookBack' ? takeBackText(balancer, what.takeBack) : [],
  );
  const takeOvers = incident.acts.flatMap(({ balancer, what }) =>
    what.kind === 'engineDied' ? [takeOverText(balancer, what)] : [],
  );
  const open = figures.restoredAt === null ? ['It is not put right yet.'] : [];
  const resolved = incident.resolved
    ? [`It was declared resolved because ${plain(incident.resolved.how)}.`]
    : [];
  return [...backs, ...takeOvers, ...open, ...resolved];
}

const rungs = {
  1: 'by resuming the parked generation',
  2: 'by killing the engine that did not cooperate',
  3: 'by a cold start of the last good configuration',
} as const;

function takeBackText(balancer: string, takeBack: TakeBack): string[] {
  const { from, to, rung, decidedAt, doneAt, steps } = takeBack;
  const text = `${plain(balancer)} went back from generation ${from} to ${to} in ${duration(doneAt - decidedAt)}, ${rungs[rung]}:`;
  const lines = steps.map(
    ({ what, ok, tookMs }) => `- ${plain(what)}: ${ok ? 'done' : 'failed'} after ${milliseconds(tookMs)}`,
  );
  return lines.length === 0 ? [`${text.slice(0, -1)}.`] : [text, lines.join('\n')];
}

/** Steps take less than one: two figures after the point tell them apart. */
function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(2)} ms` : duration(ms);
}

function takeOverText(balancer: string, { takenOverBy, tookOverMs }: EngineDeath): string {
  if (takenOverBy === null) return `On ${plain(balancer)} nothing was there to take over.`;
  const after = tookOverMs === null ? '' : ` after ${duration(tookOverMs)}`;
  return `On ${plain(balancer)}, generation ${takenOverBy} took over${after}.`;
}

/** What the journal itself suggests; what else is to be learned, people add. */
export function measures(story: Story): string[] {
  const { cause, incident, figures } = story;
  const list: string[] = [];
  for (const { pool, server, added } of cause?.serversDown.slice(0, serversMax) ?? []) {
    const where = added ? `, or take it out at ${placed(added.place)}` : '';
    list.push(`Start ${plain(pool)}/${plain(server)}${where}.`);
  }
  if (cause) list.push(...changeMeasures(cause));
  if (figures.exposed.netUses > 0)
    list.push('Do not count on the net: it answers only requests that found no server, not wrong answers.');
  const slow = takeBacksOf(incident).filter(({ rung }) => rung > 1).length;
  if (slow > 0) list.push(`Find out why ${counted(slow, 'take-back')} needed more than the first rung.`);
  for (const { balancer, what } of incident.acts) {
    if (what.kind === 'engineDied')
      list.push(`Find out why generation ${what.generation} of ${plain(balancer)} died: ${plain(what.how)}.`);
  }
  return list.length > 0 ? list : ['The journal suggests none. Add what was learned.'];
}

function changeMeasures({ against, proposed, quarantined, frozen }: Cause): string[] {
  const list: string[] = [];
  const names = listed(against.map(({ gate }) => `"${gate}"`));
  if (proposed.force && against.length > 0) {
    list.push(
      `Mend what the ${against.length === 1 ? 'gate' : 'gates'} ${names} found instead of forcing; review who may force, and when.`,
    );
  }
  if (against.length === 0) list.push('No gate saw it coming: find out which check would have, and add it.');
  if (quarantined)
    list.push(
      'The text is quarantined: it cannot be applied again until a person releases it (`holdfast apply --release`).',
    );
  if (frozen)
    list.push(
      'The pipeline is frozen: read this report, then end the freeze with `holdfast apply --unfreeze`.',
    );
  return list;
}
