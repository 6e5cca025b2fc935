import type { ProcessIdentity } from '#base';
import type { Dialect } from '#dialects';
import type { EngineName } from '#model';
import type { KnownFault } from './known-faults.ts';

/**
 * The port to a load balancer's software. Each engine folder has the same file names:
 * `engine.ts` (this object), `control.ts` (EngineControl), `evidence.ts` (its counters -> Evidence).
 * Shared code never asks for an engine's name.
 */
export interface Engine {
  readonly name: EngineName;
  readonly dialect: Dialect;
  /** It is our own code and keeps our user; others run as a user without rights where we are root. */
  readonly runsAsSelf?: boolean;
  /**
   * Ends gently what outlives its main process, which led their group; resolves when they are told. The generation's
   * neighbour is alive. Absent: nothing outlives it.
   */
  endOrphans?(leader: ProcessIdentity, control: string): Promise<void>;
  /** How a person gets it: one shell line. Empty when nothing is needed. */
  readonly install: string;
  /** What is known against versions of it; docs/known-faults.md. */
  readonly knownFaults: readonly KnownFault[];
  /** Null where it is not installed. */
  find(): Promise<EngineBinary | null>;
  /** The exact binary reads the exact text and says whether it would start with it. Runs as `identity`, in `folder`, which it may write to. */
  check(binary: EngineBinary, textFile: string, folder: string, identity: Identity): Promise<EngineVerdict>;
  /** The command that becomes one generation. */
  command(binary: EngineBinary, start: StartPlan): Command;
  /** Opens the controls of a running generation. Never throws; each call rejects when the engine does not answer. */
  control(handle: GenerationHandle): EngineControl;
}

export interface EngineBinary {
  readonly path: string;
  readonly version: string;
  /** Files that it loads for connections that are passed on. Empty: it needs none; absent: it cannot pass them on, or nobody asks. */
  readonly streamModules?: readonly string[];
}

/** Who an engine runs as. Null: as ourselves. */
export type Identity = { readonly uid: number; readonly gid: number } | null;

export interface EngineVerdict {
  readonly accepted: boolean;
  /** The engine's own words, with the paths of `folder` left as they are. */
  readonly output: string;
  readonly tookMs: number;
}

export interface StartPlan {
  readonly textFile: string;
  /** Start with the public side parked. */
  readonly parked: boolean;
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface GenerationHandle {
  readonly pid: number;
  /** Placement.control. */
  readonly control: string;
  /**
   * The holder's: workers that the engine starts by itself follow what was last asked for by `park` and `resume`. What it
   * is now: `parked` is kept from the beginning, for an engine that cannot start so by itself. Absent: only told.
   */
  readonly keeps?: PublicSide | 'unknown';
  /** The holder's: told what the control mended by itself, each time in a sentence. */
  readonly tell?: (what: string) => void;
}

export type PublicSide = 'accepting' | 'parked';

/**
 * A running generation's controls. Each promise resolves when the effect was read back from the engine;
 * it rejects when the engine does not show it within `timeoutMs`.
 */
export interface EngineControl {
  state(timeoutMs: number): Promise<PublicSide>;
  park(timeoutMs: number): Promise<void>;
  resume(timeoutMs: number): Promise<void>;
  /** Requests of open connections are answered by the neighbour from now on (true), or no longer (false). */
  takeBack(on: boolean, timeoutMs: number): Promise<void>;
  /** Takes the net's servers out (false) or puts them in (true). */
  net(on: boolean, timeoutMs: number): Promise<void>;
  /** Cumulative counters since the generation started. */
  evidence(timeoutMs: number): Promise<Evidence>;
  /** State of every server, dearer than `evidence`: on suspicion, for the warm-up, for a report. */
  servers(timeoutMs: number): Promise<readonly ServerEvidence[]>;
  /**
   * These count as down until this generation's own checks say otherwise: what another one knows already. Asked before the
   * first request. Absent where the engine has no such command.
   */
  know?(down: readonly ServerName[], timeoutMs: number): Promise<void>;
  /** Of how many clients it counts something now, for rates. Absent where generations do not share that. */
  counted?(timeoutMs: number): Promise<number>;
  /**
   * Changes servers of a generation that runs, one command after the other. May be repeated: what is so already stays so.
   * Rejects when one is not taken, with those before it done. Absent where the engine cannot.
   */
  commandServers?(commands: readonly ServerCommand[], timeoutMs: number): Promise<void>;
  /**
   * How its servers stand, as far as somebody could have told it otherwise than its text says. Absent where nobody can tell it.
   */
  settings?(timeoutMs: number): Promise<readonly ServerSetting[]>;
  /**
   * From now on it has these keys for TLS tickets and no others (see `Placement.ticketKeys`). May be repeated. Absent where the
   * engine reads them at its start only.
   */
  ticketKeys?(keys: readonly string[], timeoutMs: number): Promise<void>;
  /** The newest lines of its error log, oldest first, at most `linesMax`. */
  errors(linesMax: number, timeoutMs: number): Promise<readonly string[]>;
  /** One line of the engine's own command language, and its answer. Absent where it has none. */
  ask?(line: string, timeoutMs: number): Promise<string>;
  /** Ends gently: no new connections, open ones finish, then the process exits. Resolves when told, not when ended. */
  drain(timeoutMs: number): Promise<void>;
  /** Lets go of the control connection; the generation runs on. */
  close(): void;
}

export type ServerCommand = ServerName &
  (
    | { readonly kind: 'add'; readonly words: string; readonly maintenance: boolean }
    /** Rejects while it has connections. */
    | { readonly kind: 'delete' }
    /** One that is not there counts as in maintenance. */
    | { readonly kind: 'maintenance'; readonly on: boolean }
    | { readonly kind: 'weight'; readonly weight: number }
  );

export interface ServerSetting extends ServerName {
  readonly weight: number;
  readonly maintenance: boolean;
  /** Told to take no new clients. */
  readonly draining: boolean;
  /** `10.0.0.1:8080` */
  readonly address: string;
}

export interface ServerName {
  readonly pool: string;
  readonly server: string;
}

/**
 * Cumulative counters of one generation. All are counts of events since its start, but for `connections`. A connection of
 * a TCP or TLS listener is a request that counts when it begins; one that no server takes is an error, one that the
 * listener refuses a client's error.
 */
export interface Evidence {
  /** Finished requests on the public side. */
  readonly requests: number;
  /** Answers 500 and above, given to clients of the public side. */
  readonly errors: number;
  /** Answers 400 to 499. */
  readonly clientErrors: number;
  /** Connections to servers that failed. */
  readonly connectionErrors: number;
  readonly retries: number;
  /** Answers of servers that broke off or could not be read. */
  readonly responseErrors: number;
  /** Requests that the net gave to the neighbour. */
  readonly netUses: number;
  /** Requests that came in by the private entrance. */
  readonly entranceRequests: number;
  /** Open client connections now. */
  readonly connections: number;
  /** HTTP requests that are begun and not finished now. Absent where the engine does not tell. */
  readonly inHand?: number;
  readonly pools: readonly PoolEvidence[];
}

export interface PoolEvidence {
  readonly pool: string;
  readonly requests: number;
  readonly errors: number;
  readonly connectionErrors: number;
  readonly retries: number;
  readonly responseErrors: number;
  readonly serversLive: number;
  readonly serversAll: number;
  /** Requests that wait for a server now. */
  readonly queued: number;
  /** Requests of it that are under way now, with those that wait. Absent where the engine does not tell. */
  readonly inHand?: number;
  /** Finished requests whose time is known, and the milliseconds of all of them. Absent where the engine does not tell. */
  readonly timedRequests?: number;
  readonly timeMs?: number;
}

/** `lastCheck` of a server that was put into maintenance: it counts as down, and says nothing of how it is. */
export const inMaintenance = 'in maintenance';

export interface ServerEvidence {
  readonly pool: string;
  readonly server: string;
  /** `unknown` until the first check has ended. */
  readonly state: 'up' | 'down' | 'unknown';
  /** What the engine's own check last said: `L4CON Connection refused`. */
  readonly lastCheck: string;
  /** NGINX: those that did not go straight; where its text replays requests, all. */
  readonly requests: number;
  readonly errors: number;
  /** Connections to it that failed, and its answers that broke off. Absent where nobody counts them by server. */
  readonly faults?: number;
  /** Milliseconds of all its finished requests. Absent where nobody tells. */
  readonly timeMs?: number;
}
