import type { ChangeView } from '#contract';
import type { Event, GateReport, JournalEntry, TakeBack } from '#events';
import type { ReplayRun } from '../run.ts';

const evidenceLinesMax = 3;
type Acts = readonly { readonly balancer: string; readonly takeBack: TakeBack }[];

/** The gates that refused or were passed by force, then the guard: in the words that Holdfast journalled. */
export function saidBy({ gates, why, state }: ChangeView, acts: Acts): string[] {
  const against = gates.filter(({ verdict, gate }) => verdict !== 'passed' && gate !== 'canary');
  return [
    ...against.flatMap(gateWords),
    ...acts.flatMap(({ balancer, takeBack }) => guardWords(balancer, takeBack)),
    `change ${state}: ${why}`,
  ];
}

function gateWords({ gate, verdict, forced, summary, evidence }: GateReport): string[] {
  const left = evidence.length - evidenceLinesMax;
  return [
    `gate ${gate} ${verdict}${forced ? ', passed by force' : ''}: ${summary}`,
    ...evidence.slice(0, evidenceLinesMax).map((line) => `  ${line}`),
    ...(left > 0 ? [`  and ${left} more`] : []),
  ];
}

function guardWords(
  balancer: string,
  { reason, decidedAt, doneAt, rung, steps, evidence }: TakeBack,
): string[] {
  const { candidate } = evidence;
  const net = candidate.netUses === 0 ? '' : `, ${candidate.netUses} of them answered by the net`;
  return [
    `guard of ${balancer}: ${reason}`,
    `  taken back in ${Math.round(doneAt - decidedAt)} ms (rung ${rung}): ${steps.map(({ what, ok }) => (ok ? what : `${what} FAILED`)).join(', ')}`,
    `  the change saw ${candidate.requests} requests, ${candidate.errors} failed${net}`,
  ];
}

/** The journal as a timeline, with what clients and readers saw put in. Before zero: what came before the exposure. */
export function timelineOf(
  entries: readonly JournalEntry[],
  notes: readonly { readonly at: number; readonly what: string }[],
  appliedAt: number,
): ReplayRun['timeline'] {
  const journalled = entries.flatMap(({ at, event }) => (sentences(event) ?? []).map((s) => ({ at, ...s })));
  return [...journalled, ...notes]
    .map(({ at, what }) => ({ atMs: at - appliedAt, what }))
    .sort((a, b) => a.atMs - b.atMs);
}

function sentences(event: Event): readonly { readonly at?: number; readonly what: string }[] | null {
  switch (event.kind) {
    case 'change.proposed':
      return [{ what: `the change is proposed${event.force ? ', forced' : ''}` }];
    case 'change.gate': {
      const { gate, verdict, forced } = event.report;
      return [{ what: `gate ${gate}: ${verdict}${forced ? ', passed by force' : ''}` }];
    }
    case 'change.exposed':
      return [{ what: `the change gets ${event.share * 100} % of new connections on ${event.balancer}` }];
    case 'guard.acted': {
      const { balancer, what } = event.record;
      if (what.kind !== 'tookBack') return null;
      const { decidedAt, doneAt, reason } = what.takeBack;
      return [
        { at: decidedAt, what: `the guard of ${balancer} takes it back: ${reason}` },
        { at: doneAt, what: `${balancer} serves what was last good, read back` },
      ];
    }
    case 'page.planned':
      return event.what !== 'page'
        ? null
        : event.pages.map(({ person }) => ({ what: `${person ?? 'somebody'} is paged` }));
    case 'incident.opened':
      return [{ what: `incident ${event.incident} is opened` }];
    case 'change.state':
      return [{ what: `the change is ${event.state}` }];
    default:
      return null;
  }
}
