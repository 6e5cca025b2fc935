import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, getCACertificates } from 'node:tls';
import { type Pool, type PoolTls, tlsNameOf } from '#model';

/** What we send where an engine would send its client's address: that it is us who ask. */
const proxyHeaders = {
  v1: Buffer.from('PROXY UNKNOWN\r\n'),
  v2: Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
};

export interface Reached {
  readonly address: string;
  readonly port: number;
  /** The server's own, for its certificate. */
  readonly host: string;
}

/**
 * A connection as an engine would open it: PROXY header, TLS with name and authorities. `plain`: without these, as
 * health checks at another port are.
 * @throws Error when there is none within `timeoutMs`.
 */
export function reach(
  { address, port, host }: Reached,
  { tls, proxyProtocol }: Pick<Pool, 'tls' | 'proxyProtocol'>,
  timeoutMs: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const plain = connect({ host: address, port });
    let socket = plain;
    const fail = (error: Error) => {
      clearTimeout(timer);
      for (const one of [plain, socket]) one.on('error', () => {}).destroy();
      reject(error);
    };
    const done = () => {
      clearTimeout(timer);
      socket.off('error', fail);
      resolve(socket);
    };
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    plain.on('error', fail).on('connect', () => {
      if (proxyProtocol !== null) plain.write(proxyHeaders[proxyProtocol]);
      if (tls === null) return done();
      plain.off('error', fail);
      try {
        socket = connectTls({ ...tlsOptions(tls, host), socket: plain });
        socket.on('secureConnect', done).on('error', fail);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

function tlsOptions(tls: PoolTls, host: string) {
  const { authorities, verify, certificate } = tls;
  const servername = tlsNameOf(tls, host);
  return {
    ...(verify
      ? { ca: authorities === null ? getCACertificates('system') : readFileSync(authorities, 'utf8') }
      : {}),
    rejectUnauthorized: verify,
    ALPNProtocols: ['http/1.1'],
    ...(servername === null ? {} : { servername }),
    ...(certificate === null
      ? {}
      : { cert: readFileSync(certificate.certificate), key: readFileSync(certificate.key) }),
  };
}
