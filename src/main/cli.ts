import { readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { baseFolders, messageOf, sitePaths } from '#base';
import { type CliParts, exit, type Io, runCli } from '#cli';
import type { Site } from '#model';
import { runners } from './runners.ts';

const io: Io = {
  env: process.env,
  user: process.env.SUDO_USER ?? userInfo().username,
  tty: process.stdout.isTTY === true,
  columns: process.stdout.columns ?? 80,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  onInterrupt(act) {
    const stop = () => {
      act();
      process.exit(130);
    };
    process.once('SIGINT', stop);
    return () => process.off('SIGINT', stop);
  },
};

/** Loaded when there is an own text to ask about: `holdfast check site.yaml` needs no engine. */
const askEngine = async (site: Site) => (await import('#agent')).checkOwnText(site);

/** Loaded when there is a file that may be one. */
const readOnCall: CliParts['readOnCall'] = async (text, file) => {
  if (!/^["']?notifiers["']?:/m.test(text)) return null;
  const { isOnCallFile, readOnCall: read } = await import('#alerting');
  if (!isOnCallFile(text)) return null;
  const { onCall, diagnostics } = read(text, file, Date.now());
  const { people, schedules, policies, notifiers } = onCall ?? noOnCall;
  const holds = `${counted(people.length, 'person', 'people')}, ${counted(schedules.length, 'schedule')}, ${counted(policies.length, 'policy', 'policies')}, ${counted(notifiers.length, 'notifier')}`;
  return { diagnostics, holds };
};

const noOnCall = { people: [], schedules: [], policies: [], notifiers: [] };

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Loaded when somebody asks for it. */
const prove: CliParts['prove'] = async (plan, before, after, options) =>
  (await import('#prove')).provePlan(plan, before, after, options);

/** The journal of a site that nobody runs now. */
async function verifyOffline(site: string | undefined) {
  const name = site ?? onlySite(baseFolders().state);
  if (name === null) return null;
  const { verifyJournal } = await import('#store');
  return verifyJournal(join(sitePaths(name).state, 'journal'));
}

function onlySite(folder: string): string | null {
  try {
    const [only, second] = readdirSync(folder);
    return only !== undefined && second === undefined ? only : null;
  } catch {
    return null;
  }
}

function ownMistake(error: unknown): void {
  const stack = error instanceof Error ? error.stack : messageOf(error);
  process.stderr.write(`HF900 A mistake of Holdfast itself: ${stack}\n`);
  process.exit(exit.ownMistake);
}

process.on('uncaughtException', ownMistake);
process.on('unhandledRejection', ownMistake);
// A reader that has seen enough (`| head`) is no mistake.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exit.ok);
  ownMistake(error);
});

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const code = await runCli(process.argv.slice(2), {
  io,
  version,
  verifyOffline,
  askEngine,
  readOnCall,
  prove,
  extend: (program, done) => runners(program, done, () => onlySite(baseFolders().state)),
});
if (code !== exit.ok) process.exitCode = code;
