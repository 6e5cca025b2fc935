import { messageOf } from '#base';

/** What signals ask of a generation, in HAProxy's words: TTOU, TTIN, USR1 (and TERM), INT. */
export interface Obeying {
  park(): Promise<unknown> | unknown;
  resume(): Promise<unknown> | unknown;
  drain(): void;
  quit(): void;
}

export function obeySignals({ park, resume, drain, quit }: Obeying, say: (line: string) => void): void {
  const reported = (work: () => Promise<unknown> | unknown) => async () => {
    try {
      await work();
    } catch (error) {
      say(messageOf(error));
    }
  };
  process.on('SIGTTOU', reported(park));
  process.on('SIGTTIN', reported(resume));
  process.on('SIGUSR1', drain);
  process.on('SIGTERM', drain);
  process.on('SIGINT', quit);
  // The terminal of whoever started us is not ours to die with.
  process.on('SIGHUP', () => {});
}

/** One connection's trouble must not end the others. Said at most once a second, so a storm fills no disk. */
export function surviveErrors(say: (line: string) => void): void {
  let saidAt = Number.NEGATIVE_INFINITY;
  const survive = (error: unknown) => {
    if (performance.now() - saidAt < 1_000) return;
    saidAt = performance.now();
    say(
      `an error that nobody caught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  };
  process.on('uncaughtException', survive);
  process.on('unhandledRejection', survive);
}
