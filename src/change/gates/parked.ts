import { messageOf } from '#base';
import type { WayBackResult } from '#contract';
import type { BalancerPort } from '../ports.ts';
import type { Proposal } from './gate.ts';

const triedEveryMs = 10_000;
const tryTimeoutMs = 20_000;
/** A bake goes on for so long at least, and so many times its length at most, while the way back is not open. */
const heldMsMin = 10_000;
const heldFactorMax = 3;

/** The generations that are parked while a candidate bakes: tried at once, now and then, and until each has been well. */
export interface ParkedWatch {
  /** Looks where it is time to; whether the bake may end, as far as they are concerned. */
  mayEnd(elapsedMs: number): boolean;
  /** What was tried, for people. */
  notes(): readonly string[];
  /** Balancers that could not go back when they were last tried, each with why. */
  closed(): readonly string[];
}

interface Tried {
  readonly ok: boolean;
  readonly why: string;
  readonly lines: readonly string[];
}

export function watchParked({ balancers, change, policy }: Proposal): ParkedWatch {
  const tried = new Map<string, Tried>();
  let triedAt = Number.NEGATIVE_INFINITY;
  let asking = 0;
  const ask = async (balancer: BalancerPort) => {
    const said = await balancer.call('wayBack', { parked: change }, tryTimeoutMs).then(described, broken);
    const first = tried.get(balancer.name);
    // What was tried only once, in public, was tried the first time.
    tried.set(balancer.name, { ...said, lines: first && said.ok ? first.lines : said.lines });
    asking -= 1;
  };
  const holdMs = policy.bakeMs + Math.max(heldMsMin, (heldFactorMax - 1) * policy.bakeMs);
  const closed = () =>
    balancers.flatMap(({ name }) => {
      const one = tried.get(name);
      return one?.ok ? [] : [`${name}: ${one?.why ?? 'has not answered'}`];
    });
  return {
    mayEnd(elapsedMs) {
      const isDue = elapsedMs - triedAt >= (closed().length > 0 ? 1_000 : triedEveryMs);
      if (asking === 0 && isDue) {
        triedAt = elapsedMs;
        asking = balancers.length;
        for (const balancer of balancers) void ask(balancer);
      }
      return closed().length === 0 || elapsedMs >= holdMs;
    },
    closed,
    notes: () =>
      balancers.flatMap(({ name }) => tried.get(name)?.lines.map((line) => `${name}: ${line}`) ?? []),
  };
}

function described({ ok, tried }: WayBackResult): Tried {
  const line = ({ what, answered }: WayBackResult['tried'][number]) => `${what}: ${answered}`;
  return {
    ok,
    why: tried
      .filter((one) => !one.ok)
      .map(line)
      .join('; '),
    lines: tried.map(line),
  };
}

function broken(error: unknown): Tried {
  return { ok: false, why: messageOf(error), lines: [] };
}
