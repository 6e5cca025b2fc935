import { z } from 'zod';
import type { SettingsWords } from '#model';

export function notifierSchema({
  name,
  text,
  line,
  list,
  url,
  secret,
  secretUrl,
  wholeNumber,
  duration,
  yesOrNo,
}: SettingsWords) {
  return z.strictObject(
    {
      name,
      webhook: z.strictObject({ url: secretUrl, secret: secret.optional() }, 'url, secret').optional(),
      slack: z.strictObject({ url: secretUrl }, 'url').optional(),
      teams: z.strictObject({ url: secretUrl }, 'url').optional(),
      pagerduty: z
        .strictObject(
          {
            routingKey: secret,
            url: url.default('https://events.pagerduty.com'),
            changes: yesOrNo(true),
          },
          'routingKey, url, changes',
        )
        .optional(),
      email: z
        .strictObject(
          {
            host: line('the name of a mail server'),
            port: wholeNumber(1, 65_535).default(465),
            tls: z.enum(['implicit', 'starttls'], 'one of "implicit", "starttls"').default('implicit'),
            from: text('an e-mail address', /^[^\s@<>]{1,64}@[^\s@<>]{1,255}$/),
            user: line('a user name').optional(),
            password: secret.optional(),
            ca: line('a file with certificates').optional(),
          },
          'host, port, tls, from, user, password, ca',
        )
        .optional(),
      command: z
        .strictObject(
          {
            run: list(line('a word of a command line'), 'a program and its arguments', 1, 64),
            timeout: duration('10s'),
          },
          'run, timeout',
        )
        .optional(),
    },
    'a notifier: name, and one of webhook, slack, teams, pagerduty, email, command',
  );
}
