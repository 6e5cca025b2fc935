export { type Paint, paintFor } from './paint.js';

/** The terminal, the environment and the person, as parameters. */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  /** Login name of who typed the command. */
  readonly user: string;
  /** Whether lines on standard output can be rewritten in place. */
  readonly tty: boolean;
  readonly columns: number;
  /** Writes to standard output as it is. */
  out(text: string): void;
  /** Writes to standard error as it is. */
  err(text: string): void;
  /** Calls `act` at Ctrl-C instead of ending; returns the function that undoes it. */
  onInterrupt(act: () => void): () => void;
}
