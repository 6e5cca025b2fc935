import type { Site } from '#model';
import type { EngineControl, ServerEvidence } from './engine.ts';

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
  /** What somebody who only looks can count of it. Opens nothing before it is asked, and changes nothing of the engine. */
  onlook(parts: OnlookParts): Onlook;
}

export interface OnlookParts {
  readonly pid: number;
  /** Of its command line, and the folder that it was given in. */
  readonly args: readonly string[];
  readonly folder: string;
  readonly site: Site;
  /** Its servers as they answered when they were asked directly. */
  readonly asked: () => readonly ServerEvidence[];
}

export interface Onlook {
  /** What is counted, and by what, for people. Null: nothing. */
  readonly seen: string | null;
  /** What is not, and why; one line each. */
  readonly unseen: readonly string[];
  /** What would let it be seen, where it is not. */
  readonly remedy: string;
  /** Each call may reject. Null: nobody tells. */
  readonly counters: Counters | null;
}

export type Counters = Pick<EngineControl, 'evidence' | 'servers' | 'close'>;

/** How a running engine was started, as far as its command line says. */
export interface CommandLine {
  /** As they were given: relative ones start at the working folder. */
  readonly files: readonly string[];
  /** What starts the same engine again by hand, without what a reload added. */
  readonly args: readonly string[];
  /** The file that it writes its pid to; null: none that the command line names. */
  readonly pidFile: string | null;
}
