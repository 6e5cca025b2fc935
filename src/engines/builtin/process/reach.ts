import { readFileSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { type ConnectionOptions, createSecureContext, getCACertificates } from 'node:tls';
import type { BuiltinAddress, BuiltinPool, BuiltinPoolTls, BuiltinServer } from '#dialects';
import type { ConnectionFacts } from './exchange.ts';
import { proxyHeader, proxyLine } from './proxy-protocol.ts';
import type { Way } from './upstream.ts';

/** How the servers of a pool are reached. @throws Error when a file of its TLS cannot be used. */
export interface Reach {
  /** `client`: whose request it is; null: our own. */
  way(server: BuiltinServer, client: Pick<ConnectionFacts, 'client' | 'local'> | null): Way;
}

export function reachOf({ tls, proxyProtocol, timeouts }: BuiltinPool): Reach {
  const shared = tls === null ? null : sharedOptions(tls);
  return {
    way({ at, tlsName }, client) {
      const from = client ?? { client: null, local: null };
      const first =
        proxyProtocol === null
          ? null
          : proxyProtocol === 'v1'
            ? proxyLine(from.client, from.local)
            : proxyHeader(from.client, from.local);
      const named = tlsName === null ? {} : { servername: tlsName };
      return {
        to: connectTo(at),
        timeoutMs: timeouts.connectMs,
        first,
        tls: shared && { ...shared, ...named },
      };
    },
  };
}

function sharedOptions({ authorities, certificate, verify }: BuiltinPoolTls): ConnectionOptions {
  const own = certificate === null ? null : readFileSync(certificate);
  const secureContext = createSecureContext({
    ...(verify
      ? { ca: authorities === null ? getCACertificates('system') : readFileSync(authorities, 'utf8') }
      : {}),
    ...(own === null ? {} : { cert: own, key: own }),
  });
  return { secureContext, rejectUnauthorized: verify, ALPNProtocols: ['http/1.1'] };
}

export function connectTo(at: BuiltinAddress): NetConnectOpts {
  return at.kind === 'unix'
    ? { path: at.path }
    : { host: at.host, port: at.port, noDelay: true, autoSelectFamily: true };
}
