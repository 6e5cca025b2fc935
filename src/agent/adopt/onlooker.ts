import { type Clock, Failure, type ProcessIdentity } from '#base';
import type { BalancerCalls, BalancerStatus, SiteText } from '#contract';
import type { Counters, Evidence, ServerEvidence } from '#engines';
import { noCounts } from '#events';
import { boundHost, type Site, schemeOf } from '#model';
import type { AgentCalls } from '../agent.ts';
import { siteOf } from '../good.ts';
import { tickMs } from '../guard/watch.ts';
import { hostWatch } from '../host.ts';
import { probeAll } from '../probe-all.ts';
import { Ticks } from '../ticks.ts';

/** The engine that somebody else runs, as it is known at this moment. */
export interface Looked {
  readonly site: Site;
  readonly text: SiteText;
  /** Null: it does not run. */
  readonly main: ProcessIdentity | null;
  readonly version: string;
  /** Another number: what was counted begins anew. */
  readonly generation: number;
  /** Null: nobody tells. Another object: the one before is closed by whoever made it. */
  readonly counters: Counters | null;
  /** Servers as they answered when they were asked directly: for an engine that does not tell. */
  readonly asked: readonly ServerEvidence[];
}

export interface OnlookerParts {
  readonly balancer: string;
  readonly looked: () => Looked;
  /** Whose disk is looked at. */
  readonly folder: string;
  readonly clock: Clock;
}

export interface Onlooker {
  readonly calls: AgentCalls;
  /** The counters have answered since they are these ones. */
  hasCounted(): boolean;
  close(): Promise<void>;
}

const evidenceMsMax = 500;
const everyTicks = 10;
const serversPerList = 1_000;
const ticksWaitMsMax = 2_000;
/** Of counters that have said nothing yet. */
const nothing: Evidence = { ...noCounts, entranceRequests: 0, connections: 0, pools: [] };

/**
 * An agent without a holder: it answers what can be answered by looking (status, probes, ticks), and refuses everything
 * else with HF506. It never signals, writes or tells the engine anything.
 */
export function onlooker(parts: OnlookerParts): Onlooker {
  const { balancer, clock, looked } = parts;
  const ticks = new Ticks(balancer, clock.now());
  const host = hostWatch(parts.folder);
  const ending = new AbortController();
  let count = 0;
  let counted: Counters | null = null;
  let last: Evidence | null = null;

  /** A log of an engine that has ended is silent without a word: that it runs is part of the answer. */
  async function evidenceOf({ counters, main }: Looked): Promise<Evidence | null> {
    const said = await counters?.evidence(evidenceMsMax).catch(() => null);
    if (main === null) return null;
    if (said) counted = counters;
    return said ?? (counters !== null && counted === counters ? null : nothing);
  }

  async function serversOf({ counters, asked, site }: Looked): Promise<readonly ServerEvidence[] | null> {
    const servers = site.pools.reduce((sum, pool) => sum + pool.servers.length, 0);
    if (count % (everyTicks * Math.max(1, Math.ceil(servers / serversPerList))) !== 0) return null;
    if (!counters || counted !== counters) return asked;
    return counters.servers(evidenceMsMax).catch(() => null);
  }

  async function tick(): Promise<void> {
    const now = looked();
    count += 1;
    const evidence = await evidenceOf(now);
    if (evidence) last = evidence;
    ticks.add(Math.round(clock.now()), {
      generation: now.generation,
      evidence,
      servers: evidence ? await serversOf(now) : null,
      host: now.main && count % everyTicks === 0 ? host.look(now.main.pid, clock.monotonicMs()) : null,
    });
  }

  async function work(): Promise<void> {
    while (!ending.signal.aborted) {
      const due = clock.monotonicMs() + tickMs;
      await tick();
      await clock.sleep(Math.max(1, due - clock.monotonicMs()), ending.signal).catch(() => {});
    }
  }

  const working = work();
  return {
    calls: {
      ...refusing(balancer),
      status: async () => statusOf(balancer, looked(), last ?? nothing),
      probe: ({ site, servers, withinMs }) => probeAll(siteOf(site), { wanted: servers, withinMs }, clock),
      records: async () => [],
      drift: async () => ({ found: [], mended: [] }),
      ticks: ({ life, after, waitMs }) => ticks.read(life, after, Math.min(waitMs, ticksWaitMsMax)),
    },
    hasCounted: () => counted !== null && counted === looked().counters,
    async close() {
      ending.abort();
      await working;
    },
  };
}

type Refused = Exclude<keyof BalancerCalls, 'status' | 'probe' | 'records' | 'drift' | 'ticks'>;

function refusing(balancer: string): Pick<AgentCalls, Refused> {
  const refuse = () =>
    Promise.reject(
      new Failure(
        'HF506',
        `${balancer} is only observed: nothing of it is touched`,
        'End the observation, and take it over: `holdfast adopt FILE`.',
      ),
    );
  return {
    check: refuse,
    rehearse: refuse,
    wayBack: refuse,
    tryRoutes: refuse,
    inPlace: refuse,
    candidate: refuse,
    candidateInPlace: refuse,
    expose: refuse,
    observe: refuse,
    promote: refuse,
    rollback: refuse,
    note: refuse,
    stop: refuse,
  };
}

function statusOf(
  name: string,
  { site, text, main, version, generation }: Looked,
  last: Evidence,
): BalancerStatus {
  const { requests, errors } = last;
  const engine = site.own?.dialect ?? '';
  const balancer = site.balancers.find((one) => one.name === name);
  const running = {
    generation,
    engine,
    role: 'active',
    siteHash: text.hash,
    change: null,
    requests,
    errors,
  } as const;
  return {
    balancer: name,
    engine: `observed, not touched: ${engine}`,
    version,
    carried: null,
    certificates: [],
    addresses: balancer
      ? site.listeners.map((one) => `${schemeOf(one)}://${boundHost(one, balancer)}:${one.port}`)
      : [],
    generations: main ? [{ ...running, pid: main.pid, state: 'accepting' }] : [],
    lastGoodHash: text.hash,
    lastRecord: 0,
  };
}
