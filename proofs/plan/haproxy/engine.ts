/** HAProxy as the plan's proof asks it: many texts in one process, each with entrances of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Case } from '../case.ts';
import { chanceOf } from '../chance.ts';
import type { Field, RunningEngine, Trial } from '../decisions.ts';
import { type Door, requestsNear } from '../requests.ts';
import type { Entrance } from '../wire.ts';
import { denseText } from './dense.ts';
import { askedOf, environment, madeText, realOf } from './texts.ts';

const startMsMax = 60_000;
const requestsPerText = 64;

const common = `global
  expose-experimental-directives
  log /dev/null local0
  tune.bufsize 32768
defaults
  timeout connect 20s
  timeout client 60s
  timeout server 60s
  timeout tarpit 1ms
`;

const doors: readonly Door[] = [
  { scheme: 'http', port: 80, share: 60, address: '127.0.0.1', unread: false },
  { scheme: 'https', port: 443, share: 25, address: '127.0.0.1', unread: false },
  { scheme: 'http', port: 8080, share: 10, address: '127.0.0.1', unread: false },
  { scheme: 'https', port: 8443, share: 8, address: '127.0.0.1', unread: true },
  { scheme: 'https', port: 8444, share: 8, address: '127.0.0.1', unread: true },
  { scheme: 'http', port: 8081, share: 8, address: '127.0.0.1', unread: true },
];

const withTls = new Set([443, 8444]);
/** Of what passes unread, the first request of a connection decides. */
const alone = new Set([8443, 8444, 8081]);

const methods = [
  ...['GET', 'GET', 'GET', 'GET', 'GET', 'GET'],
  ...['POST', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PURGE'],
];

/** Texts with names of their own, in one process that listens on Unix sockets below the folder. */
export async function startHaproxy(seeds: readonly number[], field: Field): Promise<RunningEngine> {
  const made = seeds.map((seed, index) => madeTrial(seed, `t${index}`, field));
  const file = join(field.folder, 'haproxy.cfg');
  const env = { ...process.env, ...environment };
  const taken = accepted(made, file, env);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore', env });
  const trials = taken.map(({ trial }) => trial);
  const last = [...(trials.at(-1)?.entrances.values() ?? [])].at(-1);
  try {
    await listening(last?.kind === 'socket' ? last.path : '', child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const lives = () => child.exitCode === null && child.signalCode === null;
  return { trials, refused: made.length - taken.length, lives, close: () => ended(child) };
}

interface MadeTrial {
  readonly real: string;
  readonly trial: Trial;
}

/** Those that HAProxy takes, written to the file. */
function accepted(made: readonly MadeTrial[], file: string, env: NodeJS.ProcessEnv): readonly MadeTrial[] {
  const text = common + made.map(({ real }) => real).join('\n');
  writeFileSync(file, text);
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8', env });
  if (status === 0) return made;
  const bad = new Set(badLines(stderr));
  let line = common.split('\n').length;
  const kept = made.filter(({ real }) => {
    const [from, to] = [line, line + real.split('\n').length];
    line = to;
    return ![...bad].some((one) => one >= from && one < to);
  });
  if (kept.length === made.length || kept.length < made.length / 2)
    throw new Error(`HAProxy refuses a made text:\n${alerts(stderr, text)}`);
  return accepted(kept, file, env);
}

const badLines = (said: string): readonly number[] =>
  [...said.matchAll(/^\[ALERT\].*?haproxy\.cfg:(\d+)\]/gm)].map(([, line]) => Number(line));

function madeTrial(seed: number, name: string, field: Field): MadeTrial {
  const chance = chanceOf(seed);
  const make = seed % 5 === 4 ? denseText : madeText;
  const made = make(chance, name, join(field.folder, name));
  for (const [path, lines] of Object.entries(made.files)) writeFileSync(path, lines);
  const open = doors.filter(({ port }) => made.lines.some((line) => line.trim() === `BIND ${port}`));
  const entrances = new Map<number, Entrance>(
    open.map(({ port }) => [
      port,
      { kind: 'socket', path: join(field.folder, `${name}.${port}`), alone: alone.has(port) },
    ]),
  );
  const certificate = join(field.folder, 'pair.pem');
  const real = made.lines.map((line) =>
    realOf(line)
      .replace(
        /\bBIND (\d+)$/,
        (_, port: string) =>
          `bind unix@${join(field.folder, `${name}.${port}`)} accept-proxy${withTls.has(Number(port)) ? ` ssl crt ${certificate}` : ''}`,
      )
      .replace(
        /\b(SERVER|SPARE) (\d+)\b/,
        (_, name: string, number: string) =>
          `server ${name.toLowerCase()} unix@${field.servers.paths[Number(number)]}`,
      ),
  );
  const asAsked = made.lines.map((line) =>
    askedOf(line)
      .replace(
        /\bBIND (\d+)$/,
        (_, port: string) => `bind :${port}${withTls.has(Number(port)) ? ' ssl crt pair.pem' : ''}`,
      )
      .replace(
        /\b(SERVER|SPARE) (\d+)\b/,
        (_, name: string, number: string) => `server ${name.toLowerCase()} 10.0.0.${number}:80`,
      ),
  );
  const text = common + asAsked.join('\n');
  const servers = Object.fromEntries(
    field.servers.paths.map((_, number) => [`10.0.0.${number}:80`, String(number)]),
  );
  const taste = { absolute: !/ur[il]|URL|capture|reqi?(?:rep|deny)|start_line|%H|%r/.test(text), methods };
  const asked = requestsNear(made.words, open, requestsPerText, taste, chance);
  const one: Case = {
    engine: 'haproxy',
    seed,
    text,
    files: made.files,
    environment,
    servers,
    root: null,
    asked,
    steady: made.steady === true,
  };
  return { real: real.join('\n'), trial: { case: one, entrances } };
}

/** Each with the line that it is about. */
function alerts(said: string, text: string): string {
  const lines = text.split('\n');
  return said
    .split('\n')
    .filter((line) => line.includes('[ALERT]'))
    .map((line) => `${line}\n    ${lines[Number(/:(\d+)\]/.exec(line)?.[1]) - 1] ?? ''}`)
    .join('\n');
}

async function listening(path: string, child: ChildProcess): Promise<void> {
  for (const end = Date.now() + startMsMax; Date.now() < end; ) {
    if (child.exitCode !== null) throw new Error(`HAProxy ended with ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((done) => {
      const socket = connect(path, () => {
        socket.destroy();
        done(true);
      }).on('error', () => done(false));
    });
    if (isOpen) return;
    await sleep(20);
  }
  throw new Error('HAProxy did not listen in time');
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((done) => child.once('close', done));
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await gone;
  }
}
