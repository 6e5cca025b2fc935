import { createHmac } from 'node:crypto';
import { urlFrom } from '#base';
import type { NotifierHow } from '../settings.ts';
import { deliveryOf, type NotifierPorts, type Send } from './notifier.ts';

/**
 * JSON, the message as it is. Signed where there is a secret: `Holdfast-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 over
 * `SECONDS.BODY`, so that a message that was recorded is of no use later. `Idempotency-Key` is the same for every try.
 */
export function webhook(how: NotifierHow & { kind: 'webhook' }, { post, secret }: NotifierPorts): Send {
  return async (message, signal) => {
    const body = JSON.stringify({ version: '1', ...message });
    const headers = { 'content-type': 'application/json', 'idempotency-key': message.page };
    const key = how.secret ? secret(how.secret) : null;
    const seconds = Math.floor(message.at / 1000);
    const signature: Readonly<Record<string, string>> =
      key === null ? {} : { 'holdfast-signature': signatureOf(key, seconds, body) };
    return deliveryOf(
      await post({ url: urlFrom(how.url, secret), headers: { ...headers, ...signature }, body }, signal),
    );
  };
}

export function signatureOf(key: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`;
}
