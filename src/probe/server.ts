import { lookup } from 'node:dns/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { type Clock, messageOf } from '#base';
import type { HealthCheck } from '#model';
import type { Request } from '#routing';

export interface ServerAnswer {
  readonly ok: boolean;
  readonly tried: string;
  readonly answered: string;
  readonly tookMs: number;
}

/**
 * Asks a server the way an engine would: name, connection, then the health check's request.
 * Never throws; never takes longer than connect and health check time-outs together.
 */
export async function probeServer(
  server: { readonly host: string; readonly port: number },
  options: { readonly check: HealthCheck; readonly connectMs: number; readonly clock: Clock },
): Promise<ServerAnswer> {
  const { check, connectMs, clock } = options;
  const began = clock.monotonicMs();
  const http = check.http;
  const at = `${server.host.includes(':') ? `[${server.host}]` : server.host}:${server.port}`;
  const tried = http
    ? `GET http://${at}${http.path} expecting ${http.expectStatus}`
    : `TCP connection to ${at}`;
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
  try {
    if (!http) {
      await connectTo(address, server.port, connectMs);
      return answer(true, 'connected');
    }
    const status = await getStatus({
      address,
      at,
      port: server.port,
      path: http.path,
      timeoutMs: connectMs + check.timeoutMs,
    });
    return answer(status === http.expectStatus, `status ${status}`);
  } catch (error) {
    return answer(false, inWords(error));
  }
}

function connectTo(host: string, port: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    socket.on('connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}

function getStatus(ask: {
  address: string;
  at: string;
  port: number;
  path: string;
  timeoutMs: number;
  method?: string;
  headers?: Readonly<Record<string, string>>;
}): Promise<number> {
  const { method = 'GET', headers = {} } = ask;
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: ask.address,
        port: ask.port,
        path: ask.path,
        method,
        agent: false,
        headers: { host: ask.at, ...headers },
      },
      (answer) => {
        clearTimeout(timer);
        answer.resume();
        answer.destroy();
        resolve(answer.statusCode ?? 0);
      },
    );
    const timer = setTimeout(
      () => asked.destroy(new Error(`no answer within ${ask.timeoutMs} ms`)),
      ask.timeoutMs,
    );
    asked.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.end();
  });
}

/** Whatever the server answers to this very request. @throws Error when it is silent for `timeoutMs`. */
export async function askServer(
  { host, port }: { readonly host: string; readonly port: number },
  asked: Pick<Request, 'method' | 'host' | 'path' | 'query' | 'headers'>,
  timeoutMs: number,
): Promise<number> {
  const { address } = await lookup(host);
  const { method, path, query, headers } = asked;
  return await getStatus({
    address,
    at: asked.host,
    port,
    path: query === '' ? path : `${path}?${query}`,
    timeoutMs,
    method,
    headers,
  });
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
