/** Engines as a team runs them: started by their own command line, with a text of the team's own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify } from '#base';
import { processIds, socketsOf } from '../../src/agent/adopt/listening.ts';
import { linkOf, programOf } from '../../src/agent/adopt/processes.ts';
import { ask } from './ask.ts';
import { selfSigned } from './certificate.ts';
import { freePort, until } from './stack.ts';

/** How it is started: Debian's unit (master and worker), in the foreground alone, or NGINX's master and workers. */
export type Manner = 'haproxy -W' | 'haproxy -db' | 'nginx';

export interface Theirs {
  readonly folder: string;
  readonly file: string;
  readonly http: number;
  readonly https: number;
  readonly statistics: string;
  readonly commandLine: readonly string[];
  readonly child: () => ChildProcess;
  readonly text: string;
  /** Starts it (again) and waits until it listens. */
  start(): Promise<void>;
  /** Every process that runs the team's text. */
  processes(): number[];
  /** This one is the team's too: it was started again by somebody else. */
  knows(pid: number): void;
  /** Ends what runs. */
  end(): Promise<void>;
  /** Ends all that was started, and removes the folder. */
  close(): Promise<void>;
}

export interface TheirsPlan {
  readonly manner: Manner;
  readonly origins: readonly { readonly name: string; readonly port: number }[];
  /** More lines of HAProxy's frontend, or NGINX's server. */
  readonly more?: string;
  /** More lines of NGINX's `http`. */
  readonly inHttp?: string;
  /** More words of each `listen` of NGINX. */
  readonly listens?: string;
  /** Somebody else starts it, as a service manager does. */
  readonly isService?: boolean;
}

let pair: { key: string; cert: string } | null = null;

export async function startTheirs(plan: TheirsPlan): Promise<Theirs> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-theirs-'));
  chmodSync(folder, 0o755);
  const [http, https] = [await freePort(), await freePort()];
  pair ??= selfSigned('shop.example');
  writeFileSync(join(folder, 'site.pem'), `${pair.cert}${pair.key}`, { mode: 0o600 });
  const isNginx = plan.manner === 'nginx';
  const file = join(folder, isNginx ? 'nginx.conf' : 'haproxy.cfg');
  const statistics = join(folder, 'stats.sock');
  const text = isNginx
    ? nginxText({ ...plan, folder, http, https })
    : haproxyText({ ...plan, folder, http, https, statistics });
  writeFileSync(file, text);
  for (const name of ['logs', 'temp']) mkdirSync(join(folder, name));
  const commandLine = commandOf(plan.manner, file, folder);
  const started: ChildProcess[] = [];
  const others: number[] = [];
  const processes = () =>
    processIds().filter((pid) => {
      const words = readOr(`/proc/${pid}/cmdline`);
      return words.includes(file) && identify(pid) !== null && ['haproxy', 'nginx'].includes(programOf(pid));
    });

  async function start(): Promise<void> {
    const [command = '', ...args] = commandLine;
    const child = spawn(command, args, { cwd: '/', stdio: 'ignore', detached: true });
    child.on('error', () => {});
    started.push(child);
    await until(`${plan.manner} on ${http}`, async () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      return (await answers(https)) && (await ask(http, { path: '/health' })).status === 200;
    });
  }

  /** Whoever started them: an adoption that was handed back has started some. */
  async function end(): Promise<void> {
    await until('the end of their processes', async () => {
      for (const { pid } of started) if (pid) signalGroup(pid);
      for (const pid of [...others, ...processes(), ...workersIn(folder)]) kill(pid);
      return (
        processes().length + workersIn(folder).length === 0 &&
        started.every(({ pid }) => !pid || identify(pid) === null)
      );
    });
  }

  const theirs: Theirs = {
    folder,
    file,
    http,
    https,
    statistics,
    commandLine,
    text,
    child: () => started.at(-1) ?? failed(),
    start,
    processes,
    knows(pid) {
      others.push(pid);
    },
    end,
    async close() {
      await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    if (!plan.isService) await start();
    return theirs;
  } catch (error) {
    await theirs.close();
    throw error;
  }
}

function failed(): never {
  throw new Error('it was not started');
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

function signalGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function commandOf(manner: Manner, file: string, folder: string): string[] {
  if (manner === 'nginx') return ['/usr/sbin/nginx', '-p', folder, '-c', file, '-g', 'daemon off;'];
  // As in Debian's unit, but for `-Ws`, which needs systemd, and what it does itself: in the foreground.
  if (manner === 'haproxy -W')
    return ['/usr/sbin/haproxy', '-W', '-db', '-f', file, '-p', join(folder, 'pid')];
  return ['/usr/sbin/haproxy', '-db', '-f', file];
}

interface TextPlan extends TheirsPlan {
  readonly folder: string;
  readonly http: number;
  readonly https: number;
}

function haproxyText(plan: TextPlan & { readonly statistics: string }): string {
  const { folder, http, https, origins, statistics, more = '' } = plan;
  return `# holdfast: guard: { bake: 1s, canary: { step: 1s } }
global
    stats socket ${statistics} mode 660 level admin expose-fd listeners
    stats timeout 30s
    user haproxy
    group haproxy
    maxconn 4000

defaults
    mode http
    timeout connect 5s
    timeout client 50s
    timeout server 50s
    timeout check 10s

frontend shop
    bind 127.0.0.1:${http}
    bind 127.0.0.1:${https} ssl crt ${folder}/site.pem alpn h2,http/1.1
    ${more}
    default_backend web

backend web
    balance roundrobin
    option httpchk GET /health
    default-server check inter 2s fall 5
${origins.map(({ name, port }) => `    server ${name} 127.0.0.1:${port}`).join('\n')}
`;
}

function nginxText({ folder, http, https, origins, more = '', inHttp = '', listens = '' }: TextPlan): string {
  return `# holdfast: guard: { bake: 1s, canary: { step: 1s } }
user www-data;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/logs/error.log;
events { worker_connections 4000; }
http {
    access_log off;
    ${inHttp}
    upstream web {
${origins.map(({ port }) => `        server 127.0.0.1:${port};`).join('\n')}
        keepalive 32;
    }
    server {
        listen 127.0.0.1:${http} ${listens};
        listen 127.0.0.1:${https} ssl http2 ${listens};
        ssl_certificate ${folder}/site.pem;
        ssl_certificate_key ${folder}/site.pem;
        ${more}
        location / {
            proxy_pass http://web;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }
    }
}
`;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The processes that have this socket open. */
export function whoHas(inode: string): number[] {
  return processIds().filter((pid) => socketsOf(pid)?.has(inode));
}

/** NGINX's workers have written over their command line: they are known by what they have open in the folder. */
export function workersIn(folder: string): number[] {
  return processIds().filter((pid) => {
    try {
      if (programOf(pid) !== 'nginx') return false;
      const open = readdirSync(`/proc/${pid}/fd`);
      return open.some((fd) => linkOf(`/proc/${pid}/fd/${fd}`).includes(folder));
    } catch {
      return false;
    }
  });
}
