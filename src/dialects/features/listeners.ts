import { type AccessLog, isStream, type Listener, type ListenerTls, type Site, writtenName } from '#model';
import type { Features } from './feature.ts';

/** What a site can say of where it listens. */
export const listenerFeatures = {
  listenerPlain: {
    written: 'listeners[] without tls',
    meaning: 'serves HTTP/1.1 on an address and port',
    uses: (site) => site.listeners.filter((l) => l.tls === null && !isStream(l)).map(({ place }) => place),
  },
  listenerTls: {
    written: 'listeners[].tls',
    meaning: 'serves HTTPS, with HTTP/2 for clients that speak it',
    uses: (site) => site.listeners.filter(({ tls }) => tls !== null).map(({ place }) => place),
  },
  listenerTcp: {
    written: 'listeners[].protocol: TCP',
    meaning: 'connections are passed on as they are, to a pool',
    uses: (site) => streams(site, ({ protocol }) => protocol === 'TCP'),
  },
  listenerTlsPassthrough: {
    written: 'listeners[].protocol: TLS',
    meaning:
      'connections are passed on as they are, to the pool of the route whose hostnames have the name that the client asks for (SNI); who says nothing of TLS is closed',
    uses: (site) => streams(site, ({ protocol }) => protocol === 'TLS'),
  },
  listenerConnectionsMax: {
    written: 'listeners[].connectionsMax',
    meaning: 'with TCP and TLS: connections at once; more are closed',
    uses: (site) => streams(site, ({ connectionsMax }) => connectionsMax !== null),
  },
  connectionsPerClientMax: {
    written: 'listeners[].connectionsPerClientMax',
    meaning: 'with TCP and TLS: connections of one client (an IPv4 address, a /64 of IPv6); more are closed',
    uses: (site) => streams(site, ({ connectionsPerClientMax }) => connectionsPerClientMax !== null),
  },
  certificatesByName: {
    written: 'listeners[].tls.certificates, several',
    meaning:
      'the certificate is chosen by the name that the client asks for; the first one is for all others',
    uses: (site) =>
      site.listeners.flatMap(({ tls }) => tls?.certificates.slice(1, 2).map(({ place }) => place) ?? []),
  },
  forwardedReplace: {
    written: 'listeners[].forwarded.policy: replace',
    meaning:
      'servers are told the client in X-Forwarded-For and X-Forwarded-Proto, in the place of what came',
    uses: (site) => policies(site, 'replace'),
  },
  forwardedAppend: {
    written: 'listeners[].forwarded.policy: append',
    meaning: 'as replace, but behind what came from a trusted proxy',
    uses: (site) => policies(site, 'append'),
  },
  forwardedOff: {
    written: 'listeners[].forwarded.policy: off',
    meaning: 'servers are told nothing about the client, and what came is removed',
    uses: (site) => policies(site, 'off'),
  },
  forwardedAlso: {
    written: 'listeners[].forwarded.also',
    meaning: 'X-Forwarded-Host, X-Forwarded-Port and Forwarded (RFC 7239: for, proto) as well',
    uses: (site) =>
      site.listeners.flatMap(({ forwarded }) => (forwarded.also.length > 0 ? [forwarded.place] : [])),
  },
  hsts: {
    written: 'listeners[].hsts',
    meaning: "every answer has Strict-Transport-Security, in the place of a server's own",
    uses: (site) => site.listeners.flatMap(({ hsts }) => hsts?.place ?? []),
  },
  addresses: {
    written: 'listeners[].address, several',
    meaning: 'the same listener on several addresses, IPv6 ones for IPv6 alone',
    uses: (site) => site.listeners.filter((l) => writtenName(l) !== l.name).map(({ place }) => place),
  },
  tlsMinVersion13: {
    written: 'listeners[].tls.minVersion: "1.3"',
    meaning: 'clients that speak no TLS 1.3 are turned away; 1.2 is the oldest otherwise',
    uses: (site) => tlsOf(site, ({ minVersion }) => minVersion === '1.3'),
  },
  http1Only: {
    written: 'listeners[].tls.http2: false',
    meaning: 'HTTP/2 is not offered',
    uses: (site) => tlsOf(site, ({ http2 }) => !http2),
  },
  clientCertificates: {
    written: 'listeners[].tls.clientCertificates',
    meaning:
      'clients must, or may, show a certificate of `ca`; servers are told in X-SSL-Client-Verify and X-SSL-Client-DN, which clients of no listener can say themselves. Who shows none or a wrong one is turned away in the handshake, by NGINX with 400',
    uses: (site) => site.listeners.flatMap(({ tls }) => tls?.clients?.place ?? []),
  },
  clientRevocations: {
    written: 'listeners[].tls.clientCertificates.crl',
    meaning:
      'who shows a certificate that its authority has revoked is refused; everybody is when a list is over or an authority has none',
    uses: (site) =>
      site.listeners.flatMap(({ tls }) =>
        tls?.clients && tls.clients.revocations !== undefined ? [tls.clients.place] : [],
      ),
  },
  proxyProtocolFromClients: {
    written: 'listeners[].proxyProtocol.from',
    meaning:
      'connections from these networks begin with the PROXY protocol, which says whom they are for; others do not',
    uses: (site) => site.listeners.filter((l) => l.proxyFrom.length > 0).map(({ place }) => place),
  },
  bodyTimeout: {
    written: 'timeouts.body',
    meaning: 'a body that has not come whole in this time gets 408, also when its client was never silent',
    uses: ({ timeouts }) => (timeouts.body ? [timeouts.body.place] : []),
  },
  accessLogStdout: {
    written: 'accessLog: stdout',
    meaning: "one JSON object a line for each request, into the generation's engine.log",
    uses: (site) => logs(site, 'stdout'),
  },
  accessLogFile: {
    written: 'accessLog: file:/PATH',
    meaning: 'the same, into a file',
    uses: (site) => logs(site, 'file'),
  },
  accessLogSyslog: {
    written: 'accessLog: syslog:HOST:PORT',
    meaning: 'the same, by UDP, facility local0',
    uses: (site) => logs(site, 'syslog'),
  },
  accessLogSocket: {
    written: 'accessLog: syslog:/SOCKET',
    meaning: 'the same, into a Unix socket such as /dev/log',
    uses: (site) => logs(site, 'syslogSocket'),
  },
} as const satisfies Features;

function streams(site: Site, uses: (listener: Listener) => boolean) {
  return site.listeners.filter((l) => isStream(l) && uses(l)).map(({ place }) => place);
}

function logs(site: Site, kind: AccessLog['kind']) {
  return site.accessLog?.kind === kind ? [site.accessLog.place] : [];
}

function tlsOf(site: Site, uses: (tls: ListenerTls) => boolean) {
  return site.listeners.flatMap(({ tls, place }) => (tls !== null && uses(tls) ? [place] : []));
}

function policies(site: Site, policy: Listener['forwarded']['policy']) {
  return site.listeners.flatMap((l) =>
    !isStream(l) && l.forwarded.policy === policy ? [l.forwarded.place] : [],
  );
}
