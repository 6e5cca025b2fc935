import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, type Log, messageOf } from '#base';
import { type FoundingReport, foundingReport } from './replay/founding.ts';
import { runHoldfast } from './replay/holdfast.ts';
import { interruption } from './replay/interruption.ts';
import { renderReplay } from './replay/report.ts';
import type { ReplayRun } from './replay/run.ts';
import { type Binaries, findBinaries } from './replay/usual/stack.ts';
import { type Speed, speeds } from './replay/usual/texts.ts';
import { runUsual } from './replay/usual.ts';

/** As they are typed. */
export interface ReplayOptions {
  readonly json?: boolean;
  readonly quick?: boolean;
  readonly speed?: string;
  readonly rate?: string;
}

/** What `replay --json` prints. */
export interface Replay {
  readonly runs: readonly ReplayRun[];
  readonly report: FoundingReport;
  /** How fast Prometheus and Alertmanager were set. */
  readonly speed: Speed;
  /** Requests a second. */
  readonly rate: number;
  /** What `holdfast postmortem` printed of the forced change; null where there was no incident. */
  readonly postmortem: string | null;
}

/** Exit status of a program that Ctrl-C has ended. */
const interrupted = 130;
const rateMin = 20;
const rateMax = 5_000;
const pageAwaitedSeconds = { default: 240, tuned: 30 } as const;
const reason = "replay: what happens when the founding report's change is forced";

/** `holdfast replay`. Writes to standard output what was asked for and nothing else; how it goes on, to standard error. */
export async function runReplay(options: ReplayOptions): Promise<void> {
  const settled = settle(options);
  const { signal, off } = interruption(undefined);
  try {
    const replay = await playAll({ ...settled, log: progressLog, signal });
    const columns = process.stdout.columns ?? 100;
    process.stdout.write(
      options.json ? `${JSON.stringify(replay, null, 2)}\n` : renderReplay(replay, columns),
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    process.stderr.write('interrupted; nothing is left running\n');
    process.exitCode = interrupted;
  } finally {
    off();
  }
}

export interface ReplayPlan {
  readonly speed: Speed;
  readonly rate: number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** What is installed; a caller that leaves a part out passes null for it. */
  readonly binaries?: Binaries;
}

/** The four runs, one after the other, each in a folder of its own that is gone afterwards. */
export async function playAll(plan: ReplayPlan): Promise<Replay> {
  const { speed, rate, log, signal, binaries = findBinaries() } = plan;
  const root = await mkdtemp(join(tmpdir(), 'hf-replay-'));
  try {
    await chmod(root, 0o755);
    const folder = async (name: string) => {
      const path = join(root, name);
      await mkdir(path, { mode: 0o755 });
      return path;
    };
    const seconds = pageAwaitedSeconds[speed];
    log.info(`usual stack: Prometheus and Alertmanager with ${speed} intervals`);
    const usual = { folder: await folder('a'), rate, seconds, speed, log, signal, binaries };
    const runs = [await runUsual(usual)];
    const engine = binaries.haproxy === null ? 'builtin' : 'haproxy';
    let postmortem: string | null = null;
    for (const arm of arms) {
      log.info(arm.name);
      const outcome = await runHoldfast({
        ...arm,
        folder: await folder(arm.letter),
        rate,
        engine,
        log,
        signal,
      });
      const leftOut = binaries.haproxy === null ? [withoutHaproxy] : [];
      for (const line of leftOut) log.warn(line);
      runs.push({ ...outcome.run, leftOut });
      postmortem ??= outcome.postmortem;
    }
    return { runs: runs.map(rounded), report: foundingReport, speed, rate, postmortem };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const arms = [
  {
    letter: 'b',
    name: 'Holdfast, as proposed',
    forcedBecause: null,
    net: true,
    withPostmortem: false,
  },
  { letter: 'c', name: 'Holdfast, forced', forcedBecause: reason, net: true, withPostmortem: true },
  {
    letter: 'd',
    name: 'Holdfast, forced, no net',
    forcedBecause: reason,
    net: false,
    withPostmortem: false,
  },
] as const;

const withoutHaproxy =
  'HAProxy is left out: it is not installed, so the built-in engine serves here. Run: sudo apt-get install haproxy';

/** @throws Failure HF013 */
export function settle({ quick, speed, rate }: ReplayOptions): Pick<ReplayPlan, 'speed' | 'rate'> {
  const wanted = speed ?? (quick ? 'tuned' : 'default');
  const known = (Object.keys(speeds) as Speed[]).find((name) => name === wanted);
  if (!known) throw new Failure('HF013', `--speed: expected default or tuned, got "${wanted}"`);
  const number = Number(rate ?? 200);
  if (!Number.isInteger(number) || number < rateMin || number > rateMax)
    throw new Failure(
      'HF013',
      `--rate: expected a whole number from ${rateMin} to ${rateMax}, got "${rate}"`,
    );
  return { speed: known, rate: number };
}

/** Tenths of a millisecond: what is finer is the clock's. */
function rounded(run: ReplayRun): ReplayRun {
  const tenths = (ms: number) => Math.round(ms * 10) / 10;
  const figure = (ms: number | null) => (ms === null ? null : tenths(ms));
  return {
    ...run,
    firstErrorMs: figure(run.firstErrorMs),
    seenMs: figure(run.seenMs),
    causeNamedMs: figure(run.causeNamedMs),
    restoredMs: figure(run.restoredMs),
    timeline: run.timeline.map(({ atMs, what }) => ({ atMs: tenths(atMs), what })),
  };
}

const line = (text: string) => process.stderr.write(`${text}\n`);
const progressLog: Log = {
  info: (message) => line(`  ${message}`),
  warn: (message) => line(`  ${message}`),
  error: (message, fields) => line(`  ${message} ${messageOf(fields?.error ?? '')}`),
};
