import type { PoolEvidence } from '#engines';
import type { Counts } from '#events';
import { liveShare, serverTrouble } from '../evidence.ts';
import type { TimeDetections } from './times.ts';

/** A reason to take a candidate back: which evidence spoke, and a sentence for a person. */
export interface Verdict {
  readonly cause:
    | 'errors'
    | 'serverTrouble'
    | 'netUses'
    | 'liveServers'
    | 'comparison'
    | 'hung'
    | 'slower'
    | 'memory';
  readonly reason: string;
}

/** What the detectors say of one tick of the candidate. */
export interface Detections extends TimeDetections {
  readonly errors: boolean;
  readonly serverTrouble: boolean;
  readonly netUses: boolean;
  readonly comparison: boolean;
}

/**
 * Whether a candidate has to go. Pure, and asked ten times a second while it is exposed.
 * Uses of the net come first: they hide the fault from users, so nothing else may show it.
 */
export function decide(tick: {
  readonly detections: Detections;
  readonly counts: Counts;
  readonly candidatePools: readonly PoolEvidence[];
  readonly incumbentPools: readonly PoolEvidence[];
  readonly liveServersShareMin: number;
}): Verdict | null {
  const { detections, counts } = tick;
  const share = (bad: number) => `${bad} with ${counts.requests} requests`;
  if (detections.netUses)
    return { cause: 'netUses', reason: `no server answered: the net caught ${share(counts.netUses)}` };
  if (detections.errors) return { cause: 'errors', reason: `answers 5xx: ${share(counts.errors)}` };
  if (detections.serverTrouble)
    return {
      cause: 'serverTrouble',
      reason: `failed connections, retries and broken answers: ${share(serverTrouble(counts))}`,
    };
  if (detections.comparison)
    return {
      cause: 'comparison',
      reason: `it fails more than the incumbent at the same moment: ${share(counts.errors + counts.clientErrors)}`,
    };
  return (
    timesVerdict(detections) ??
    liveServersVerdict(tick.candidatePools, tick.incumbentPools, tick.liveServersShareMin)
  );
}

function timesVerdict({ hung, slower }: TimeDetections): Verdict | null {
  if (hung)
    return {
      cause: 'hung',
      reason: `${hung.requests} requests were not answered within ${Math.round(hung.ms) / 1_000} s`,
    };
  if (!slower) return null;
  const { pool, candidateMs, incumbentMs } = slower;
  return {
    cause: 'slower',
    reason: `pool ${pool} takes ${Math.round(candidateMs)} ms a request, with the incumbent ${Math.round(incumbentMs)} ms at the same time`,
  };
}

/** Too few live servers in the candidate, while the incumbent has enough of its own: not the servers' fault, the change's. */
function liveServersVerdict(
  candidate: readonly PoolEvidence[],
  incumbent: readonly PoolEvidence[],
  shareMin: number,
): Verdict | null {
  for (const pool of candidate) {
    const before = incumbent.find((p) => p.pool === pool.pool);
    if (liveShare(pool) >= shareMin && pool.serversLive > 0) continue;
    if (before && (liveShare(before) < shareMin || before.serversLive === 0)) continue;
    const was = before ? `, with the incumbent ${before.serversLive} of ${before.serversAll}` : '';
    return {
      cause: 'liveServers',
      reason: `pool ${pool.pool}: ${pool.serversLive} of ${pool.serversAll} servers live${was}`,
    };
  }
  return null;
}
