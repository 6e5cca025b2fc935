import { isIP } from 'node:net';
import { type Algorithm, type Pool, type PoolTls, type Site, streamPools, streamsOf } from '#model';
import type { Features } from './feature.ts';

/** What a site can say of its servers and of how requests are spread over them. */
export const poolFeatures = {
  roundrobin: {
    written: 'pools[].algorithm: roundrobin',
    meaning: 'each server in turn, by weight',
    uses: (site) => balancedBy(site, 'roundrobin'),
  },
  leastconn: {
    written: 'pools[].algorithm: leastconn',
    meaning: 'the server with the fewest requests under way, by weight',
    uses: (site) => balancedBy(site, 'leastconn'),
  },
  random: {
    written: 'pools[].algorithm: random',
    meaning: 'two servers are drawn, the less loaded one is taken',
    uses: (site) => balancedBy(site, 'random'),
  },
  source: {
    written: 'pools[].algorithm: source',
    meaning: "the client's address decides, and few clients move when a server comes or goes",
    uses: (site) => balancedBy(site, 'source'),
  },
  hashPath: {
    written: 'pools[].hash: { on: path }',
    meaning: 'with algorithm hash: the path decides, and few paths move when a server comes or goes',
    uses: (site) => pools(site, ({ hashOn }) => hashOn?.kind === 'path'),
  },
  hashHeader: {
    written: 'pools[].hash: { on: header }',
    meaning: 'a header decides; a request without it goes to any server',
    uses: (site) => pools(site, ({ hashOn }) => hashOn?.kind === 'header'),
  },
  hashCookie: {
    written: 'pools[].hash: { on: cookie }',
    meaning: 'a cookie decides; a request without it goes to any server',
    uses: (site) => pools(site, ({ hashOn }) => hashOn?.kind === 'cookie'),
  },
  stickyCookie: {
    written: 'pools[].stickyCookie',
    meaning: 'a cookie with the name of its server leads a client back to it, as long as that one is live',
    uses: (site) => pools(site, ({ stickyCookie }) => stickyCookie !== null),
  },
  tlsToServers: {
    written: 'pools[].tls',
    meaning:
      "the servers are reached over TLS, and their certificates are checked by the system's authorities or by `ca`",
    uses: (site) => tlsOf(site, () => true),
  },
  tlsToServersSystem: {
    written: 'pools[].tls without ca',
    meaning: "the servers' certificates are checked by the system's authorities",
    uses: (site) => tlsOf(site, ({ verify, authorities }) => verify && authorities === null),
  },
  tlsToServersOwnNames: {
    written: 'pools[].tls without name',
    meaning: "each server's host name is what is asked for (SNI) and what its certificate must be for",
    uses: (site) =>
      site.pools.flatMap(({ tls, servers }) =>
        tls?.name === null && servers.some(({ host }) => isIP(host) === 0) ? [tls.place] : [],
      ),
  },
  tlsToServersCertificate: {
    written: 'pools[].tls.certificate',
    meaning: 'a certificate is shown to the servers',
    uses: (site) => tlsOf(site, ({ certificate }) => certificate !== null),
  },
  proxyProtocolToServers: {
    written: 'pools[].proxyProtocol, of requests',
    meaning: "each connection to a server begins with the client's address, by the PROXY protocol",
    uses: (site) => proxied(site, false, ({ proxyProtocol }) => proxyProtocol !== null),
  },
  proxyProtocolOfStreams: {
    written: 'pools[].proxyProtocol, of TCP and TLS listeners',
    meaning: 'the same, in front of what is passed on',
    uses: (site) => proxied(site, true, ({ proxyProtocol }) => proxyProtocol !== null),
  },
  proxyProtocolOfStreamsV2: {
    written: 'pools[].proxyProtocol: v2, of TCP and TLS listeners',
    meaning: 'in the binary form',
    uses: (site) => proxied(site, true, ({ proxyProtocol }) => proxyProtocol === 'v2'),
  },
  streamPoolsDiffer: {
    written: 'listeners[].protocol: TCP or TLS, pools of one listener that differ',
    meaning: 'in their time-outs (connect, tunnel), retries, tls or proxyProtocol',
    uses: (site) =>
      streamsOf(site).flatMap(({ name, rules }) => {
        const used = new Set(rules.flatMap(({ shares }) => shares.map(({ pool }) => pool)));
        const ways = site.pools.filter((pool) => used.has(pool.name)).map(wayOfStream);
        return new Set(ways).size > 1
          ? site.listeners.filter((l) => l.name === name).map((l) => l.place)
          : [];
      }),
  },
  connectionsMax: {
    written: 'pools[].servers[].connectionsMax',
    meaning: "requests that a server answers at once; more wait in the pool's queue",
    uses: (site) =>
      site.pools.flatMap(({ servers }) =>
        servers.filter(({ connectionsMax }) => connectionsMax !== null).map(({ place }) => place),
      ),
  },
  queuedMax: {
    written: 'pools[].queuedMax',
    meaning: 'requests that may wait for a server; one more is answered 503 at once',
    uses: (site) => pools(site, ({ queuedMax }) => queuedMax !== null),
  },
  spare: {
    written: 'pools[].servers[].spare',
    meaning: 'used only when every server that is none is down',
    uses: (site) => spares(site, 0),
  },
  spares: {
    written: 'pools[].servers[].spare, several in a pool',
    meaning: 'the first live one of the file serves',
    uses: (site) => spares(site, 1),
  },
  spareOfDrawn: {
    written: 'pools[].servers[].spare, with algorithm random, source or hash',
    meaning: 'a spare server of a pool that is not served in turn',
    uses: (site) =>
      site.pools
        .filter(({ algorithm }) => algorithm !== 'roundrobin' && algorithm !== 'leastconn')
        .flatMap(({ servers }) => servers.filter(({ spare }) => spare).slice(0, 1))
        .map(({ place }) => place),
  },
  maintenance: {
    written: 'pools[].servers[].maintenance',
    meaning: 'a server that gets no request and is not asked how it is',
    uses: (site) =>
      site.pools.flatMap(({ servers }) => servers.filter((s) => s.maintenance).map(({ place }) => place)),
  },
  healthCheckTcp: {
    written: 'pools[].healthCheck without path',
    meaning: 'a server that takes a connection is alive',
    uses: (site) => pools(site, ({ healthCheck }) => healthCheck.http === null),
  },
  healthCheckHttp: {
    written: 'pools[].healthCheck.path',
    meaning: 'a server that answers this path with the expected status is alive',
    uses: (site) => pools(site, ({ healthCheck }) => healthCheck.http !== null),
  },
  healthCheckBody: {
    written: 'pools[].healthCheck.expectBody',
    meaning: 'the answer to the check must contain this text',
    uses: (site) => pools(site, ({ healthCheck }) => healthCheck.http?.expectBody != null),
  },
  identity: {
    written: 'pools[].identity',
    meaning:
      'the answer to the check must have this header or text: without it, it is another site that answers',
    uses: (site) => pools(site, ({ healthCheck }) => healthCheck.http?.identity !== undefined),
  },
  healthCheckPort: {
    written: 'pools[].healthCheck.port',
    meaning: 'the check goes to another port of the server, in plain HTTP or TCP',
    uses: (site) => pools(site, ({ healthCheck }) => healthCheck.port !== null),
  },
  ejectionConnections: {
    written: 'pools[].ejection: { of: connections }',
    meaning: 'connections that fail in a row take a server out until its checks were good again',
    uses: (site) => pools(site, ({ ejection }) => ejection?.of === 'connections'),
  },
  ejectionAnswers: {
    written: 'pools[].ejection: { of: answers }',
    meaning: 'answers 500 and above (not 501, 505) in a row take it out too',
    uses: (site) => pools(site, ({ ejection }) => ejection?.of === 'answers'),
  },
  slowStart: {
    written: 'pools[].slowStart',
    meaning: 'the share of a server that came back grows over this time',
    uses: (site) => pools(site, ({ slowStartMs }) => slowStartMs !== null),
  },
  retriesMax: {
    written: 'pools[].retries.max',
    meaning: 'how often a failed request is tried again, on another server where there is one',
    uses: (site) => pools(site, ({ retries }) => retries.max !== 3),
  },
  retriesEmpty: {
    written: 'pools[].retries.on: empty',
    meaning: 'a connection that ended without an answer is tried again: GET, HEAD, OPTIONS, TRACE',
    uses: (site) => pools(site, ({ retries }) => retries.on.includes('empty')),
  },
  retriesTimeout: {
    written: 'pools[].retries.on: timeout',
    meaning: 'no answer in time is tried again: GET, HEAD, OPTIONS, TRACE',
    uses: (site) => pools(site, ({ retries }) => retries.on.includes('timeout')),
  },
  retriesStatus: {
    written: 'pools[].retries.on: 5xx',
    meaning: '500, 502, 503 and 504 are tried again: GET, HEAD, OPTIONS, TRACE',
    uses: (site) => pools(site, ({ retries }) => retries.on.includes('5xx')),
  },
  tunnelTimeout: {
    written: 'pools[].timeouts.tunnel',
    meaning: 'an upgraded connection on which nobody speaks so long ends',
    uses: (site) => pools(site, ({ timeouts }) => timeouts.tunnelMs !== 3_600_000),
  },
  ejectionMax: {
    written: 'pools[].ejection.serversShareMax',
    meaning: 'ejection takes no server out when more than this share of the pool would be down then',
    uses: (site) => pools(site, ({ ejection }) => ejection?.serversShareMax !== undefined),
  },
  circuitBreaker: {
    written: 'pools[].circuitBreaker',
    meaning:
      'when this share of the requests in a window failed, the next ones are answered 503 at once for a time; then one is tried',
    uses: (site) => pools(site, ({ circuitBreaker }) => circuitBreaker !== undefined),
  },
  compression: {
    written: 'pools[].compression',
    meaning:
      'answers 200 of these types go by gzip to clients that take it: never what is compressed already, with Vary, and a strong ETag becomes a weak one. NGINX compresses 403 and 404 too, and what says no-transform',
    uses: (site) => pools(site, ({ compression }) => compression !== undefined),
  },
  compressionMinSize: {
    written: 'pools[].compression.minSize',
    meaning: 'shorter answers stay as they are',
    uses: (site) => pools(site, ({ compression }) => (compression?.minBytes ?? null) !== null),
  },
  compressionWithoutHtml: {
    written: 'pools[].compression.types without text/html',
    meaning: 'web pages stay as they are',
    uses: (site) =>
      pools(site, ({ compression }) => compression !== undefined && !compression.types.includes('text/html')),
  },
  firstByte: {
    written: 'pools[].timeouts.firstByte',
    meaning: 'how long an answer may take to begin, where that is not how long it may be silent',
    uses: (site) => pools(site, ({ timeouts }) => timeouts.firstByteMs !== undefined),
  },
} as const satisfies Features;

function tlsOf(site: Site, uses: (tls: PoolTls) => boolean) {
  return site.pools.flatMap(({ tls }) => (tls !== null && uses(tls) ? [tls.place] : []));
}

function spares(site: Site, after: number) {
  return site.pools.flatMap(({ servers }) =>
    servers
      .filter(({ spare }) => spare)
      .slice(after, after + 1)
      .map(({ place }) => place),
  );
}

function pools(site: Site, uses: (pool: Pool) => boolean) {
  return site.pools.filter(uses).map(({ place }) => place);
}

function balancedBy(site: Site, algorithm: Algorithm) {
  return pools(site, (pool) => pool.algorithm === algorithm);
}

function proxied(site: Site, ofStreams: boolean, uses: (pool: Pool) => boolean) {
  const streams = streamPools(site);
  return pools(site, (pool) => streams.has(pool.name) === ofStreams && uses(pool));
}

function wayOfStream({ timeouts, retries, tls, proxyProtocol }: Pool): string {
  const { place: _, ...secured } = { place: null, ...tls };
  return JSON.stringify([timeouts.connectMs, timeouts.tunnelMs, retries.max, tls && secured, proxyProtocol]);
}
