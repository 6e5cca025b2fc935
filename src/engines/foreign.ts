/**
 * What is known of an engine that somebody else started: how it is recognised, told to end, and started again. Each
 * engine that can be adopted has it in `foreign.ts` of its folder.
 */
export interface ForeignEngine {
  /** The executable's file name. */
  readonly executable: string;
  /** Asked with `-v`, the binary that it says it is answers so; the first group is the version. */
  readonly version: RegExp;
  /** The text that it reads when its command line names none. */
  readonly defaultFile: string;
  commandLine(words: readonly string[]): CommandLine;
  /** Variables that it sets itself in its environment: one that is started anew must not find them. */
  readonly ownVariables: RegExp;
  /** To its main process: no new connections, open ones finish, then it ends. */
  readonly gentleSignal: 'SIGUSR1' | 'SIGQUIT';
  /** A generation of ours that is told to end breaks connections that wait for their next request. */
  readonly breaksIdle: boolean;
  /** What tells it that it inherits these descriptors as its listening sockets. Null: it opens its own beside ours (SO_REUSEPORT). */
  inherits(fds: readonly number[]): Readonly<Record<string, string>> | null;
  /** Its command line to the background again, as a service manager's or a person's. */
  inBackground(args: readonly string[]): readonly string[];
}

/** How a running engine was started, as far as its command line says. */
export interface CommandLine {
  /** As they were given: relative ones start at the working folder. */
  readonly files: readonly string[];
  /** What starts the same engine again by hand, without what a reload added. */
  readonly args: readonly string[];
  /** The file that it writes its pid to; null: none that the command line names. */
  readonly pidFile: string | null;
}
