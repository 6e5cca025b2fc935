/** HAProxy as the plan's proof asks it: many texts in one process, each with entrances of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { liftHaproxy } from '#dialects';
import type { meaning } from '#routing';
import { selfSigned } from '../../test/world/certificate.ts';
import type { Random } from '../../test/world/random.ts';
import { haproxyText, mapFiles } from './haproxy-text.ts';
import type { Words } from './requests.ts';

/** One text in a running engine: what it means, and where it is asked. */
export interface Trial {
  readonly name: string;
  readonly text: string;
  readonly meaning: meaning.Meaning;
  readonly words: Words;
  readonly entrances: Readonly<Record<'http' | 'https', string>>;
  /** The number of the server that a pool has; null: it has none. */
  serverOf(pool: string): string | null;
}

export interface RunningEngine {
  readonly trials: readonly Trial[];
  close(): Promise<void>;
}

const startMsMax = 60_000;

const common = `global
  log /dev/null local0
defaults
  timeout connect 20s
  timeout client 60s
  timeout server 60s
  timeout tarpit 1ms
`;

/** Texts with names of their own, in one process that listens on Unix sockets below the folder. */
export async function startHaproxy(
  random: Random,
  count: number,
  folder: string,
  servers: readonly string[],
): Promise<RunningEngine> {
  const pair = selfSigned('localhost');
  writeFileSync(join(folder, 'pair.pem'), pair.cert + pair.key);
  const made = Array.from({ length: count }, (_, index) => makeTrial(random, `t${index}`, folder, servers));
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, common + made.map(({ real }) => real).join('\n'));
  const checked = spawnSync('haproxy', ['-c', '-q', '-f', file], { encoding: 'utf8' });
  if (checked.status !== 0) throw new Error(`HAProxy refuses a made text:\n${checked.stderr}`);
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  const trials = made.map(({ trial }) => trial);
  try {
    await listening(trials.at(-1)?.entrances.https ?? '', child);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return { trials, close: () => ended(child) };
}

function makeTrial(random: Random, name: string, folder: string, servers: readonly string[]) {
  const { text, words } = haproxyText(random, name);
  const files = Object.fromEntries(
    Object.entries(mapFiles(name)).map(([file, lines]) => [join(folder, `${name}${file}`), lines]),
  );
  for (const [file, lines] of Object.entries(files)) writeFileSync(file, lines);
  const placed = text.replaceAll('FOLDER', folder);
  const entrances = { http: join(folder, `${name}.http`), https: join(folder, `${name}.https`) };
  const secure = `ssl crt ${join(folder, 'pair.pem')}`;
  const real = placed
    .replace(
      'BIND',
      `  bind unix@${entrances.http} accept-proxy\n  bind unix@${entrances.https} accept-proxy ${secure}`,
    )
    .replaceAll(/SERVER (\d)/g, (_, number) => `  server s unix@${servers[Number(number)]}`);
  const asked = `${common}${placed
    .replace('BIND', '  bind :80\n  bind :443 ssl crt pair.pem')
    .replaceAll(/SERVER (\d)/g, '  server s 10.0.0.$1:80')}`;
  const meaning = liftHaproxy({
    file: 'haproxy.cfg',
    text: asked,
    read: (path) => files[path] ?? null,
    environment: () => null,
  });
  const serverOf = (pool: string) => /p(\d)$/.exec(pool)?.[1] ?? null;
  return { real, trial: { name, text: asked, meaning, words, entrances, serverOf } satisfies Trial };
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
