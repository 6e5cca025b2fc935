/** The built-in engine and what else could stand in its place, each with one thread or process, over HTTP and over TLS. */
import { spawnSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { builtinEngine } from '#engines';
import { parseSite } from '#model';
import { openListening } from '../src/agent/holder/sockets.ts';
import { selfSigned } from '../test/world/certificate.ts';
import { freePort, until } from '../test/world/stack.ts';
import { childrenOf, nginxText, type Place } from './place.ts';

export interface Contender {
  readonly name: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly pid: number;
}

interface Wanted {
  readonly port: number;
  readonly tlsPort: number;
  /** Certificate and key in one file, and each in its own. */
  readonly bundle: string;
  readonly certificate: string;
  readonly key: string;
  readonly servers: readonly number[];
}

type Start = (place: Place, wanted: Wanted) => Promise<number>;

const starts: Readonly<Record<string, Start>> = {
  'built-in engine': builtinOf(1),
  'http-proxy-3': startNode('http-proxy-3'),
  'fast-proxy': startNode('fast-proxy'),
  Caddy: startCaddy,
  NGINX: startNginx,
  HAProxy: startHaproxy,
};

/** Those whose program is there; the names of the others. */
export async function startContenders(
  place: Place,
  servers: readonly number[],
): Promise<{ readonly contenders: readonly Contender[]; readonly missing: readonly string[] }> {
  const files = certificateIn(place);
  const contenders: Contender[] = [];
  const missing: string[] = [];
  for (const [name, start] of Object.entries(starts)) {
    const ports = { port: await freePort(), tlsPort: await freePort() };
    if (name === 'Caddy' && spawnSync('caddy', ['version']).status !== 0) missing.push(name);
    else contenders.push({ name, ...ports, pid: await start(place, { ...files, ...ports, servers }) });
  }
  return { contenders, missing };
}

/** With that many processes that carry requests. */
function builtinOf(workers: number): Start {
  return (place, wanted) => startBuiltin(place, wanted, workers);
}

/** The built-in engine with one, two and four processes, and the one that it is measured by. */
export async function startBuiltins(
  place: Place,
  servers: readonly number[],
): Promise<{
  readonly ours: readonly (Contender & { readonly workers: number })[];
  readonly theirs: Contender;
}> {
  const files = certificateIn(place);
  const ports = async () => ({ port: await freePort(), tlsPort: await freePort() });
  const ours = [];
  for (const workers of [1, 2, 4]) {
    const at = await ports();
    const pid = await builtinOf(workers)(place, { ...files, ...at, servers });
    ours.push({ name: `${workers} of ours`, workers, ...at, pid });
  }
  const at = await ports();
  const pid = await startNode('http-proxy-3')(place, { ...files, ...at, servers });
  return { ours, theirs: { name: 'http-proxy-3', ...at, pid } };
}

function certificateIn(place: Place): Pick<Wanted, 'bundle' | 'certificate' | 'key'> {
  const { key, cert } = selfSigned();
  return {
    bundle: place.write('site.pem', cert + key),
    certificate: place.write('cert.pem', cert),
    key: place.write('key.pem', key),
  };
}

async function startBuiltin(place: Place, wanted: Wanted, workers: number): Promise<number> {
  const lines = wanted.servers.map((server, i) => `      - { name: s${i}, address: 127.0.0.1:${server} }`);
  const { port, tlsPort, certificate, key } = wanted;
  const text = `site: t
listeners:
  - { name: http, address: "127.0.0.1:${port}" }
  - { name: https, address: "127.0.0.1:${tlsPort}", tls: { certificates: [{ certificate: ${certificate}, key: ${key} }] } }
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
    threads: workers,
    // Lent, as a holder does: processes can only share what all of them have.
    listeners: { http: { kind: 'fd', fd: 3 }, https: { kind: 'fd', fd: 4 } },
    control: join(place.folder, `control-${workers}.sock`),
    entrance: join(place.folder, `entrance-${workers}.sock`),
    neighbour: null,
    certificates: { https: [wanted.bundle] },
    ticketKeys: null,
    servers: null,
  });
  const command = builtinEngine.command(binary, {
    textFile: place.write(`builtin-${workers}.json`, config),
    parked: false,
  });
  const fds = [port, tlsPort].map((one) => openListening('127.0.0.1', one));
  place.atEnd(() => fds.forEach(closeSync));
  const pid = await place.start(command.file, command.args, port, fds);
  // Beside its workers it has one that ends what is left of them.
  if (workers > 1) await until('all workers', async () => childrenOf(pid).length === workers + 1);
  return pid;
}

function startNode(kind: string): Start {
  return (place, { port, tlsPort, bundle, servers }) => {
    const program = join(import.meta.dirname, 'node-proxy.js');
    const args = [program, kind, String(port), String(tlsPort), bundle, ...servers.map(String)];
    return place.start(process.execPath, args, port);
  };
}

function startNginx(place: Place, { port, tlsPort, certificate, key, servers }: Wanted): Promise<number> {
  const upstream = servers.map((server) => `server 127.0.0.1:${server};`).join(' ');
  const text = nginxText(
    place,
    'proxy',
    `upstream web { ${upstream} keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
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

function startHaproxy(place: Place, { port, tlsPort, bundle, servers }: Wanted): Promise<number> {
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
  bind 127.0.0.1:${tlsPort} ssl crt ${bundle}
  default_backend web
backend web
  balance roundrobin
${servers.map((server, i) => `  server s${i} 127.0.0.1:${server}`).join('\n')}
`;
  return place.start('haproxy', ['-q', '-db', '-f', place.write('one.cfg', text)], port);
}

function startCaddy(place: Place, { port, tlsPort, certificate, key, servers }: Wanted): Promise<number> {
  const proxy = `bind 127.0.0.1
  reverse_proxy ${servers.map((server) => `127.0.0.1:${server}`).join(' ')} {
    lb_policy round_robin
  }`;
  const text = `{
  admin off
  auto_https off
  default_sni localhost
  storage file_system ${place.folder}/caddy
  servers {
    protocols h1 h2
  }
}
http://:${port} {
  ${proxy}
}
https://:${tlsPort} {
  tls ${certificate} ${key}
  ${proxy}
}
`;
  const args = ['GOMAXPROCS=1', `HOME=${place.folder}`, 'caddy', 'run', '--adapter', 'caddyfile'];
  return place.start('env', [...args, '--config', place.write('Caddyfile', text)], port);
}
