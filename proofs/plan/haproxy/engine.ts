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
];

const methods = [
  ...['GET', 'GET', 'GET', 'GET', 'GET', 'GET'],
  ...['POST', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PURGE'],
];

/** Texts with names of their own, in one process that listens on Unix sockets below the folder. */
export async function startHaproxy(seeds: readonly number[], field: Field): Promise<RunningEngine> {
  const made = seeds.map((seed, index) => madeTrial(seed, `t${index}`, field));
  const file = join(field.folder, 'haproxy.cfg');
  writeFileSync(file, common + made.map(({ real }) => real).join('\n'));
  const env = { ...process.env, ...environment };
  const checked = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8', env });
  if (checked.status !== 0) throw new Error(`HAProxy refuses a made text:\n${alerts(checked.stderr)}`);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore', env });
  const trials = made.map(({ trial }) => trial);
  const last = [...(trials.at(-1)?.entrances.values() ?? [])].at(-1);
  try {
    await listening(last?.kind === 'socket' ? last.path : '', child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const lives = () => child.exitCode === null && child.signalCode === null;
  return { trials, refused: 0, lives, close: () => ended(child) };
}

function madeTrial(
  seed: number,
  name: string,
  field: Field,
): { readonly real: string; readonly trial: Trial } {
  const chance = chanceOf(seed);
  const made = madeText(chance, name, join(field.folder, name));
  for (const [path, lines] of Object.entries(made.files)) writeFileSync(path, lines);
  const open = doors.filter(({ port }) => made.lines.some((line) => line.trim() === `BIND ${port}`));
  const entrances = new Map<number, Entrance>(
    open.map(({ port }) => [port, { kind: 'socket', path: join(field.folder, `${name}.${port}`) }]),
  );
  const certificate = join(field.folder, 'pair.pem');
  const real = made.lines.map((line) =>
    realOf(line)
      .replace(
        /\bBIND (\d+)$/,
        (_, port: string) =>
          `bind unix@${join(field.folder, `${name}.${port}`)} accept-proxy${port === '443' ? ` ssl crt ${certificate}` : ''}`,
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
        (_, port: string) => `bind :${port}${port === '443' ? ' ssl crt pair.pem' : ''}`,
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
  const taste = { absolute: !/ur[il]|capture|reqi?rep/.test(text), methods };
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
  };
  return { real: real.join('\n'), trial: { case: one, entrances } };
}

const alerts = (said: string) =>
  said
    .split('\n')
    .filter((line) => line.includes('[ALERT]'))
    .join('\n');

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
