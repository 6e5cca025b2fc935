/** A newcomer's terminal: the commands of a page, run in a copy of the examples on ports of its own, what they print told as if they were the page's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { freePort } from '../world/stack.ts';
import { makeFolders } from '../world/up.ts';
import { difference, type Step } from './transcript.ts';

const root = resolve(import.meta.dirname, '../..');
/** As the pages have them. The servers' ports are four in a row. */
const apiPort = 4790;
const listenerPort = 8080;
const serverPorts = [9101, 9102, 9103, 9104] as const;
const closedPorts = [9201, 9202] as const;
/** These go on until `^C`. */
const services = ['npm start', 'npm run visitors'];
/** A newcomer has not done this; whoever runs tests has. */
const done = ['npm ci'];
const serviceMsMax = 60_000;
const commandMsMax = 120_000;
const endMsMax = 30_000;

export interface Terminal {
  /** Runs a step; resolves with what it printed, as the page would have it. */
  run(step: Step): Promise<readonly string[]>;
  /** Ends whatever is left and removes the folders. */
  close(): Promise<void>;
}

interface Service {
  readonly child: ChildProcess;
  output: string;
  /** How much of it was told. */
  told: number;
}

export async function openTerminal(): Promise<Terminal> {
  const folders = makeFolders();
  const ports = await choosePorts();
  copyExamples(folders.folder, ports);
  const there = (text: string) => replaced(text, ports);
  const back = (text: string) =>
    replaced(asRoot(text), new Map([...ports].map(([page, own]) => [own, page])));
  const running: Service[] = [];

  function start(command: string): Service {
    // One pipe for both, so that lines come in the order in which they were written.
    const child = spawn('sh', ['-c', `exec ${inShell(command, ports)} 2>&1`], {
      cwd: folders.folder,
      env: {
        ...process.env,
        ...folders.env,
        NO_COLOR: '1',
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const service: Service = { child, output: '', told: 0 };
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      service.output += chunk;
    });
    return service;
  }

  function rest(service: Service): readonly string[] {
    const fresh = service.output.slice(service.told);
    service.told = service.output.length;
    return back(fresh).split('\n');
  }

  return {
    async run({ kind, command, expected }) {
      if (kind === 'interrupt') {
        const last = running.pop();
        if (!last) throw new Error('nothing runs that could be interrupted');
        last.child.kill('SIGINT');
        await ended(last.child, endMsMax);
        return rest(last);
      }
      if (done.includes(command)) return expected;
      const service = start(there(command));
      if (!services.includes(command)) {
        await ended(service.child, commandMsMax);
        return rest(service);
      }
      running.push(service);
      // It has said what it says when that is what the page shows; if it never is, the comparison tells.
      const deadline = performance.now() + serviceMsMax;
      while (difference(expected, back(service.output).split('\n')) !== null) {
        if (performance.now() > deadline || service.child.exitCode !== null) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return rest(service);
    },
    async close() {
      for (const { child } of running.toReversed()) {
        child.kill('SIGINT');
        await ended(child, endMsMax);
      }
      folders.remove();
    },
  };
}

async function ended(child: ChildProcess, withinMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  await once(child, 'close');
  clearTimeout(timer);
}

/** By the port that the page has: the one that is used here. */
type Ports = ReadonlyMap<number, number>;

async function choosePorts(): Promise<Ports> {
  const servers = await fourInARow();
  const others = [apiPort, listenerPort, ...closedPorts];
  const own = await Promise.all(others.map(async (page) => [page, await freePort()] as const));
  return new Map([...own, ...serverPorts.map((page, i) => [page, servers + i] as const)]);
}

async function fourInARow(): Promise<number> {
  for (;;) {
    const first = await freePort();
    const probes = await Promise.all([1, 2, 3].map((i) => isFree(first + i)));
    if (first < 65_000 && probes.every(Boolean)) return first;
  }
}

async function isFree(port: number): Promise<boolean> {
  const { createServer } = await import('node:net');
  const server = createServer();
  return await new Promise((resolve) => {
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

function replaced(text: string, ports: Ports): string {
  return text.replace(/\d{4,5}/g, (digits) => String(ports.get(Number(digits)) ?? digits));
}

/** The page was written as root; here it may be run by somebody else. */
function asRoot(text: string): string {
  const { username } = userInfo();
  return text.replaceAll(` by ${username}`, ' by root').replaceAll(` ${username} proposed`, ' root proposed');
}

function copyExamples(folder: string, ports: Ports): void {
  const shop = join(folder, 'examples/shop');
  cpSync(join(root, 'examples/shop'), shop, { recursive: true });
  for (const name of readdirSync(shop)) {
    const path = join(shop, name);
    writeFileSync(path, replaced(readFileSync(path, 'utf8'), ports));
  }
  symlinkSync(join(root, 'bin'), join(folder, 'bin'));
}

/** What npm and npx would run: the scripts of package.json, and the program. */
function inShell(command: string, ports: Ports): string {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, script] = /^npm (?:run )?([\w:]+)$/.exec(command) ?? [];
  if (script !== undefined) {
    const text = scripts[script];
    if (text === undefined) throw new Error(`package.json has no script ${script}`);
    return script === 'start' ? `${text} --port ${ports.get(apiPort)}` : text;
  }
  if (command.startsWith('npx holdfast ')) return command.replace('npx holdfast', 'node bin/holdfast.js');
  if (command.startsWith('curl '))
    return command.replace(
      'curl ',
      `node -e "fetch(process.argv[1]).then(async (a) => process.stdout.write(await a.text()))" `,
    );
  throw new Error(`a newcomer is not expected to type: ${command}`);
}
