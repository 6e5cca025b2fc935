import type { NotifierHow, NotifierKind } from '../settings.ts';
import { command } from './command.ts';
import { email } from './email.ts';
import type { NotifierPorts, Send } from './notifier.ts';
import { pagerduty } from './pagerduty.ts';
import { slack } from './slack.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

type Make = { readonly [K in NotifierKind]: (how: NotifierHow & { kind: K }, ports: NotifierPorts) => Send };

const makers = { webhook, slack, teams, pagerduty, email, command } satisfies Make;

/** Between two messages of one notifier; Slack takes one a second. */
export const spacingMs: Readonly<Record<NotifierKind, number>> = {
  webhook: 0,
  slack: 1_000,
  teams: 1_000,
  pagerduty: 0,
  email: 0,
  command: 0,
};

export function senderOf(how: NotifierHow, ports: NotifierPorts): Send {
  // The table has each kind with its own settings; the compiler cannot follow one through it.
  return (makers[how.kind] as (how: NotifierHow, ports: NotifierPorts) => Send)(how, ports);
}
