/** What an engine pays for being Holdfast's: CPU time for each request, beside the same HAProxy alone. */
import type { Proof } from '../proofs/proof.ts';
import { freePort, startStack } from '../test/world/stack.ts';
import { cpuNs, median, ratioInterval } from './measure.ts';
import { h2load, type Place, startServers, withPlace } from './place.ts';

const pairs = 600;
const requestsEach = 2_500;
const connections = 32;
const ratioMax = 1.02;
const host = 'shop.example';

interface Engine {
  readonly pid: number;
  readonly port: number;
}

export async function haproxyOverhead(proof: Proof): Promise<void> {
  await withPlace(async (place) => {
    const ports = await startServers(place, 4);
    const own = await underHoldfast(place, ports);
    const alone = await startAlone(place, ports);
    for (const engine of [own, alone]) await microsecondsEach(engine);
    const ownUs: number[] = [];
    const aloneUs: number[] = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      // Who is first changes from pair to pair, so that what drifts hits both alike.
      const order = pair % 2 === 0 ? [own, alone] : [alone, own];
      for (const engine of order) (engine === own ? ownUs : aloneUs).push(await microsecondsEach(engine));
    }
    const { middle, low, high } = ratioInterval(ownUs.map((us, i) => us / (aloneUs[i] ?? us)));
    proof.tell('under Holdfast, CPU microseconds a request, median', median(ownUs));
    proof.tell('alone, CPU microseconds a request, median', median(aloneUs));
    proof.tell(`ratio, ${pairs} pairs of ${requestsEach} requests, median`, middle);
    proof.tell('  95 % interval', `${low.toFixed(3)} to ${high.toFixed(3)}`);
    proof.holds(
      `  whether the interval allows ${ratioMax}`,
      high <= ratioMax ? 'shown' : low > ratioMax ? 'no' : 'allowed, not shown',
      `at most ${ratioMax}`,
      low <= ratioMax,
    );
  });
}

async function microsecondsEach({ pid, port }: Engine): Promise<number> {
  const before = cpuNs(pid);
  const { failed } = await h2load({ port, requests: requestsEach, connections, host });
  if (failed !== 0) throw new Error(`${failed} requests failed`);
  return (cpuNs(pid) - before) / requestsEach / 1_000;
}

/** Agent, holder, a parked generation beside it, and the guard that asks ten times a second. */
async function underHoldfast(place: Place, ports: readonly number[]): Promise<Engine> {
  const port = await freePort();
  const stack = await startStack({ siteText: () => siteText(port, ports), engine: 'haproxy' });
  place.atEnd(() => stack.stop());
  return { pid: await stack.pidOf('active'), port };
}

function siteText(port: number, [a, b, c, d]: readonly number[]): string {
  return `site: shop
listeners:
  - { name: http, address: "*:${port}" }
routes:
  - name: api
    hostnames: [${host}]
    matches:
      - path: { type: PathPrefix, value: /api }
    pool: api
  - { name: web, hostnames: [${host}], pool: web }
pools:
  - name: web
    servers: [{ name: web-1, address: 127.0.0.1:${a} }, { name: web-2, address: 127.0.0.1:${b} }]
    healthCheck: { path: /health, interval: 1s, timeout: 500ms, rise: 2, fall: 3 }
  - name: api
    servers: [{ name: api-1, address: 127.0.0.1:${c} }, { name: api-2, address: 127.0.0.1:${d} }]
    healthCheck: { path: /health, interval: 1s, timeout: 500ms, rise: 2, fall: 3 }
balancers:
  - { name: lb-1, engine: haproxy, address: 127.0.0.1 }
`;
}

/** The same site as a team writes it: no log of good requests, the usual headers, checks and time-outs. */
async function startAlone(place: Place, [a, b, c, d]: readonly number[]): Promise<Engine> {
  const port = await freePort();
  const text = `global
  stats socket ${place.folder}/haproxy.sock mode 600 level admin
defaults
  mode http
  option forwardfor
  option redispatch
  retries 3
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout queue 5s
  timeout http-request 15s
  timeout http-keep-alive 60s
  timeout check 500ms
  default-server check inter 1s fall 3 rise 2
frontend http
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-Proto http
  acl shop hdr(host),host_only -i ${host}
  use_backend api if shop { path -m str /api } || shop { path -m beg /api/ }
  use_backend web if shop
backend web
  balance roundrobin
  option httpchk GET /health
  server web-1 127.0.0.1:${a}
  server web-2 127.0.0.1:${b}
backend api
  balance roundrobin
  option httpchk GET /health
  server api-1 127.0.0.1:${c}
  server api-2 127.0.0.1:${d}
`;
  return {
    pid: await place.start('haproxy', ['-q', '-db', '-f', place.write('alone.cfg', text)], port),
    port,
  };
}
