import { Resolver } from 'node:dns/promises';
import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { messageOf } from '#base';
import { probeAgent } from './client.ts';
import type { Resolve } from './outbound.ts';

export interface OutsideAnswer {
  readonly ok: boolean;
  /** `status 200`, `connection refused`, `the name has no address (ENOTFOUND)`. */
  readonly answered: string;
  /** 0: there was no answer of HTTP. */
  readonly status: number;
  readonly tookMs: number;
  /** Milliseconds since 1970; null without TLS. */
  readonly certificateValidTo: number | null;
}

export interface OutsideHttp {
  readonly url: string;
  readonly method: 'GET' | 'HEAD';
  readonly statuses: readonly { readonly from: number; readonly to: number }[];
  /** Null: whatever. */
  readonly body: string | null;
  /** Where it is sent, instead of where its name leads. */
  readonly to?: { readonly host: string; readonly port: number };
}

type Said = Pick<OutsideAnswer, 'ok' | 'answered'> & Partial<OutsideAnswer>;

const bodyBytesMax = 256 * 1024;
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has no such record',
  ETIMEOUT: 'no name server answers',
  ECANCELLED: 'no name server answers',
  ESERVFAIL: 'the name server fails',
};

/** Never rejects; never takes longer than `timeoutMs`. */
async function bounded(
  timeoutMs: number,
  ask: (signal: AbortSignal) => Promise<Said>,
): Promise<OutsideAnswer> {
  const began = performance.now();
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Said>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, answered: `no answer within ${timeoutMs} ms` }), timeoutMs);
  });
  const said = ask(ending.signal).catch((error: unknown): Said => ({ ok: false, answered: inWords(error) }));
  const first = await Promise.race([said, late]);
  clearTimeout(timer);
  ending.abort();
  const tookMs = Math.round((performance.now() - began) * 10) / 10;
  return { status: 0, certificateValidTo: null, ...first, tookMs };
}

function inWords(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return words[code] ?? messageOf(error);
}

/** One request. Redirects are answers; whoever signed the certificate is believed, its time and name are looked at. */
export function askHttpOutside(
  asked: OutsideHttp,
  resolve: Resolve,
  timeoutMs: number,
): Promise<OutsideAnswer> {
  return bounded(timeoutMs, async (signal) => {
    const url = new URL(asked.url);
    const isSecure = url.protocol === 'https:';
    const port = Number(url.port || (isSecure ? 443 : 80));
    const to = asked.to ?? { host: (await resolve(url.hostname, port)).address, port };
    const name = url.hostname.replace(/^\[|\]$/g, '');
    return await new Promise<Said>((done, failed) => {
      const sent: ClientRequest = (isSecure ? requestHttps : requestHttp)({
        host: to.host,
        port: to.port,
        method: asked.method,
        path: `${url.pathname}${url.search}`,
        headers: { host: url.host, 'user-agent': probeAgent, connection: 'close' },
        agent: false,
        signal,
        ...(isSecure ? { rejectUnauthorized: false, ...(isIP(name) === 0 ? { servername: name } : {}) } : {}),
      });
      sent.on('error', failed);
      sent.on('response', (answer) => {
        const status = answer.statusCode ?? 0;
        const certificate = isSecure ? judged(answer.socket as TLSSocket, name) : null;
        const certificateValidTo = certificate?.validTo ?? null;
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          if (body.length < bodyBytesMax) body += part;
        });
        answer.on('error', failed);
        answer.on('end', () => {
          const fits = asked.statuses.some(({ from, to: last }) => status >= from && status <= last);
          const lacks = asked.body !== null && !body.includes(asked.body);
          const wrong = certificate?.wrong ?? (lacks ? `${JSON.stringify(asked.body)} is not in it` : null);
          const answered = `status ${status}${wrong ? `, and ${wrong}` : ''}`;
          done({ ok: fits && wrong === null, answered, status, certificateValidTo });
        });
      });
      sent.end();
    });
  });
}

export function askTcpOutside(
  { host, port }: { readonly host: string; readonly port: number },
  resolve: Resolve,
  timeoutMs: number,
): Promise<OutsideAnswer> {
  return bounded(timeoutMs, async (signal) => {
    const { address } = await resolve(host, port);
    return await new Promise<Said>((done, failed) => {
      const socket = connectTcp({ host: address, port, signal });
      socket.on('error', failed);
      socket.on('connect', () => {
        socket.destroy();
        done({ ok: true, answered: 'connected' });
      });
    });
  });
}

export function askTlsOutside(
  { host, port, serverName }: { readonly host: string; readonly port: number; readonly serverName: string },
  resolve: Resolve,
  timeoutMs: number,
): Promise<OutsideAnswer> {
  return bounded(timeoutMs, async (signal) => {
    const { address } = await resolve(host, port);
    return await new Promise<Said>((done, failed) => {
      const named = isIP(serverName) === 0 ? { servername: serverName } : {};
      const socket = connectTls({ host: address, port, rejectUnauthorized: false, ...named });
      signal.addEventListener('abort', () => socket.destroy(), { once: true });
      socket.on('error', failed);
      socket.on('secureConnect', () => {
        const { validTo, wrong } = judged(socket, serverName);
        const version = socket.getProtocol() ?? 'TLS';
        socket.destroy();
        done({ ok: wrong === null, answered: wrong ?? version, certificateValidTo: validTo });
      });
    });
  });
}

/** Of this name server, or of those of the machine. */
export function askDnsOutside(
  asked: {
    readonly name: string;
    readonly type: 'A' | 'AAAA' | 'CNAME' | 'MX' | 'NS' | 'TXT';
    readonly server: string | null;
    readonly expect: readonly string[];
  },
  timeoutMs: number,
): Promise<OutsideAnswer> {
  return bounded(timeoutMs, async (signal) => {
    const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
    if (asked.server !== null) resolver.setServers([asked.server]);
    signal.addEventListener('abort', () => resolver.cancel(), { once: true });
    const found = (await resolver.resolve(asked.name, asked.type)) as readonly unknown[];
    const answers = found.map(recordWords);
    const said = answers.join(', ') || 'nothing';
    const isRight = asked.expect.length === 0 ? answers.length > 0 : isSame(answers, asked.expect);
    return {
      ok: isRight,
      answered: isRight ? said : `${said}, where ${asked.expect.join(', ')} is expected`,
    };
  });
}

function recordWords(record: unknown): string {
  if (typeof record === 'string') return record;
  if (Array.isArray(record)) return record.join('');
  const { priority = '', exchange = '' } = record as { priority?: number; exchange?: string };
  return `${priority} ${exchange}`;
}

function isSame(found: readonly string[], wanted: readonly string[]): boolean {
  const [a, b] = [found, wanted].map((list) =>
    list
      .map((one) => one.toLowerCase())
      .toSorted()
      .join('\n'),
  );
  return a === b;
}

function judged(
  socket: TLSSocket,
  name: string,
): { readonly validTo: number | null; readonly wrong: string | null } {
  const certificate = socket.getPeerCertificate();
  const validTo = Date.parse(certificate.valid_to);
  if (Number.isNaN(validTo)) return { validTo: null, wrong: 'it shows no certificate' };
  const day = new Date(validTo).toISOString().slice(0, 10);
  if (validTo < Date.now()) return { validTo, wrong: `its certificate is over since ${day}` };
  const foreign = checkServerIdentity(name, certificate);
  return { validTo, wrong: foreign ? `its certificate is not for ${name}` : null };
}
