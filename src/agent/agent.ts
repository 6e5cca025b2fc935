import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert, Failure, messageOf } from '#base';
import type {
  BalancerCall,
  BalancerCalls,
  BalancerStatus,
  CandidateObservation,
  CandidateResult,
  ColdProofView,
  RehearsalResult,
  WayBackResult,
} from '#contract';
import { streamEntrance } from '#dialects';
import { inMaintenance } from '#engines';
import { routeOf, type Site } from '#model';
import { askEntrance, describeRequest } from '#probe';
import { witnesses } from '#routing';
import type { BesideWatch } from './adopt/beside.ts';
import { activeOf, type Launched } from './fleet.ts';
import { siteOf } from './good.ts';
import { tryParked } from './parked.ts';
import { probeAll } from './probe-all.ts';
import { askReal } from './real-requests.ts';
import { tryRoutes } from './routes.ts';
import { checkText, knownFaults, rehearse } from './sandbox.ts';
import { clearSandboxes } from './sandbox-process.ts';
import type { Serving } from './serving.ts';
import { askStreams } from './streams.ts';
import { tryWayBack } from './way-back.ts';

export type AgentCalls = {
  readonly [C in BalancerCall]: (input: BalancerCalls[C]['input']) => Promise<BalancerCalls[C]['output']>;
};

const witnessMsMax = 5_000;
const shutdownMs = 3_000;
const ticksWaitMsMax = 2_000;

/** What the controller may ask of one balancer's agent. */
export function agentCalls(serving: Serving, beside: BesideWatch, stopped: () => void): AgentCalls {
  const { fleet } = serving;
  return {
    status: () => statusOf(serving, beside),
    check: ({ site }) => checkText(fleet, site),
    probe: ({ site, servers, withinMs }) =>
      probeAll(siteOf(site), { wanted: servers, withinMs }, fleet.options.clock),
    rehearse: (input) => rehearseAll(serving, input).catch(asNotStarted),
    wayBack: (input) => wayBack(serving, input),
    async tryRoutes({ change }) {
      const flight = serving.changes.flight;
      if (flight?.options.change !== change) throw new Failure('HF404', `there is no candidate of ${change}`);
      if (flight.kind === 'in place')
        return tryRoutes(fleet, flight.options.site, flight.options.active.generation, null);
      const { site, launched, incumbent } = flight.options;
      return tryRoutes(fleet, site, launched.generation, incumbent.generation);
    },
    async candidate({ site: text, change }) {
      const site = siteOf(text);
      const launched = await serving.changes.start(text, site, change);
      return { ...described(launched), witnesses: await askAll(launched, site) };
    },
    drift: ({ mend }) => serving.drift(mend),
    inPlace: ({ site }) => serving.changes.inPlace.plan(site, siteOf(site)),
    async candidateInPlace({ site, change }) {
      const { generation, pid } = await serving.changes.startInPlace(site, siteOf(site), change);
      return { generation, pid, startMs: 0, serversDown: [], witnesses: [] };
    },
    async expose({ change, share, leaseMs, requestsMax }) {
      const flight = serving.changes.flight;
      if (flight?.options.change !== change) throw new Failure('HF404', `there is no candidate of ${change}`);
      await flight.expose(share, leaseMs, requestsMax);
      return null;
    },
    observe: async ({ change }) =>
      serving.changes.flightOf(change)?.observation() ?? recorded(serving, change),
    async promote({ change }) {
      await serving.changes.promote(change);
      return null;
    },
    rollback: ({ reason, change }) => serving.changes.rollback(reason, change),
    records: async ({ after }) => serving.records.after(after),
    ticks: ({ life, after, waitMs }) => serving.ticks.read(life, after, Math.min(waitMs, ticksWaitMsMax)),
    async note({ what }) {
      serving.records.add(what);
      return null;
    },
    async stop() {
      await stop(serving);
      stopped();
      return null;
    },
  };
}

async function wayBack(
  serving: Serving,
  { site, cold, parked }: BalancerCalls['wayBack']['input'],
): Promise<WayBackResult> {
  const { fleet, kept, changes } = serving;
  if (parked !== undefined) {
    const { flight } = changes;
    if (flight?.options.change !== parked) throw new Failure('HF404', `there is no candidate of ${parked}`);
    // Told otherwise: nothing is parked that could be tried.
    if (flight.kind === 'in place')
      return { ok: true, generation: flight.options.active.generation, tried: [] };
    return await tryParked(fleet, kept, flight);
  }
  const tried = await tryWayBack(fleet, kept.site, activeOf(await fleet.status()));
  const shown = cold ? coldTry(await serving.coldProof.fresh()) : [];
  const known = site ? knownFaults(fleet, siteOf(site)) : [];
  return {
    ...tried,
    ok: tried.ok && shown.every(({ ok }) => ok),
    tried: [...tried.tried, ...shown],
    ...(known.length > 0 ? { knownFaults: known } : {}),
  };
}

async function rehearseAll(
  { fleet, kept, coldProof }: Serving,
  { site: text, witnesses: planned = [], recent = [] }: BalancerCalls['rehearse']['input'],
): Promise<RehearsalResult> {
  const site = siteOf(text);
  const rehearsed = await rehearse(fleet, site, text, planned);
  const cold = await coldProof.fresh();
  const result = cold.ok ? { ...rehearsed, incumbent: cold } : rehearsed;
  if (recent.length === 0 || !rehearsed.ok) return result;
  const [candidate, incumbent] = [
    { by: fleet.engineFor(site), site },
    { by: kept.runner, site: kept.site },
  ];
  return { ...result, real: await askReal(fleet, candidate, incumbent, recent) };
}

function coldTry({ ok, startMs, memoryBytes, why }: ColdProofView): WayBackResult['tried'] {
  const answered = ok
    ? `answered after ${startMs} ms, with ${Math.round(memoryBytes / 1e6)} MB; killed`
    : why;
  return [{ what: 'a cold start of the last good text, in a sandbox', ok, answered }];
}

/** An engine that does not start has answered the question. @throws what is none of its doing */
function asNotStarted(error: unknown): RehearsalResult {
  if (!(error instanceof Failure) || error.code !== 'HF303') throw error;
  return {
    ok: false,
    startMs: 0,
    memoryBytes: 0,
    witnesses: [],
    replaced: [],
    notStarted: error.message,
  };
}

async function statusOf(serving: Serving, beside: BesideWatch): Promise<BalancerStatus> {
  const { balancer, installed } = serving.fleet.options;
  const { generations } = await serving.fleet.status();
  const active = generations.find(({ role }) => role === 'active');
  const engine = active?.engine ?? serving.kept.own;
  const { carried = null } = serving.kept.good;
  return {
    balancer: balancer.name,
    engine,
    version: installed().find((one) => one.engine.name === engine)?.binary.version ?? '',
    carried,
    certificates: serving.fleet.certificates.facts(serving.kept.good.current, serving.kept.site),
    addresses: serving.addresses,
    generations: generations.map(({ generation, engine: by, pid, role, side, siteHash, change }) => ({
      generation,
      engine: by,
      pid,
      role,
      state: side,
      siteHash,
      change,
      ...serving.seen(generation),
    })),
    lastGoodHash: serving.kept.good.current.hash,
    ...(serving.coldProof.last ? { coldStart: serving.coldProof.last } : {}),
    lastRecord: serving.records.last,
    ...(beside.found.length > 0 ? { beside: beside.found } : {}),
    ...(beside.unfinished ? { unfinished: beside.unfinished } : {}),
  };
}

function described({ generation, pid, startMs, servers }: Launched): Omit<CandidateResult, 'witnesses'> {
  const serversDown = servers
    .filter((s) => s.state === 'down' && s.lastCheck !== inMaintenance)
    .map(({ pool, server, lastCheck }) => ({ pool, server, lastCheck }));
  return { generation, pid, startMs: Math.round(startMs), serversDown };
}

/** One request of every route, by the candidate's entrance: before the first user's. */
async function askAll(launched: Launched, site: Site): Promise<CandidateResult['witnesses']> {
  // What an own text does with a request is not known, and it has no entrance.
  if (site.own) return [];
  const { entrance } = launched.folder.placement;
  assert(entrance !== null, 'a serving generation has an entrance');
  const asked: CandidateResult['witnesses'][number][] = [];
  for (const { request } of witnesses(routeOf(site))) {
    const status = await askEntrance(entrance, request, witnessMsMax).then(
      (answer) => answer.status,
      () => 0,
    );
    asked.push({ request: describeRequest(request), status });
  }
  return [...asked, ...(await askStreams(streamEntrance(entrance), site))];
}

/** What a predecessor of this process recorded of a change's candidate. */
function recorded(serving: Serving, change: string): CandidateObservation {
  const past = serving.records
    .after(0)
    .findLast((r) => r.what.kind === 'tookBack' && r.what.takeBack.change === change);
  if (past?.what.kind !== 'tookBack') throw new Failure('HF404', `there is no candidate of ${change}`);
  const { takeBack } = past.what;
  const { candidate, incumbent } = takeBack.evidence;
  return { candidate, incumbent, observedShare: 0, eValue: 1, takenBack: takeBack, exposedMs: 0 };
}

async function stop(serving: Serving): Promise<void> {
  const { fleet } = serving;
  const { run, log } = fleet.options;
  serving.end();
  await fleet.holder.call('shutdown', { withinMs: shutdownMs }, 2 * shutdownMs).catch((error) => {
    log.warn('the holder did not end by itself', { error: messageOf(error) });
  });
  fleet.close();
  clearSandboxes(run);
  rmSync(join(run, 'holder.sock'), { force: true });
}
