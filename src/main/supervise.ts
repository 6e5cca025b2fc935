import { isStopped, messageOf, ownWaitedMs, type SitePaths, systemClock } from '#base';
import { type ChildPlan, kill, runningPid, startChild, TooSlow } from './children.ts';
import { leaveWord } from './replaced.ts';
import { say } from './site-processes.ts';

const lookEveryMs = 200;
const pauseMsMax = 5_000;
const askEveryMs = 2_000;
const answerMsMax = 2_000;
/** Of the time of a question: one that waited so much of it for a processor hardly hangs. */
const breathShareMin = 0.25;
/** What such a silence counts: one that spins on a busy machine waits for a processor, too. */
const outOfBreathSilence = 0.2;
/** One that is stopped (SIGSTOP) will not answer later either. */
const stoppedSilencesMax = 2;
/** This process itself did nothing for so long: the machine was suspended, or is out of breath. Nobody's silence counts. */
const lateMsMax = 2_000;

export interface SuperviseOptions {
  readonly paths: SitePaths;
  readonly stopping: AbortSignal;
  /** What a start may take. One that was not enough is doubled for the next, up to `startMsMost`. */
  readonly startMsMax?: number;
}

/** A minute is not rare with 10,000 routes on a slow machine. */
export const startMsUsual = 120_000;
const startMsMost = 1_800_000;

/**
 * Keeps the processes running, each for itself: one that has ended is started again, one that lives and does not answer is
 * killed first. No request is lost by it. Resolves when `stopping` is aborted; what was just starting has ended by then.
 */
export async function supervise(plans: readonly ChildPlan[], options: SuperviseOptions): Promise<void> {
  await Promise.all(
    plans.map(async (plan) => {
      const life: Life = { isStarting: false, startMsMax: options.startMsMax ?? startMsUsual };
      await Promise.all([keepRunning(plan, life, options), endHung(plan, life, options)]);
    }),
  );
}

interface Life {
  isStarting: boolean;
  startMsMax: number;
}

async function keepRunning(
  plan: ChildPlan,
  life: Life,
  { paths, stopping }: SuperviseOptions,
): Promise<void> {
  let pauseMs = 0;
  while (!stopping.aborted) {
    if (runningPid(plan.pidFile) === null) {
      await systemClock.sleep(pauseMs, stopping).catch(() => {});
      if (stopping.aborted) return;
      said(`${plan.process} had ended and is started again`);
      life.isStarting = true;
      try {
        await startChild(plan, { msMax: life.startMsMax, stopping });
        pauseMs = 0;
      } catch (error) {
        if (stopping.aborted) return;
        said(`${plan.process} does not start: ${messageOf(error)} (${plan.logFile})`);
        pauseMs = Math.min(pauseMsMax, Math.max(100, pauseMs * 2));
        if (error instanceof TooSlow) {
          leaveWord(paths, { process: plan.process, why: messageOf(error), at: systemClock.now() });
          life.startMsMax = Math.min(startMsMost, life.startMsMax * 2);
        }
      }
      life.isStarting = false;
    }
    await systemClock.sleep(lookEveryMs, stopping).catch(() => {});
  }
}

/** Kills it when it lives and does not answer. Who does not listen yet may be starting, as one that an earlier `up` started. */
async function endHung(plan: ChildPlan, life: Life, { paths, stopping }: SuperviseOptions): Promise<void> {
  let silences = 0;
  let awayMs = 0;
  let answeredAt = systemClock.monotonicMs();
  while (!stopping.aborted) {
    const askedAt = systemClock.monotonicMs();
    const isRunning = !life.isStarting && runningPid(plan.pidFile) !== null;
    const asked = runningPid(plan.pidFile) ?? 0;
    const waitedBeforeMs = ownWaitedMs(asked);
    const answer = isRunning ? await plan.ask(answerMsMax) : 'answers';
    // It would like to answer, and gets no processor: another one would get none either.
    const isOutOfBreath = ownWaitedMs(asked) - waitedBeforeMs > answerMsMax * breathShareMin;
    if (answer === 'answers') answeredAt = askedAt;
    silences = answer === 'silent' ? silences + (isOutOfBreath ? outOfBreathSilence : 1) : 0;
    if (answer !== 'away') awayMs = 0;
    const pid = life.isStarting ? null : runningPid(plan.pidFile);
    const most = pid !== null && isStopped({ pid }) ? stoppedSilencesMax : plan.silencesMax;
    if (pid !== null && (silences >= most || awayMs > life.startMsMax)) {
      const why = `it did not answer for ${Math.round((systemClock.monotonicMs() - answeredAt) / 1_000)} s`;
      said(`${plan.process} does not answer and is killed`);
      leaveWord(paths, { process: plan.process, why, at: systemClock.now() });
      kill(pid);
      [silences, awayMs] = [0, 0];
    }
    await systemClock.sleep(askEveryMs, stopping).catch(() => {});
    const tookMs = systemClock.monotonicMs() - askedAt;
    if (answer === 'away') awayMs += Math.min(tookMs, askEveryMs + answerMsMax);
    if (tookMs > askEveryMs + answerMsMax + lateMsMax) silences = 0;
  }
}

function said(what: string): void {
  say(`${new Date().toISOString()} ${what}`);
}
