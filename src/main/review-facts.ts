import { hostname } from 'node:os';
import { type Clock, Failure } from '#base';
import type { BalancerPort, SiteKeeper } from '#change';
import type { BalancerStatus, WayBackResult } from '#contract';
import { readSite } from '#dialects';
import type { BalancerFacts, ReviewFacts } from '#practice';
import type { OpenTicks } from '#store';

const statusMsMax = 2_000;
const wayBackMsMax = 60_000;
const peaksOverMs = 14 * 86_400_000;

export interface FactSources {
  readonly sites: SiteKeeper;
  readonly balancers: readonly BalancerPort[];
  readonly clock: Clock;
  /** Null: numbers over time could not be kept. */
  readonly ticks: OpenTicks | null;
  readonly frozen: () => string | null;
  readonly reviewsOwed: () => readonly string[];
  readonly openIncidents: () => readonly string[];
}

/** What a review looks at: the site's text, and what each balancer says and can do this minute. @throws Failure HF003. */
export async function reviewFacts(sources: FactSources): Promise<ReviewFacts> {
  const { sites, balancers, clock } = sources;
  const { site } = readSite(sites.current());
  if (!site)
    throw new Failure(
      'HF003',
      'the kept text of the site is no site',
      'Apply it again: `holdfast apply FILE`.',
    );
  const facts = await Promise.all(
    balancers.map(async (one) => [one.name, await factsOf(one, sources)] as const),
  );
  return {
    now: clock.now(),
    site,
    balancers: new Map(facts),
    peaks: peaksOf(sources),
    frozen: sources.frozen(),
    reviewsOwed: sources.reviewsOwed(),
    openIncidents: sources.openIncidents(),
    // Every agent is reached over a Unix socket.
    machines: new Map([[hostname(), balancers.map(({ name }) => name)]]),
  };
}

/** Of every pool over the last two weeks. Balancers need not have been busy at one moment: it is the most that could have been. */
function peaksOf({ ticks, clock }: FactSources): ReviewFacts['peaks'] {
  const peaks = ticks?.peaks(clock.now() - peaksOverMs) ?? [];
  if (peaks.length === 0) return null;
  const sums = new Map<string, number>();
  for (const { pool, connections } of peaks) sums.set(pool, (sums.get(pool) ?? 0) + connections);
  return sums;
}

async function factsOf(balancer: BalancerPort, { sites }: FactSources): Promise<BalancerFacts | null> {
  const [status, wayBack] = await Promise.all([
    balancer.call('status', {}, statusMsMax).catch(() => null),
    balancer.call('wayBack', { site: sites.current() }, wayBackMsMax).catch(() => null),
  ]);
  return status ? { ...seen(status), wayBack: wayBack ? tried(wayBack) : null } : null;
}

function seen({ engine, carried, certificates }: BalancerStatus): Omit<BalancerFacts, 'wayBack'> {
  return { engine: carried?.by ?? engine, carriedInstead: carried?.instead ?? null, certificates };
}

function tried({ ok, tried: ways, knownFaults = [] }: WayBackResult): BalancerFacts['wayBack'] {
  return {
    ok,
    tried: ways.filter((way) => way.ok === ok).map(({ what, answered }) => `${what}: ${answered}`),
    knownFaults: knownFaults.map(({ what, remedy, effect }) => ({
      what,
      remedy,
      blocks: effect === 'blocks',
    })),
  };
}
