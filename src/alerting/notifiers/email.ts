import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from '#base';
import { plainLines } from '../message.ts';
import type { NotifierHow } from '../settings.ts';
import { failed, type NotifierPorts, type Send, sent } from './notifier.ts';

const timeoutMs = 10_000;

/** SMTP, never without TLS. `Message-ID` is the same for every try, and all of one escalation is one thread. */
export function email(how: NotifierHow & { kind: 'email' }, { resolve, secret }: NotifierPorts): Send {
  return async (message, signal) => {
    if (message.to === '') return failed('the contact has no address: `to: someone@example.org`', true);
    const { createTransport } = await import('nodemailer');
    const { address } = await resolve(how.host, how.port);
    const transport = createTransport({
      host: address,
      port: how.port,
      secure: how.tls === 'implicit',
      requireTLS: true,
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      tls: {
        servername: how.host,
        ...(how.ca === null ? {} : { ca: await readFile(how.ca, 'utf8') }),
      },
      ...(how.password ? { auth: { user: how.user, pass: secret(how.password) } } : {}),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const close = () => transport.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      const domain = how.from.slice(how.from.indexOf('@') + 1);
      const idOf = (text: string) =>
        `<${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${domain}>`;
      const { response } = await transport.sendMail({
        from: how.from,
        to: { name: message.person ?? '', address: message.to },
        subject: message.title,
        text: `${plainLines(message).join('\n')}\n`,
        messageId: idOf(message.page),
        references: idOf(message.key),
        headers: {
          'Auto-Submitted': 'auto-generated',
          ...(message.severity === 'critical' ? { Importance: 'high' } : {}),
        },
      });
      return sent(response);
    } catch (error) {
      const status = (error as { readonly responseCode?: number }).responseCode ?? 0;
      return failed(messageOf(error), status >= 500 && status < 600);
    } finally {
      signal.removeEventListener('abort', close);
      transport.close();
    }
  };
}
