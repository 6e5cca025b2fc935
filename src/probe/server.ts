import { lookup } from 'node:dns/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import type { Socket } from 'node:net';
import { type Clock, messageOf } from '#base';
import {
  foreignHeader,
  type HttpCheck,
  hostPort,
  missingText,
  type Pool,
  type Server,
  statusFits,
  tlsNameOf,
} from '#model';
import type { Request } from '#routing';
import { reach } from './reach.ts';

export interface ServerAnswer {
  readonly ok: boolean;
  readonly tried: string;
  readonly answered: string;
  readonly tookMs: number;
}

type AskedPool = Pick<Pool, 'healthCheck' | 'timeouts' | 'servers' | 'tls' | 'proxyProtocol'>;

/**
 * Asks a server the way an engine would: name, connection, then the health check's request.
 * Never throws; never takes longer than connect and health check time-outs together.
 */
export async function probeServer(
  server: Pick<Server, 'host' | 'port'>,
  pool: AskedPool,
  clock: Clock,
): Promise<ServerAnswer> {
  const began = clock.monotonicMs();
  const port = pool.healthCheck.port ?? server.port;
  const { http } = pool.healthCheck;
  const at = hostPort(server.host, port);
  const own = pool.healthCheck.port === null;
  const way = own ? pool : { tls: null, proxyProtocol: null };
  const name = way.tls && tlsNameOf(way.tls, server.host);
  const how = `${name ? ` as ${name}` : ''}${way.proxyProtocol ? ` with PROXY ${way.proxyProtocol}` : ''}`;
  const tried = http
    ? `${http.method} http${way.tls ? 's' : ''}://${at}${http.path}${how} expecting ${expectedText(http)}`
    : `${way.tls ? 'TLS' : 'TCP'} connection to ${at}${how}`;
  const answer = (ok: boolean, answered: string): ServerAnswer => ({
    ok,
    tried,
    answered,
    tookMs: Math.round((clock.monotonicMs() - began) * 10) / 10,
  });
  let address: string;
  try {
    address = (await lookup(server.host)).address;
  } catch (error) {
    return answer(false, `the name does not resolve (${codeOf(error)})`);
  }
  const { connectMs } = pool.timeouts;
  try {
    const socket = await reach({ address, port, host: server.host }, way, connectMs);
    if (!http) {
      socket.on('error', () => {}).destroy();
      return answer(true, 'connected');
    }
    const { timeoutMs } = pool.healthCheck;
    const first = pool.servers[0] ?? server;
    const host = http.host ?? hostPort(first.host, first.port);
    const said = await askHttp(socket, { ...http, host, timeoutMs });
    if (!statusFits(said.status, http.expectStatus)) return answer(false, `status ${said.status}`);
    const wrong = foreignHeader(http, said.headers) ?? missingText(http, said.body);
    return wrong === null
      ? answer(true, `status ${said.status}`)
      : answer(false, `status ${said.status}, and ${wrong}`);
  } catch (error) {
    return answer(false, inWords(error));
  }
}

function expectedText({ expectStatus, expectBody, identity = {} }: HttpCheck): string {
  const { header, body } = identity;
  return [
    expectStatus.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', '),
    ...(header ? [`${header.name}: ${header.value}`] : []),
    ...[expectBody, body].flatMap((text) => (text == null ? [] : [JSON.stringify(text)])),
  ].join(' and ');
}

/** What HAProxy looks at of a body: its buffer. */
const bodyCharactersMax = 16_384;

interface Question extends Pick<HttpCheck, 'path' | 'headers' | 'expectBody' | 'identity'> {
  readonly method: string;
  readonly host: string;
  readonly timeoutMs: number;
}

interface Said {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function askHttp(socket: Socket, ask: Question): Promise<Said> {
  const { method, path, headers, timeoutMs } = ask;
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      method,
      path,
      headers: [
        'host',
        ask.host,
        'connection',
        'close',
        ...headers.flatMap(({ name, value }) => [name, value]),
      ],
    });
    const timer = setTimeout(() => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    asked.on('response', (answer) => {
      let body = '';
      const done = () => {
        clearTimeout(timer);
        asked.destroy();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
      };
      if (missingText(ask, '') === null) return done();
      answer.on('error', done).on('end', done);
      answer.on('data', (chunk: Buffer) => {
        body = (body + chunk.toString('latin1')).slice(0, bodyCharactersMax);
        if (body.length === bodyCharactersMax) done();
      });
    });
    asked.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.end();
  });
}

/** Whatever a server of the pool answers to this very request. @throws Error when it is silent for `timeoutMs`. */
export async function askServer(
  { host, port }: Pick<Server, 'host' | 'port'>,
  pool: Pick<Pool, 'tls' | 'proxyProtocol'>,
  asked: Pick<Request, 'method' | 'host' | 'path' | 'query' | 'headers'>,
  timeoutMs: number,
): Promise<number> {
  const { address } = await lookup(host);
  const { method, path, query, headers } = asked;
  const socket = await reach({ address, port, host }, pool, timeoutMs);
  const { status } = await askHttp(socket, {
    host: asked.host,
    path: query === '' ? path : `${path}?${query}`,
    timeoutMs,
    method,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    expectBody: null,
  });
  return status;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? messageOf(error);
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer',
};

function inWords(error: unknown): string {
  const code = codeOf(error);
  return words[code] ?? messageOf(error);
}
