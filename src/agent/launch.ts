import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, Failure, identify } from '#base';
import type { EngineControl, ServerEvidence } from '#engines';

/** 10,000 servers took 1.8 s on two busy cores; a machine that needs more than this does not start it. Nobody waits for it: another generation serves. */
const readyMsMax = 40_000;
/** How long health checks may take to speak for the first time before the start goes on without them. */
const warmMsMax = 5_000;
/** How long a generation may take to learn what others count of each client: 100,000 took 1.3 s. */
const learnedMsMax = 3_000;
const logLinesShown = 12;

/**
 * Waits until a started engine answers on its control socket.
 * @throws Failure HF303 with the engine's own last words when it ends or does not answer.
 */
export async function untilReady(started: {
  pid: number;
  control: EngineControl;
  folder: string;
  clock: Clock;
  /** How long it may take. */
  withinMs?: number;
}): Promise<number> {
  const { pid, control, folder, clock, withinMs = readyMsMax } = started;
  const began = clock.monotonicMs();
  for (;;) {
    const waited = clock.monotonicMs() - began;
    if (!identify(pid))
      throw new Failure('HF303', `the engine ended while it started:\n${lastWords(folder)}`);
    if (waited > withinMs)
      throw new Failure('HF303', `the engine did not answer within ${withinMs} ms:\n${lastWords(folder)}`);
    if (existsSync(join(folder, 'control.sock'))) {
      const answered = await control.state(Math.min(1_000, withinMs)).then(
        () => true,
        () => false,
      );
      if (answered) return clock.monotonicMs() - began;
    }
    await clock.sleep(5);
  }
}

/** For the effect of a signal that was sent before the engine began. */
const parkedMsMax = 5_000;

/**
 * A generation starts parked; one that cannot be parked would take requests that nobody gives it, and could not be taken back.
 * @throws Failure HF303
 */
export async function untilParked(control: EngineControl, clock: Clock): Promise<void> {
  const deadline = clock.monotonicMs() + parkedMsMax;
  for (;;) {
    const side = await control.state(parkedMsMax).catch(() => null);
    if (side === 'parked') return;
    if (clock.monotonicMs() > deadline)
      throw new Failure('HF303', 'the engine has started and cannot be parked');
    await clock.sleep(5);
  }
}

/** Waits until every server's first health check has spoken, or `warmMsMax`: so a candidate knows its dead servers before its first request. */
export async function untilWarm(control: EngineControl, clock: Clock): Promise<readonly ServerEvidence[]> {
  const deadline = clock.monotonicMs() + warmMsMax;
  for (;;) {
    const servers = await control.servers(2_000);
    if (servers.every((s) => s.state !== 'unknown') || clock.monotonicMs() > deadline) return servers;
    await clock.sleep(50);
  }
}

/** Waits until a generation counts as many clients as the one before it does, or `learnedMsMax`. Of different engines it learns nothing. */
export async function untilLearned(
  control: EngineControl,
  before: EngineControl,
  clock: Clock,
): Promise<void> {
  const deadline = clock.monotonicMs() + learnedMsMax;
  while (clock.monotonicMs() < deadline) {
    const [all, known] = await Promise.all([before.counted?.(2_000), control.counted?.(2_000)]);
    if (all === undefined || known === undefined || known >= all) return;
    await clock.sleep(20);
  }
}

function lastWords(folder: string): string {
  try {
    const words = readFileSync(join(folder, 'engine.log'), 'utf8').trimEnd();
    if (words !== '') return words.split('\n').slice(-logLinesShown).join('\n');
  } catch {
    // It did not come that far.
  }
  return '(it said nothing)';
}
