import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { baseFolders, messageOf, sitePaths } from '#base';
import { type CliParts, exit, type Io, readLocally, runCli } from '#cli';
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
const readSettings: CliParts['readSettings'] = async (text, file) => {
  if (/^["']?notifiers["']?:/m.test(text)) return await readPeople(text, file);
  if (!/^["']?(?:objectives|probes|prometheus|openTelemetry|falseAlarmsPerMonth)["']?:/m.test(text))
    return null;
  const { isMonitorFile, readMonitoring } = await import('#monitor');
  if (!isMonitorFile(text)) return null;
  const beside = join(dirname(file), 'site.yaml');
  // Names are held against the site beside it, where there is one without a mistake.
  const site = existsSync(beside) ? await readLocally(beside).catch(() => null) : null;
  const { monitoring, diagnostics } = readMonitoring(text, file, site?.site ?? null);
  const { objectives, probes, prometheus } = monitoring ?? { objectives: [], probes: [], prometheus: [] };
  const series = prometheus.reduce((sum, one) => sum + one.series.length, 0);
  const holds = `${counted(objectives.length, 'objective')}, ${counted(probes.length, 'probe')}, ${counted(series, 'series', 'series')} of Prometheus${site?.site ? `, names held against ${beside}` : ''}`;
  return { kind: 'monitoring', diagnostics, holds };
};

const readPeople: NonNullable<CliParts['readSettings']> = async (text, file) => {
  const { isOnCallFile, readOnCall: read } = await import('#alerting');
  if (!isOnCallFile(text)) return null;
  const { onCall, diagnostics } = read(text, file, Date.now());
  const { people, schedules, policies, notifiers } = onCall ?? noOnCall;
  const holds = `${counted(people.length, 'person', 'people')}, ${counted(schedules.length, 'schedule')}, ${counted(policies.length, 'policy', 'policies')}, ${counted(notifiers.length, 'notifier')}`;
  return { kind: 'onCall', diagnostics, holds };
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
  readSettings,
  prove,
  extend: (program, done) => runners(program, done, () => onlySite(baseFolders().state)),
});
if (code !== exit.ok) process.exitCode = code;
