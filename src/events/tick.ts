import type { Counts } from './guard.ts';

/** What happened on one balancer since its tick before: ten a second, the raw material of detection. */
export interface Tick {
  /** From 1 for each life of an agent, without a gap. */
  readonly number: number;
  /** Milliseconds since 1970 at its end. */
  readonly at: number;
  readonly forMs: number;
  readonly balancer: string;
  readonly generation: number;
  /** False: the engine said nothing, and the counts are none. That is never the same as no traffic. */
  readonly answered: boolean;
  readonly counts: Counts;
  /** Client connections that are open, and requests begun and not finished, at its end. Null: the engine does not tell. */
  readonly connections: number;
  readonly inHand: number | null;
  readonly pools: readonly PoolTick[];
  /** Absent where the engine counts none by listener. */
  readonly listeners?: readonly ListenerTick[];
  /** About once a second: what came of each server since the list before. Absent: not asked. */
  readonly servers?: readonly ServerTick[];
  /** Once a second. Absent: not asked. */
  readonly host?: HostFigures;
}

export interface PoolTick {
  readonly pool: string;
  readonly requests: number;
  readonly errors: number;
  readonly connectionErrors: number;
  readonly retries: number;
  readonly responseErrors: number;
  readonly serversLive: number;
  readonly serversAll: number;
  readonly queued: number;
  /** Requests that are under way, with those that wait. Absent where the engine does not tell. */
  readonly inHand?: number;
  /** Finished requests whose time is known, and the milliseconds of all of them; both 0 where nobody tells. */
  readonly timedRequests: number;
  readonly timeMs: number;
}

export interface ListenerTick {
  readonly listener: string;
  readonly requests: number;
  readonly errors: number;
  readonly connections: number;
}

export interface ServerTick {
  readonly pool: string;
  readonly server: string;
  readonly state: 'up' | 'down' | 'unknown';
  readonly lastCheck: string;
  readonly requests: number;
  readonly errors: number;
  readonly faults: number;
  /** Milliseconds of those requests. Absent where the engine does not tell. */
  readonly timeMs?: number;
}

/** Shares are 0 to 1. Null: this machine does not tell. */
export interface HostFigures {
  readonly cpuShare: number | null;
  readonly memoryShare: number | null;
  readonly diskShare: number | null;
  /** Of the engine's own limit. */
  readonly descriptorsShare: number | null;
  readonly connectionTrackingShare: number | null;
  /** Connections that the kernel dropped because a listen queue was full, since the figures before. */
  readonly listenOverflows: number | null;
  /** Processor time of the engine since the figures before, as a share of one core. */
  readonly engineCpuShare: number | null;
}
