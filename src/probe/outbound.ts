import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { BlockList, isIP } from 'node:net';
import { Failure, messageOf } from '#base';

/** One question to the outside. */
export interface Outgoing {
  readonly url: string;
  /** Absent: POST. */
  readonly method?: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface OutgoingAnswer {
  readonly status: number;
  readonly retryAfterMs: number | null;
  readonly body: string;
}

/** @throws Failure HF603 for an inner address, Error when nobody answered in time. */
export type Post = (outgoing: Outgoing, signal: AbortSignal) => Promise<OutgoingAnswer>;

export interface Resolved {
  readonly address: string;
  readonly family: 4 | 6;
}

/** The address that a name may be reached at, and is reached at. @throws Failure HF603 */
export type Resolve = (host: string, port: number) => Promise<Resolved>;

const standardBytesMax = 64 * 1024;

const inner = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const)
  inner.addSubnet(network, bits, 'ipv4');
for (const [network, bits] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const)
  inner.addSubnet(network, bits, 'ipv6');

/** Loopback, link-local, private, and whatever leads to such in disguise. IPv4 written as IPv6 is IPv4 here. */
export function isInner(address: string): boolean {
  return inner.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/**
 * A name is looked up once; what came is judged, and that very address is connected to, so that a name cannot change its
 * mind in between. One inner address among several is enough to refuse it.
 */
export function resolver(
  allowedHosts: readonly string[],
  settingsFile = 'oncall.yaml',
  find: (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]> = (
    host,
  ) => lookup(host, { all: true, verbatim: true }),
): Resolve {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()));
  return async (given, port) => {
    const host = given.replace(/^\[|\]$/g, '').toLowerCase();
    const found = await find(host).catch((error) => {
      throw new Error(`the name ${host} is not found (${messageOf(error)})`);
    });
    const [first] = found;
    if (!first) throw new Error(`the name ${host} has no address`);
    const isAllowed = allowed.has(host) || allowed.has(`${host}:${port}`);
    const bad = isAllowed ? undefined : found.find(({ address }) => isInner(address));
    if (bad)
      throw new Failure(
        'HF603',
        `${host} is ${bad.address}, an inner address`,
        `Where it is meant: allowedHosts: ["${host}"] in ${settingsFile}.`,
      );
    return { address: first.address, family: first.family === 6 ? 6 : 4 };
  };
}

/** One request, and nothing else is done with the answer: a redirect is an answer like any other. */
export function poster(resolve: Resolve, answerBytesMax = standardBytesMax): Post {
  return async ({ url, method = 'POST', headers, body }, signal) => {
    const target = new URL(url);
    const secure = target.protocol === 'https:';
    const port = Number(target.port || (secure ? 443 : 80));
    const { address, family } = await resolve(target.hostname, port);
    signal.throwIfAborted();
    return await new Promise((done, failed) => {
      const request = (secure ? https : http).request(
        target,
        {
          method,
          agent: false,
          signal,
          headers: { 'user-agent': 'holdfast', ...headers, 'content-length': Buffer.byteLength(body) },
          lookup: (_host, options, answer) =>
            options.all ? answer(null, [{ address, family }]) : answer(null, address, family),
        },
        (response) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          response.on('data', (part: Buffer) => {
            bytes += part.length;
            if (bytes > answerBytesMax) response.destroy();
            else parts.push(part);
          });
          const end = () =>
            done({
              status: response.statusCode ?? 0,
              retryAfterMs: retryAfterOf(response.headers['retry-after']),
              body: Buffer.concat(parts).toString('utf8'),
            });
          response.on('end', end);
          // What it had to say was its status: the rest does not matter.
          response.on('close', end);
          response.on('error', () => {});
        },
      );
      request.on('error', failed);
      request.end(body);
    });
  };
}

/** Seconds; a date is left to our own pause. */
function retryAfterOf(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,5}$/.test(value) ? Number(value) * 1_000 : null;
}
