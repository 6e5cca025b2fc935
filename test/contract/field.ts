import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { formatDiagnostic } from '#base';
import { type Placement, unsupportedBy } from '#dialects';
import type { Engine, EngineBinary, EngineControl } from '#engines';
import { parseSite, type Site } from '#model';
import { openListening } from '../../src/agent/holder/sockets.ts';
import { authority, type Pair, selfSigned } from '../world/certificate.ts';
import type { ContractCase, Sees, Shown, Words } from './case.ts';
import { talk } from './client.ts';
import { differenceOf } from './differences.ts';
import { talkHttp2 } from './http2.ts';
import type { Outcome } from './judge.ts';
import { type Origin, startOrigin } from './origin.ts';

/** A site may have a hundred listeners, and each case has one of its own: nothing of another case can reach its server. */
const casesEachMax = 90;
const readyMsMax = 60_000;
const atOnce = 12;
const patienceMs = 4_000;
/** An address of this process alone: a port of 127.0.0.1 may have been another test's, whose engine still asks for it. */
export const ownHost = `127.${64 + (process.pid % 128)}.${(process.pid >> 7) % 256}.1`;

export interface EngineUnderTest {
  readonly engine: Engine;
  readonly binary: EngineBinary;
}

export interface Tried {
  readonly test: ContractCase;
  readonly outcome: Outcome;
}

/** Tries every case that one engine can do: real processes behind one site file, as many of them as the cases need. */
export function tryAll(under: EngineUnderTest, all: readonly ContractCase[]): Promise<readonly Tried[]> {
  const cases = all.filter((test) => cannotDo(test, under.engine) === null);
  const seesOf = (test: ContractCase) =>
    differenceOf(test.id, under.engine.name, under.binary.version)?.instead.sees ?? test.sees;
  return eachIn(under, cases, async (field, test) => ({
    test,
    outcome: await field.run(test, seesOf(test)),
  }));
}

/** Does the same with each case, some at a time. Throws when the engine ends meanwhile. */
export async function eachIn<Result>(
  under: EngineUnderTest,
  cases: readonly ContractCase[],
  work: (field: Field, test: ContractCase) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < cases.length; at += casesEachMax) {
    const todo = cases.slice(at, at + casesEachMax);
    const field = await startField(under, todo);
    try {
      const worker = async () => {
        for (let test = todo.shift(); test; test = todo.shift()) results.push(await work(field, test));
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      if (!field.alive()) throw new Error(`the engine ended while cases were tried:\n${field.said()}`);
    } finally {
      await field.close();
    }
  }
  return results;
}

export interface Field {
  readonly siteText: string;
  readonly control: EngineControl;
  /** `sees`: for what the client waits. */
  run(test: ContractCase, sees: Sees): Promise<Outcome>;
  portOf(test: ContractCase): number;
  originOf(test: ContractCase): Origin;
  alive(): boolean;
  said(): string;
  close(): Promise<void>;
}

interface Place {
  readonly test: ContractCase;
  readonly origin: Origin;
  readonly port: number;
  readonly fd: number;
}

/** Why this engine cannot do what the case asks of a site; null when it can. */
export function cannotDo(test: ContractCase, engine: Engine): string | null {
  if (!test.site && !test.other && !test.shows) return null;
  const text = stringify(siteWords([{ test, port: 1, originPort: 2, otherPort: 3 }], engine.name));
  const lacking = unsupportedBy(siteOf(text, '/nowhere'), engine.name);
  return lacking.length === 0 ? null : lacking.map(({ message }) => message).join('; ');
}

export async function startField(under: EngineUnderTest, cases: readonly ContractCase[]): Promise<Field> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-contract-'));
  chmodSync(folder, 0o755);
  const closers: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const end of closers.reverse()) await end();
  };
  try {
    const places = new Map<string, Place>();
    for (const test of cases) {
      const place = await placeFor(test);
      closers.push(() => closeSync(place.fd), place.origin.close);
      places.set(test.id, place);
    }
    const { files, shown } = certificates();
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const ports = [...places.values()].map(({ test, port, origin }) => ({
      ...{ test, port, originPort: origin.port, otherPort: origin.otherPort },
    }));
    const siteText = stringify(siteWords(ports, under.engine.name));
    const started = await startEngine(under, siteOf(siteText, folder), [...places.values()], folder);
    closers.push(started.kill);
    const place = (test: ContractCase): Place => {
      const found = places.get(test.id);
      if (!found) throw new Error(`no such case: ${test.id}`);
      return found;
    };
    return {
      siteText,
      control: started.control,
      alive: () => started.child.exitCode === null && started.child.signalCode === null,
      said: started.said,
      portOf: (test) => place(test).port,
      originOf: (test) => place(test).origin,
      async run(test, sees) {
        const { port, origin } = place(test);
        const expecting = {
          answers: sees.unreadable ? 1 : sees.status.filter((status) => status !== 'refused?').length,
          patienceMs: test.patienceMs ?? patienceMs,
          end: sees.closed === true,
          tunnelBytes: sees.tunnel?.length ?? 0,
        };
        const saw =
          'http2' in test.client
            ? await talkHttp2({ host: ownHost, port }, test.client.http2, expecting)
            : await talk(
                {
                  host: test.listenHost ?? ownHost,
                  port,
                  tls: tlsSaid(test, shown),
                },
                test.client,
                expecting,
              );
        await settled(origin, test);
        return { saw, origin };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What the server is still to see may come a moment after the client has seen all. */
async function settled(origin: Origin, { seen }: ContractCase): Promise<void> {
  const deadline = performance.now() + 1_000;
  if (seen === null || seen === 'unreadable') return;
  const isThere = () =>
    origin.requests.length >= seen.length &&
    seen.every(({ cut }, i) => cut || origin.requests[i]?.complete === true);
  while (!isThere() && performance.now() < deadline) await sleep(5);
}

async function placeFor(test: ContractCase): Promise<Place> {
  const origin = await startOrigin({
    host: test.serverHost ?? ownHost,
    answers: test.origin ?? [],
    otherAnswers: test.otherOrigin,
    listens: test.noServer !== true,
    greeting: test.greeting,
    tls: test.asks === undefined ? null : certificates().server,
  });
  const host = test.listenHost ?? ownHost;
  const port = await freePort(host);
  return { test, origin, port, fd: openListening(host, port) };
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address ? address.port : 0;
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

interface Ports {
  readonly test: ContractCase;
  readonly port: number;
  readonly originPort: number;
  readonly otherPort: number;
}

/** One site file for all engines: a listener, a route and a pool for each case. */
function siteWords(places: readonly Ports[], engine: string): Words {
  return {
    site: 'contract',
    listeners: places.map(({ test, port }) => ({
      name: test.id,
      address: hostPort(test.listenHost ?? ownHost, port),
      ...tlsOf(test),
      ...test.site?.listener,
    })),
    routes: places.flatMap(({ test }) => routesOf(test)),
    pools: places.flatMap(({ test, originPort, otherPort }) => [
      poolOf(test.id, test, originPort),
      ...(test.other ? [poolOf(otherOf(test), test, otherPort)] : []),
    ]),
    balancers: [{ name: 'lb-1', engine, address: '127.0.0.1' }],
  };
}

function otherOf({ id }: ContractCase): string {
  return `${id}-other`;
}

function tlsOf({ client, shows }: ContractCase): Words {
  if (!('http2' in client) && shows === undefined) return {};
  const certificates = [{ certificate: 'site.pem', key: 'site.key' }];
  const asked = { clientCertificates: { ca: 'staff.pem', crl: 'staff.crl' } };
  return { tls: { certificates, ...(shows === undefined ? {} : asked) } };
}

function routesOf(test: ContractCase): Words[] {
  const { id, other, site } = test;
  const answersItself = site?.route !== undefined && ('redirect' in site.route || 'answer' in site.route);
  const pool = answersItself ? {} : { pool: id };
  const name = otherOf(test);
  if (other === 'copies') return [{ name: id, listeners: [id], ...pool, mirror: { pool: name } }];
  return [
    { name: id, listeners: [id], ...pool, ...site?.route },
    ...(other ? [{ name, listeners: [id], ...matchOf(other), pool: name }] : []),
  ];
}

function matchOf(other: Exclude<ContractCase['other'], 'copies' | undefined>): Words {
  return 'hostnames' in other ? { hostnames: other.hostnames } : { matches: [{ path: other }] };
}

/** What the client says of itself in TLS; null: it speaks plain text. */
function tlsSaid({ shows, asks }: ContractCase, shown: Certificates['shown']) {
  if (asks !== undefined) return { servername: asks ?? '' };
  return shows === undefined ? null : { ...shown[shows], servername: 'a.example' };
}

function poolOf(name: string, test: ContractCase, port: number): Words {
  return {
    name,
    servers: [{ name: 'server', address: hostPort(test.serverHost ?? ownHost, port) }],
    healthCheck: { interval: '1h', timeout: '5s', fall: 100 },
    timeouts: { connect: '1s', server: test.serverTimeout ?? '5s', queue: '1s' },
    ...test.site?.pool,
  };
}

interface Certificates {
  readonly files: Readonly<Record<string, string>>;
  /** What clients show. */
  readonly shown: Readonly<Record<Shown, Partial<Pair>>>;
  /** Of servers that speak TLS themselves. */
  readonly server: Pair;
}

let made: Certificates | null = null;

/** Made once for all fields. */
function certificates(): Certificates {
  if (made) return made;
  const site = selfSigned('a.example');
  const [staff, others] = [authority('staff'), authority('others')];
  const revoked = staff.sign('/CN=bert');
  made = {
    files: {
      'site.pem': site.cert,
      'site.key': site.key,
      'staff.pem': staff.cert,
      'staff.crl': staff.revoke([revoked]),
    },
    shown: { staff: staff.sign('/CN=anna'), revoked, stranger: others.sign('/CN=stranger'), nothing: {} },
    server: site,
  };
  return made;
}

function siteOf(text: string, folder: string): Site {
  const { site, diagnostics } = parseSite(text, 'site.yaml', folder);
  if (!site) throw new Error(diagnostics.map(formatDiagnostic).join('\n'));
  return site;
}

interface Started {
  readonly child: ChildProcess;
  readonly control: EngineControl;
  said(): string;
  kill(): Promise<void>;
}

const firstFd = 3;

async function startEngine(
  { engine, binary }: EngineUnderTest,
  site: Site,
  places: readonly Place[],
  folder: string,
): Promise<Started> {
  const run = join(folder, 'run');
  mkdirSync(run);
  const bundle = join(run, 'site.bundle.pem');
  writeFileSync(
    bundle,
    readFileSync(join(folder, 'site.pem'), 'utf8') + readFileSync(join(folder, 'site.key'), 'utf8'),
  );
  const placement: Placement = {
    generation: 1,
    threads: 1,
    listeners: Object.fromEntries(
      site.listeners.map(({ name }, index) => [name, { kind: 'fd', fd: firstFd + index }]),
    ),
    control: join(run, 'control.sock'),
    entrance: join(run, 'entrance.sock'),
    neighbour: null,
    certificates: Object.fromEntries(
      site.listeners.filter(({ tls }) => tls).map(({ name }) => [name, [bundle]]),
    ),
    ticketKeys: null,
    servers: null,
  };
  const textFile = join(run, engine.dialect.fileName);
  writeFileSync(textFile, engine.dialect.lower(site, placement));
  for (const [name, content] of Object.entries(engine.dialect.files?.(site) ?? {}))
    writeFileSync(join(run, name), content);
  const command = engine.command(binary, { textFile, parked: false });
  const output = openSync(join(run, 'engine.log'), 'a');
  const child = spawn(command.file, [...command.args], {
    cwd: run,
    // A group of its own: an engine of several processes ends with all of them.
    detached: true,
    env: { ...process.env, ...command.env },
    stdio: ['ignore', output, output, ...places.map(({ fd }) => fd)],
  });
  closeSync(output);
  const ended = once(child, 'exit');
  const control = engine.control({ pid: child.pid ?? 0, control: placement.control });
  const said = () => readFileSync(join(run, 'engine.log'), 'utf8').split('\n').slice(-12).join('\n');
  const kill = async () => {
    control.close();
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
    await ended;
  };
  const deadline = performance.now() + readyMsMax;
  while (!(await answers(control))) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
      const words = said();
      await kill();
      throw new Error(`${engine.name} did not start:\n${words}`);
    }
    await sleep(10);
  }
  return { child, control, said, kill };
}

function answers(control: EngineControl): Promise<boolean> {
  return control.state(500).then(
    () => true,
    () => false,
  );
}
