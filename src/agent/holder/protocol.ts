import { type ProcessIdentity, type WireClient, wireClient } from '#base';
import type { Command, Identity, PublicSide } from '#engines';
import type { EngineName } from '#model';

/** What an agent asks of its holder. Both run on the same machine; the socket is for their user only. */
export interface HolderCalls {
  /**
   * Opens the listeners that are not open yet, closes none. `until`: unless a generation was started by then, the holder
   * ends when this process has: sockets on which nobody would accept must not stay open.
   */
  open: {
    input: { listeners: readonly SourcedListener[]; until?: ProcessIdentity };
    output: null;
  };
  /** Which of the sockets on these addresses get new connections: `count` of them, from the one that is number `first` on. */
  steer: { input: { listeners: readonly ListenerAddress[]; first: number; count: number }; output: null };
  /** Parks the active generation, or lets it accept again: for a handing back over a socket that both share. */
  side: { input: { side: PublicSide }; output: null };
  /** Others of the same user may listen on the held addresses from now on, beside the holder's sockets. */
  share: { input: Record<string, never>; output: null };
  /** Starts an engine's process as a generation; resolves with its pid before it is ready. */
  start: { input: GenerationSpec; output: { pid: number } };
  status: { input: Record<string, never>; output: HolderStatus };
  /** Makes a generation the active one: it accepts, what was active is parked and stays as standby. */
  activate: { input: { generation: number }; output: null };
  /**
   * The candidate accepts for `forMs` from now; with `alone`, the active one is parked meanwhile.
   * When no further call comes within `leaseMs` the exposure is over and requests of its open connections are led back.
   */
  expose: { input: { generation: number; forMs: number; alone: boolean; leaseMs: number }; output: null };
  /**
   * The guard's first rung, and the second when the engine does not follow. Resolves when the good one accepts. Open
   * connections of the bad one end after `drainMs`.
   */
  takeBack: { input: { from: number; to: number; drainMs: number }; output: HolderTakeBack };
  /** Its servers were changed while it runs: it does now what another text says. */
  label: { input: { generation: number; siteHash: string; change: string | null }; output: null };
  /** Ends a generation that is not active: gently, after `withinMs` by force. Resolves at once. */
  retire: { input: { generation: number; withinMs: number }; output: null };
  /** Ends every generation and the holder. Resolves when all engines have ended. */
  shutdown: { input: { withinMs: number }; output: null };
}
export type HolderCall = keyof HolderCalls;

/** A socket is known by its address, so a change may rename or move listeners at will. */
export interface ListenerAddress {
  readonly host: string;
  readonly port: number;
  /** IPv4 too, of an IPv6 address. */
  readonly dualStack?: boolean;
}

export interface SourcedListener extends ListenerAddress {
  /** Absent: a new socket. */
  readonly from?: SocketSource;
}

export type SocketSource =
  /** A copy of a running process's descriptor: the same socket, with what waits in it. */
  | { readonly kind: 'process'; readonly pid: number; readonly fd: number; readonly inode: string }
  /** A new one beside `others` that listen there; these go on getting all new connections. */
  | { readonly kind: 'beside'; readonly others: number };

export interface GenerationSpec {
  readonly generation: number;
  readonly engine: EngineName;
  readonly command: Command;
  readonly identity: Identity;
  readonly folder: string;
  /** Unix socket of its controls. */
  readonly control: string;
  /** The sockets it inherits: descriptor 3 and on, in this order. */
  readonly listeners: readonly ListenerAddress[];
  readonly role: Role;
  readonly siteHash: string;
  readonly change: string | null;
  /** Nobody serves until it does. */
  readonly urgent?: boolean;
  /** How long it may go on draining, once it does. */
  readonly drainMs?: number;
}

export type Role = 'active' | 'standby' | 'candidate' | 'draining';

export interface HolderStatus {
  readonly pid: number;
  /** Null until the first `activate`. */
  readonly active: number | null;
  readonly generations: readonly HeldGeneration[];
  /** Engines that ended without being told to, oldest first, the last `deathsMax`. */
  readonly deaths: readonly Death[];
  /** Numbers of candidates whose lease ran out. */
  readonly expired: readonly number[];
  /** Generations whose main process has died and of which something is left. Absent from holders of before. */
  readonly remains?: readonly number[];
}

export interface HeldGeneration extends GenerationSpec {
  readonly pid: number;
  readonly side: PublicSide;
}

export interface Death {
  readonly number: number;
  readonly at: number;
  readonly generation: number;
  readonly role: Role;
  readonly siteHash: string;
  readonly change: string | null;
  /** `SIGKILL`, `exit 1`, or `gone` when it was not our child. */
  readonly how: string;
  /** The generation that was resumed, and how long that took. */
  readonly takenOverBy: number | null;
  readonly tookOverMs: number | null;
}

export interface HolderTakeBack {
  /** The generation that is active now; absent where nobody but the caller chose it. */
  readonly to?: number;
  readonly decidedAt: number;
  readonly doneAt: number;
  readonly rung: 1 | 2;
  readonly steps: readonly { readonly what: string; readonly ok: boolean; readonly tookMs: number }[];
}

export interface HolderClient {
  call<C extends HolderCall>(
    name: C,
    input: HolderCalls[C]['input'],
    timeoutMs?: number,
  ): Promise<HolderCalls[C]['output']>;
  close(): void;
}

export function holderClient(path: string): HolderClient {
  const wire: WireClient = wireClient(path);
  return {
    async call<C extends HolderCall>(name: C, input: HolderCalls[C]['input'], timeoutMs?: number) {
      return (await wire.call(name, input, timeoutMs)) as HolderCalls[C]['output'];
    },
    close: () => wire.close(),
  };
}
