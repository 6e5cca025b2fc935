/** The built-in engine beside what else could stand there, each with one thread or process. As it stands: nothing is wanted of it yet. */
import { join } from 'node:path';
import { builtinEngine } from '#engines';
import { parseSite } from '#model';
import type { Proof } from '../proofs/proof.ts';
import { freePort } from '../test/world/stack.ts';
import { cpuNs, median, sum } from './measure.ts';
import { childrenOf, h2load, nginxText, type Place, startServers, withPlace } from './place.ts';

const rounds = 5;
const requestsEach = 6_000;
const connections = 32;

interface Contender {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
}

type Start = (place: Place, port: number, servers: readonly number[]) => Promise<number>;

const starts: Readonly<Record<string, Start>> = {
  'built-in engine': startBuiltin,
  'http-proxy-3': (place, port, servers) =>
    place.start(
      process.execPath,
      [join(import.meta.dirname, 'http-proxy.ts'), String(port), ...servers.map(String)],
      port,
    ),
  NGINX: startNginx,
  HAProxy: startHaproxy,
};

export async function builtin(proof: Proof): Promise<void> {
  await withPlace(async (place) => {
    const servers = await startServers(place, 2);
    const contenders: Contender[] = [];
    for (const [name, start] of Object.entries(starts)) {
      const port = await freePort();
      contenders.push({ name, port, pid: await start(place, port, servers) });
    }
    const runs = contenders.map(() => ({ perSecond: [] as number[], microseconds: [] as number[] }));
    let failed = 0;
    // The first round only warms up.
    for (let round = 0; round <= rounds; round += 1) {
      for (const [i, contender] of contenders.entries()) {
        const run = await once(contender);
        failed += run.failed;
        if (round === 0) continue;
        runs[i]?.perSecond.push(run.perSecond);
        runs[i]?.microseconds.push(run.microseconds);
      }
    }
    for (const [i, { name }] of contenders.entries()) {
      proof.tell(`${name}: requests a second, median`, Math.round(median(runs[i]?.perSecond ?? [])));
      proof.tell(`${name}: CPU microseconds a request, median`, median(runs[i]?.microseconds ?? []));
    }
    proof.atMost('failed, of all', failed, 0);
  });
}

async function once({ pid, port }: Contender) {
  const pids = [pid, ...childrenOf(pid)];
  const spent = () => sum(pids.map(cpuNs));
  const before = spent();
  const loaded = await h2load({ port, requests: requestsEach, connections, host: 'shop.example' });
  return { ...loaded, microseconds: (spent() - before) / loaded.requests / 1_000 };
}

async function startBuiltin(place: Place, port: number, servers: readonly number[]): Promise<number> {
  const lines = servers.map((server, i) => `      - { name: s${i}, address: 127.0.0.1:${server} }`);
  const text = `site: t
listeners: [{ name: http, address: "127.0.0.1:${port}" }]
routes: [{ name: web, pool: web }]
pools:
  - name: web
    servers:
${lines.join('\n')}
balancers: [{ name: lb-1, engine: builtin, address: 127.0.0.1 }]
`;
  const { site, diagnostics } = parseSite(text, 'site.yaml', place.folder);
  const binary = await builtinEngine.find();
  if (!site || !binary) throw new Error(JSON.stringify(diagnostics));
  const config = builtinEngine.dialect.lower(site, {
    generation: 1,
    threads: 1,
    listeners: { http: { kind: 'address', host: '127.0.0.1', port } },
    control: join(place.folder, 'control.sock'),
    entrance: join(place.folder, 'entrance.sock'),
    neighbour: null,
    certificates: {},
    ticketKeys: null,
    servers: null,
  });
  const command = builtinEngine.command(binary, {
    textFile: place.write('builtin.json', config),
    parked: false,
  });
  return await place.start(command.file, command.args, port);
}

function startNginx(place: Place, port: number, servers: readonly number[]): Promise<number> {
  const upstream = servers.map((server) => `server 127.0.0.1:${server};`).join(' ');
  const text = nginxText(
    place,
    'proxy',
    `upstream web { ${upstream} keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://web;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }`,
  );
  return place.start('nginx', ['-e', 'stderr', '-c', place.write('proxy.conf', text)], port);
}

function startHaproxy(place: Place, port: number, servers: readonly number[]): Promise<number> {
  const text = `global
  nbthread 1
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend http
  bind 127.0.0.1:${port}
  default_backend web
backend web
  balance roundrobin
${servers.map((server, i) => `  server s${i} 127.0.0.1:${server}`).join('\n')}
`;
  return place.start('haproxy', ['-q', '-db', '-f', place.write('one.cfg', text)], port);
}
