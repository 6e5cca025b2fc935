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

export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

/** Colours on a terminal, unless NO_COLOR asks for none (https://no-color.org). */
export function paintFor({ env, tty }: Pick<Io, 'env' | 'tty'>): Paint {
  const on = tty && !env.NO_COLOR;
  const code = (number: number) => (text: string) => (on ? `\u001b[${number}m${text}\u001b[0m` : text);
  return { good: code(32), bad: code(31), warn: code(33), dim: code(2), bold: code(1) };
}
