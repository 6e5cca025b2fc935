import { BlockList, isIPv6 } from 'node:net';
import type { Access, ErrorPage, FixedAnswer, Request } from './routing.ts';

/** Refusals of a kind are the same answer, whatever refuses. */
export const refusals = {
  network: refusal(403),
  rate: refusal(429),
  lengthUntold: refusal(411),
  tooLong: refusal(413),
  password: (realm: string): FixedAnswer => ({
    ...refusal(401),
    headers: [{ name: 'WWW-Authenticate', value: `Basic realm="${realm}"` }],
  }),
} as const;

function refusal(status: number): FixedAnswer {
  return { kind: 'answer', status, headers: [], body: null };
}

/** The answer with the site's own page in it, where there is one. */
export function withPage(answer: FixedAnswer, pages: readonly ErrorPage[]): FixedAnswer {
  const page = pages.find(({ status }) => status === answer.status);
  return page ? { ...answer, body: { contentType: page.contentType, text: page.text } } : answer;
}

/** Whether an address may ask. Addresses that are none may not. */
export function mayAsk({ deny, allow }: Pick<Access, 'deny' | 'allow'>): (address: string) => boolean {
  const [denied, allowed] = [networks(deny), networks(allow)];
  return (address) => {
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    return !denied.check(address, family) && (allow.length === 0 || allowed.check(address, family));
  };
}

function networks(list: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const network of list) {
    const [address = '', bits] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (bits === undefined) blocks.addAddress(address, family);
    else blocks.addSubnet(address, Number(bits), family);
  }
  return blocks;
}

/** An address that may ask: the first of an allowed network, or one that nobody denies. Null when none was found. */
export function addressThatMayAsk(limits: readonly (Access | null)[]): string | null {
  const checks = limits.flatMap((access) => (access ? [mayAsk(access)] : []));
  const named = limits.flatMap((access) => access?.allow ?? []).map((network) => network.split('/')[0] ?? '');
  const tried = ['127.0.0.1', ...named, ...named.map(nextAddress), '192.0.2.1', '2001:db8::1'];
  return tried.find((address) => checks.every((check) => check(address))) ?? null;
}

function nextAddress(address: string): string {
  if (isIPv6(address)) return address.endsWith('::') ? `${address}1` : address;
  return address.replace(/\d+$/, (last) => `${Math.min(255, Number(last) + 1)}`);
}

/** What a request that asks for the first time, with an empty body, is refused with; null when it is not. */
export function refusalOf(access: Access | null, request: Request): FixedAnswer | null {
  if (access === null) return null;
  if (!mayAsk(access)(request.sourceAddress ?? '127.0.0.1')) return refusals.network;
  const known = Object.keys(request.headers).some((name) => name.toLowerCase() === 'authorization');
  return access.basicAuth && !known ? refusals.password(access.basicAuth.realm) : null;
}
