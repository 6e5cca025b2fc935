import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { messageOf } from '#base';
import type { Request } from '#routing';

export interface ClientAnswer {
  readonly ok: boolean;
  /** `status 200`, `connection refused`, `the certificate is over since 2026-11-20`. */
  readonly answered: string;
  /** 0: there was no answer. */
  readonly status: number;
  readonly tookMs: number;
  /** Milliseconds since 1970; null without TLS. */
  readonly certificateValidTo: number | null;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
};
/** What probes call themselves, so that logs can leave them out. */
export const probeAgent = 'holdfast-probe';

/**
 * One request by a balancer's public side, as clients send theirs. Whoever signed the certificate is believed, its time is
 * looked at. Never throws; never takes longer than `timeoutMs`. An answer below 500 is a good one.
 */
export function askAsClient(
  to: { readonly host: string; readonly port: number },
  asked: Request,
  timeoutMs: number,
): Promise<ClientAnswer> {
  const began = performance.now();
  return new Promise((resolve) => {
    let certificateValidTo: number | null = null;
    const done = (status: number, answered: string, ok: boolean) => {
      clearTimeout(timer);
      sent.destroy();
      resolve({ ok, answered, status, tookMs: Math.round(performance.now() - began), certificateValidTo });
    };
    const send = asked.scheme === 'https' ? requestHttps : requestHttp;
    const defaultPort = asked.scheme === 'https' ? 443 : 80;
    const sent = send({
      ...to,
      method: asked.method,
      path: asked.query === '' ? asked.path : `${asked.path}?${asked.query}`,
      headers: {
        'user-agent': probeAgent,
        ...asked.headers,
        host: asked.port === defaultPort ? asked.host : `${asked.host}:${asked.port}`,
        connection: 'close',
      },
      setHost: false,
      agent: false,
      ...(asked.scheme === 'https' ? { servername: asked.host, rejectUnauthorized: false } : {}),
    });
    const timer = setTimeout(() => done(0, `no answer within ${timeoutMs} ms`, false), timeoutMs);
    sent.on('response', (answer) => {
      const status = answer.statusCode ?? 0;
      certificateValidTo = validTo(answer.socket as TLSSocket);
      const isOver = certificateValidTo !== null && certificateValidTo < Date.now();
      if (isOver)
        return done(
          status,
          `the certificate is over since ${new Date(certificateValidTo ?? 0).toISOString().slice(0, 10)}`,
          false,
        );
      done(status, `status ${status}`, status > 0 && status < 500);
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      done(0, words[error.code ?? ''] ?? messageOf(error), false),
    );
    sent.end();
  });
}

function validTo(socket: TLSSocket): number | null {
  if (typeof socket.getPeerCertificate !== 'function') return null;
  const time = Date.parse(socket.getPeerCertificate().valid_to);
  return Number.isNaN(time) ? null : time;
}
