import type { Looked } from '#agent';
import type { Event } from '#events';
import type { Site } from '#model';
import { controlPath } from './counters.ts';

/** What is seen of the engine, and what is not. */
export function sightOf(site: Site, { counters }: Looked, hasCounted: boolean): readonly string[] {
  const always = 'its process and listeners; its servers, asked directly';
  if (counters && hasCounted)
    return [
      `  seen        requests, errors, retries and times by pool and server (${controlPath(site)}), ten times a second;`,
      `              ${always}`,
      '  not seen    what one request got, and which rule chose its pool',
      '',
    ];
  const path = controlPath(site);
  const why =
    path === null
      ? [
          'the text has no statistics socket.',
          'HAProxy: `stats socket /run/haproxy/stats.sock mode 600 level user` in its `global` section gives one.',
        ]
      : [`${path} does not answer.`, 'Run the command as root, or as who may open it.'];
  return [
    `  seen        ${always}, once a second`,
    `  NOT SEEN    requests and their errors: ${why[0]}`,
    `              Faults that show in them alone are not found, and nobody is paged for them.`,
    ...(site.own?.dialect === 'haproxy' || path !== null ? [`              ${why[1]}`] : []),
    '',
  ];
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
