/** Small texts of HAProxy, and what is asked of them. */
import { liftOwn } from '#dialects';
import { askedRequest, type PlanOptions, planOf } from '#plan';
import type { meaning } from '#routing';

export const files = { find: () => [], read: () => null, environment: () => null };
export const haproxy = (text: string) => liftOwn({ file: 'a.cfg', folder: '/', text }, 'haproxy', files);
export const front = (rules: string, more = '') =>
  haproxy(`frontend www
  mode http
  bind :80
${rules}
  default_backend web
${more}backend web
  mode http
  server w1 10.0.0.1:80
  server w2 10.0.0.2:80
backend api
  mode http
  server a1 10.0.1.1:80
backend empty
  mode http
`);
export const tls = 'frontend secure\n  mode http\n  bind :443 ssl crt a.pem\n  default_backend web\n';
export const planned = (
  before: meaning.Meaning,
  after: meaning.Meaning,
  options: Partial<PlanOptions> = {},
) => {
  const as = (text: meaning.Meaning) => ({ file: 'a.cfg', dialect: 'haproxy' as const, meaning: text });
  return planOf(as(before), as(after), { traffic: null, policies: [], ...options });
};
export const asked = (request: string, text: meaning.Meaning, headers: readonly string[] = []) =>
  askedRequest({ request, headers, from: null }, text);
