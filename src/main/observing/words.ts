import type { Onlook } from '#engines';
import type { Event } from '#events';

/** What is seen of the engine, and what is not. `hasCounted`: whoever counts has answered. */
export function sightOf({ seen, unseen, remedy }: Onlook, hasCounted: boolean): readonly string[] {
  const counts = seen !== null && hasCounted;
  const missing = [
    ...(counts
      ? []
      : [seen === null ? '' : `${seen}: it does not answer, or cannot be read`].filter(Boolean)),
    ...unseen,
    ...(counts
      ? []
      : ['faults that show in requests alone are not found, and nobody is paged for them', remedy]),
  ];
  const last = 'what one request got, and which rule chose its pool';
  return [
    ...list('seen', [
      ...(counts ? [`${seen}, ten times a second`] : []),
      'its processes and listeners, and its servers, asked directly, once a second',
      'each edit of the text: what it would do, before it is reloaded',
    ]),
    ...list(counts && unseen.length === 0 ? 'not seen' : 'NOT SEEN', [...missing, last]),
    '',
  ];
}

function list(name: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => `  ${(index === 0 ? name : '').padEnd(11)} ${line}`);
}

/** What somebody who reads along is told of the journal's facts; empty: nothing. */
export function factLine(event: Event): string {
  switch (event.kind) {
    case 'fault.seen':
      return `FAULT ${event.fault} (${event.severity}): ${event.evidence[0] ?? event.series}; ${event.usersSee}`;
    case 'fault.located':
      return `${event.fault} is ${event.verdict.sentence}. ${event.verdict.advice}`;
    case 'fault.ended':
      return `${event.fault} is over: ${event.how}`;
    case 'page.planned':
      return `${event.what}: ${[...event.pages.map(({ person, notifier }) => `${person ?? ''} by ${notifier}`.trim()), ...event.missing].join(', ')}`;
    case 'page.failed':
      return `a page could not be sent: ${event.why}`;
    default:
      return '';
  }
}
