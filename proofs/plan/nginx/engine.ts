/** NGINX as the plan's proof asks it: many texts in one process, each on ports of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import type { Case } from '../case.ts';
import { type Chance, chanceOf } from '../chance.ts';
import type { Field, RunningEngine, Trial } from '../decisions.ts';
import { type Door, noWords, requestsNear, type Words } from '../requests.ts';
import { portOf } from '../servers.ts';
import { denseText } from './dense.ts';
import type { Machine } from './ink.ts';
import { madeText } from './texts.ts';

const requestsPerText = 32;
const requestsPerDenseText = 96;

const methods = [
  ...['GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'POST', 'POST', 'HEAD', 'HEAD'],
  ...['PUT', 'OPTIONS', 'OPTIONS', 'TRACE', 'DELETE', 'PATCH', 'PROPFIND', 'M-SEARCH', 'get', 'CONNECTED'],
];
const portsPerText = 3;

/** A text as it stands among others in one process. */
interface MadeTrial extends Trial {
  readonly http: string;
  readonly stream: string | null;
}

/** One that NGINX refuses is left out. */
export async function startNginx(seeds: readonly number[], field: Field): Promise<RunningEngine> {
  const free = await freePorts(seeds.length * portsPerText);
  const all = seeds.map((seed, index) => madeTrial(seed, index, free.slice(portsPerText * index), field));
  const running = await startedApart(field, all);
  if (running.length === 0) throw new Error('NGINX refuses every made text');
  const trials = running.flatMap((one) => one.trials);
  return {
    trials,
    refused: all.length - trials.length,
    lives: () => running.every(({ child }) => child.exitCode === null && child.signalCode === null),
    close: async () => {
      await Promise.all(running.map(({ child }) => ended(child)));
    },
  };
}

interface Started {
  readonly child: ChildProcess;
  readonly trials: readonly MadeTrial[];
}

/** All in one process; where NGINX refuses them together, half of them in each of two, and so on. */
async function startedApart(field: Field, trials: readonly MadeTrial[]): Promise<readonly Started[]> {
  const child = await started(field, trials);
  if (typeof child !== 'string') return [{ child, trials }];
  if (trials.length === 1) return [];
  const half = Math.ceil(trials.length / 2);
  const first = await startedApart(field, trials.slice(0, half));
  return [...first, ...(await startedApart(field, trials.slice(half)))];
}

function madeTrial(seed: number, id: number, ports: readonly number[], field: Field): MadeTrial {
  const chance = chanceOf(seed);
  const { folder, root, servers } = field;
  const [http = 0, https = 0, stream = 0] = ports;
  const machine: Machine = {
    origins: servers.ports,
    sockets: servers.paths,
    root,
    http,
    https,
    stream,
    pair: join(folder, 'pair.pem'),
    filesAt: join(folder, `n${id}`),
  };
  const isDense = seed % 5 === 4;
  const made = (isDense ? denseText : madeText)(chance, id, machine);
  for (const [path, lines] of Object.entries(made.files)) writeFileSync(path, lines);
  const text = made.stream === null ? made.http : `http {\n${made.http}\n}\nstream {\n${made.stream}\n}`;
  const here = { address: '127.0.0.1', unread: false };
  const doors: Door[] = [
    { scheme: 'http', port: http, share: 80, ...here },
    { scheme: 'https', port: https, share: 20, ...here },
    { scheme: 'http', port: https, share: 2, ...here },
    { scheme: 'https', port: stream, share: 25, ...here, unread: true },
  ];
  const open = doors.filter(({ port }) => new RegExp(`listen [0-9.:]*\\b${port}\\b`).test(text));
  const taste = { absolute: !text.includes('$request'), methods };
  const numbered = (all: readonly string[], before: string) =>
    all.map((at, number) => [`${before}${at}`, String(number)]);
  const one: Case = {
    engine: 'nginx',
    seed,
    text,
    files: made.files,
    environment: {},
    servers: Object.fromEntries([
      ...numbered(servers.ports.map(String), '127.0.0.1:'),
      ...numbered(servers.paths, 'unix:'),
    ]),
    root,
    steady: made.steady === true,
    asked: requestsNear(
      made.words ?? wordsOf(text, chance),
      open,
      isDense ? requestsPerDenseText : requestsPerText,
      taste,
      chance,
    ),
  };
  const entrances = new Map(open.map(({ port }) => [port, { kind: 'port', port } as const]));
  return { case: one, entrances, http: made.http, stream: made.stream };
}

/** What the text itself suggests. */
export function wordsOf(text: string, chance: Chance): Words {
  const said = text.matchAll(
    /(?:location\s+"?(?:=|\^~)?\s*"?|rewrite "[^"]*" "|error_page[^;]* |try_files [^;]*)(\/[^"?;\s$]*)/g,
  );
  const words = noWords();
  const path = [
    '/',
    '/a',
    '/api/v1',
    '/a/x.php',
    '/img/pic.jpg',
    '/ab',
    '/x',
    '/there.txt',
    '/folder/',
    '/folder',
  ];
  words.paths.push(
    ...[...said].map(([, one = '/']) => one.replaceAll(' ', '%20')),
    ...path,
    '/included',
    '/abc',
    '/aab',
  );
  const names = [...text.matchAll(/^\s*server_name ([^;]+);/gm)]
    .flatMap(([, all = '']) => all.split(' '))
    .map(concrete);
  const odd = [
    'a..b',
    '.',
    'a/b',
    '{',
    'a{b}.example',
    '[::1]x:80',
    '[',
    '[a',
    'a:b:c',
    '_',
    '127.0.0.1',
    'a.example.:80',
  ];
  words.hosts.push(
    ...names,
    ...names,
    ...names,
    'a.example',
    'b.example',
    'nobody.example',
    chance.pick(odd),
  );
  words.queries.push('q=a', 'q=one', 'a=1', 'ip=127.0.0.1', 'q=/a', 'ip=10.1.1.1');
  for (const value of ['a', 'B', 'one', '0', 'abc', '10.2.2.2']) words.headers.push(['x-kind', value]);
  words.headers.push(['cookie', 'c=a'], ['cookie', 'd=1; c=one'], ['cookie', 'C=b;c=0']);
  const forwarded = ['10.1.2.3', '10.1.2.3, 127.0.0.1', '1.2.3.4:80', 'unknown'];
  words.headers.push(['x-forwarded-for', chance.pick(forwarded)], ['x-real-ip', '10.9.9.9']);
  words.headers.push(['x-forwarded-proto', 'https'], ['user-agent', 'x'], ['upgrade', 'websocket']);
  if (text.includes('auth_basic')) {
    const odd = ['Basic', 'Bearer c29tZW9uZTp3b3Jk', 'basic  c29tZW9uZTp3b3Jk', 'Basic Og==', 'Basic ='];
    words.headers.push(['authorization', chance.percent(75) ? 'Basic c29tZW9uZTp3b3Jk' : chance.pick(odd)]);
  }
  words.sources.push('127.0.0.1', '127.0.0.1', '127.1.2.3', '127.2.0.9', '127.3.3.3');
  return words;
}

const concrete = (name: string): string => {
  if (name.includes('dyn')) return 'abc.dyn.example';
  if (name.includes('~'))
    return name.includes('sub') ? 'ab.b.example' : name.includes('API') ? 'api.x' : 'www.a.x';
  return name
    .replace(/^\*\./, 'sub.')
    .replace(/^\./, 'deep.sub.')
    .replace(/\.\*$/, '.org')
    .replace('""', 'none');
};

async function freePorts(count: number): Promise<readonly number[]> {
  const held = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const found = held.map(portOf);
  await Promise.all(held.map((server) => new Promise((done) => server.close(done))));
  return found;
}

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** A text: NGINX's own words on why it does not start. */
async function started({ folder }: Field, trials: readonly MadeTrial[]): Promise<ChildProcess | string> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const streams = trials.flatMap(({ stream }) => (stream === null ? [] : [stream]));
  const lines = [
    ...(streams.length > 0 ? [`load_module ${streamModule};`] : []),
    'daemon off;',
    'master_process off;',
    `pid ${folder}/pid;`,
    'error_log stderr crit;',
    'events { worker_connections 1024; }',
    'http {',
    'access_log off; log_not_found off; server_names_hash_bucket_size 128; variables_hash_max_size 8192;',
    'proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k; large_client_header_buffers 4 32k;',
    ...temporary,
    ...trials.map(({ http }) => http),
    '}',
    ...(streams.length > 0 ? ['stream {', ...streams, '}'] : []),
  ];
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn('nginx', ['-p', folder, '-c', file, '-g', 'error_log stderr crit;'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-4000);
  });
  const [first = 0] = trials[0]?.entrances.keys() ?? [];
  for (let tries = 0; tries < 3000; tries++) {
    if (child.exitCode !== null || child.signalCode !== null) return said;
    if (await opens(first)) return child;
    await new Promise((done) => setTimeout(done, 10));
  }
  await ended(child);
  return `it did not listen: ${said}`;
}

function opens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = new Socket();
    const end = (is: boolean) => {
      socket.destroy();
      done(is);
    };
    socket
      .on('connect', () => end(true))
      .on('error', () => end(false))
      .connect(port, '127.0.0.1');
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
