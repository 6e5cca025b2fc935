import { type Message, plainLines } from '../message.ts';
import type { NotifierHow } from '../settings.ts';
import { deliveryOf, failed, type NotifierPorts, type Send } from './notifier.ts';

const actions = {
  page: 'trigger',
  // Of a known key it changes the incident, and wakes nobody.
  updated: 'trigger',
  acknowledged: 'acknowledge',
  resolved: 'resolve',
  test: 'trigger',
} as const;
const severities: readonly string[] = ['critical', 'error', 'warning', 'info'];
const summaryMax = 1_024;
const bytesMax = 512 * 1024;

/** Events API v2. `dedup_key` is the escalation's: a repeat, a later step and its end are one incident there. */
export function pagerduty(how: NotifierHow & { kind: 'pagerduty' }, { post, secret }: NotifierPorts): Send {
  return async (message, signal) => {
    const body = JSON.stringify({ routing_key: secret(how.routingKey), ...pagerdutyBody(message) });
    if (Buffer.byteLength(body) > bytesMax) return failed('it has more than 512 KB', true);
    const headers = { 'content-type': 'application/json' };
    return deliveryOf(await post({ url: `${how.url}/v2/enqueue`, headers, body }, signal));
  };
}

export function pagerdutyBody(message: Message) {
  const { what, key, title, site, severity, alerts, runbook, users, cause, action } = message;
  return {
    event_action: actions[what],
    dedup_key: key,
    client: 'Holdfast',
    payload: {
      summary: title.slice(0, summaryMax),
      source: site,
      severity: severities.includes(severity) ? severity : 'error',
      timestamp: new Date(message.at).toISOString(),
      group: site,
      class: alerts[0]?.labels.alertname ?? 'Test',
      custom_details: { users, cause, action, lines: plainLines(message) },
    },
    ...(/^https?:/.test(runbook) ? { links: [{ href: runbook, text: 'Runbook' }] } : {}),
  };
}

export interface ToldChange {
  readonly summary: string;
  readonly site: string;
  readonly at: number;
  readonly details: Readonly<Record<string, string>>;
}

/** `/v2/change/enqueue`: what was changed stands beside what broke. */
export function pagerdutyChange(how: NotifierHow & { kind: 'pagerduty' }, { post, secret }: NotifierPorts) {
  return async ({ summary, site, at, details }: ToldChange, signal: AbortSignal) =>
    deliveryOf(
      await post(
        {
          url: `${how.url}/v2/change/enqueue`,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({
            routing_key: secret(how.routingKey),
            payload: {
              summary: summary.slice(0, summaryMax),
              source: site,
              timestamp: new Date(at).toISOString(),
              custom_details: details,
            },
          }),
        },
        signal,
      ),
    );
}
