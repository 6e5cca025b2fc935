import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { assert, Failure, messageOf } from '#base';
import type { BalancerCall, BalancerCalls, BalancerStatus, CandidateResult, SiteText } from '#contract';
import type { GuardRecord, TakeBack } from '#events';
import { boundHost, routeOf, type Site } from '#model';
import { askEntrance, describeRequest, probeServer } from '#probe';
import { witnesses } from '#routing';
import { noCounts } from './evidence.ts';
import { createFleet, type FleetOptions, type Launched } from './fleet.ts';
import { type Flight, startFlight } from './flight.ts';
import { prepareFolder } from './folders.ts';
import { type Good, loadGood, saveGood, siteOf } from './good.ts';
import { openRecords } from './guard/records.ts';
import { watchSteady } from './guard/steady.ts';
import { tickMs } from './guard/watch.ts';
import type { HeldGeneration, HolderStatus } from './holder/protocol.ts';
import { checkText, clearSandboxes, rehearse } from './sandbox.ts';
import { tryWayBack } from './way-back.ts';

export type Agent = {
  [C in BalancerCall]: (input: BalancerCalls[C]['input']) => Promise<BalancerCalls[C]['output']>;
} & {
  /** Serves the site: takes up what runs, or starts it. Rejects with a Failure when it cannot. */
  begin(first: SiteText): Promise<void>;
};

/** A generation that is no longer needed gets this long for its open connections. */
const retireMsMax = 30_000;
const reconcileEveryTicks = 5;
const standbyRetryMs = 5_000;
/** A text that dies again within this time after it was restored stays down; the one before goes on. */
const restoreAgainMs = 60_000;
const probesAtOnceMax = 32;
const witnessMsMax = 5_000;

/** One balancer's agent: carries out what the controller asks, and guards what runs, with or without a controller. */
export function createAgent(options: FleetOptions & { stopped: () => void }): Agent {
  const { balancer, engine, binary, run, state, clock, log } = options;
  const fleet = createFleet(options);
  const records = openRecords({ file: join(state, 'guard.jsonl'), balancer: balancer.name, clock, log });
  const steady = watchSteady();
  let good: Good | null = null;
  let site: Site | null = null;
  let flight: Flight | null = null;
  let lastTakenBack: Flight | null = null;
  let lastDeath = 0;
  let launchingStandby = false;
  let standbyRetryAt = 0;
  let restoredAt = Number.NEGATIVE_INFINITY;
  let ticks = 0;
  let ticking = false;
  let timer: NodeJS.Timeout | undefined;
  const lastSeen = new Map<number, { requests: number; errors: number }>();

  const current = () => {
    assert(good && site, 'the agent has begun');
    return { good, site };
  };
  const record = (what: GuardRecord['what']) => records.add(what);

  function keepGood(next: Good): void {
    saveGood(state, next);
    good = next;
    site = siteOf(next.current);
    try {
      prepareFolder({
        site,
        balancer,
        engine,
        identity: null,
        folder: join(state, 'last-good'),
        generation: 0,
        threads: 1,
        ticketKeys: null,
        purpose: 'boot',
        servers: null,
      });
    } catch (error) {
      log.error('what the next boot would use could not be written', { error: messageOf(error) });
    }
  }

  function activeOf(status: HolderStatus): HeldGeneration {
    const active = status.generations.find((g) => g.generation === status.active);
    if (!active) throw new Failure('HF105', `${balancer.name} has no active generation`);
    return active;
  }

  async function activate(generation: number, pid: number): Promise<void> {
    await fleet.holder.call('activate', { generation }, 3_000);
    await fleet
      .control(generation, pid)
      .net(false, 500)
      .catch((error) => {
        log.warn('the net is still in', { generation, error: messageOf(error) });
      });
  }

  /** Serves what was last good, from nothing: first start, boot, or when every engine has died. */
  async function coldStart(): Promise<void> {
    const { good, site } = current();
    const launched = await fleet.launch(good.current, site, 'standby', null);
    await activate(launched.generation, launched.pid);
    log.info('serving', { generation: launched.generation, addresses: addresses() });
  }

  const addresses = () =>
    current().site.listeners.map((l) => `${l.tls ? 'https' : 'http'}://${boundHost(l, balancer)}:${l.port}`);

  async function begin(first: SiteText): Promise<void> {
    const kept = loadGood(state);
    if (kept) {
      good = kept;
      site = siteOf(kept.current);
    } else keepGood({ current: first, previous: null, change: null });
    clearSandboxes(run);
    await fleet.ensureHolder();
    const status = await fleet.status();
    lastDeath = Math.max(0, ...status.deaths.map((d) => d.number));
    await takeUp(status);
    if (status.active === null) await coldStart();
    await reconcile();
    timer = setInterval(tick, tickMs);
  }

  /** After this agent's predecessor died: a candidate that was promoted is made active, any other is taken back. */
  async function takeUp(status: HolderStatus): Promise<void> {
    for (const found of status.generations.filter((g) => g.role === 'candidate')) {
      if (found.siteHash === current().good.current.hash) {
        await activate(found.generation, found.pid);
        continue;
      }
      if (status.active === null) continue;
      const done = await fleet.holder.call('takeBack', { from: found.generation, to: status.active }, 2_000);
      record({
        kind: 'tookBack',
        takeBack: {
          change: found.change,
          from: found.generation,
          to: status.active,
          reason: 'the agent ended while the candidate was exposed',
          ...done,
          evidence: {
            cause: 'lease',
            exposedAt: null,
            firstBadAt: null,
            candidate: noCounts,
            incumbent: noCounts,
            serversDown: [],
            errorLines: [],
          },
        },
      });
    }
  }

  async function tick(): Promise<void> {
    if (ticking) return;
    ticking = true;
    ticks += 1;
    try {
      if (flight) await flight.tick();
      if (flight?.takenBack) endFlight();
      if (flight || ticks % reconcileEveryTicks === 0) await reconcile();
      await watchActive();
    } catch (error) {
      log.warn('a tick failed', { error: messageOf(error) });
      await fleet.ensureHolder().catch((e) => log.error('no holder', { error: messageOf(e) }));
    } finally {
      ticking = false;
    }
  }

  let activeNow: HeldGeneration | null = null;
  async function watchActive(): Promise<void> {
    if (!activeNow) return;
    const evidence = await fleet
      .control(activeNow.generation, activeNow.pid)
      .evidence(80)
      .catch(() => null);
    if (!evidence) return;
    lastSeen.set(activeNow.generation, { requests: evidence.requests, errors: evidence.errors });
    for (const what of steady.tick(activeNow.generation, evidence)) record(what);
  }

  /** Brings what runs to what should run: one active generation of the last good text, one parked one to go back to. */
  async function reconcile(): Promise<void> {
    const status = await fleet.status();
    for (const death of status.deaths.filter((d) => d.number > lastDeath)) {
      lastDeath = death.number;
      const { generation, role, how, takenOverBy, tookOverMs } = death;
      record({ kind: 'engineDied', generation, role, how, takenOverBy, tookOverMs });
      if (flight && (role === 'candidate' || role === 'active')) {
        await flight.takeBack('died', `the ${role}'s engine ended (${how})`);
        endFlight();
      }
    }
    if (status.active === null) return await coldStart();
    activeNow = activeOf(status);
    fleet.tidy(status);
    if (flight) return;
    await restore(status);
    ensureStandby(status);
  }

  /** After an engine's death an older text may serve: bring the last good one back, once. */
  async function restore(status: HolderStatus): Promise<void> {
    const { good, site } = current();
    if (activeOf(status).siteHash === good.current.hash) return;
    if (clock.monotonicMs() - restoredAt < restoreAgainMs) return;
    restoredAt = clock.monotonicMs();
    const launched = await fleet.launch(good.current, site, 'candidate', null);
    fleet.link(launched.generation, activeOf(status).generation);
    await activate(launched.generation, launched.pid);
  }

  function ensureStandby(status: HolderStatus): void {
    const others = status.generations.filter((g) => g.role === 'standby');
    for (const spare of others.slice(0, -1))
      void fleet.holder
        .call('retire', { generation: spare.generation, withinMs: retireMsMax })
        .catch(() => {});
    if (others.length > 0 || launchingStandby || clock.monotonicMs() < standbyRetryAt) return;
    launchingStandby = true;
    const { good, site } = current();
    const active = activeOf(status).generation;
    fleet
      .launch(good.current, site, 'standby', null)
      .then((launched) => fleet.link(active, launched.generation))
      .catch((error) => {
        standbyRetryAt = clock.monotonicMs() + standbyRetryMs;
        log.error('no standby', { error: messageOf(error) });
      })
      .finally(() => {
        launchingStandby = false;
      });
  }

  function endFlight(): void {
    if (flight?.takenBack) lastTakenBack = flight;
    flight?.end();
    flight = null;
  }

  async function candidate(text: SiteText, change: string): Promise<CandidateResult> {
    if (flight) throw new Failure('HF108', `${balancer.name} already has a candidate, of ${flight.change}`);
    const next = siteOf(text);
    const status = await fleet.status();
    const incumbent = activeOf(status);
    const launched = await fleet.launch(text, next, 'candidate', change);
    fleet.link(launched.generation, incumbent.generation);
    flight = startFlight({
      fleet,
      incumbent: {
        generation: incumbent.generation,
        control: fleet.control(incumbent.generation, incumbent.pid),
      },
      launched,
      change,
      text,
      site: next,
      history: steady.history,
      record,
    });
    return {
      generation: launched.generation,
      pid: launched.pid,
      startMs: Math.round(launched.startMs),
      serversDown: launched.servers
        .filter((s) => s.state === 'down')
        .map(({ pool, server, lastCheck }) => ({ pool, server, lastCheck })),
      witnesses: await askAll(launched, next),
    };
  }

  async function askAll(launched: Launched, next: Site): Promise<CandidateResult['witnesses']> {
    const entrance = launched.folder.placement.entrance;
    assert(entrance !== null, 'a serving generation has an entrance');
    const asked: CandidateResult['witnesses'][number][] = [];
    for (const { request } of witnesses(routeOf(next))) {
      const status = await askEntrance(entrance, request, witnessMsMax).then(
        (answer) => answer.status,
        () => 0,
      );
      asked.push({ request: describeRequest(request), status });
    }
    return asked;
  }

  function flying(change: string): Flight {
    if (flight?.change === change) return flight;
    throw new Failure('HF404', `${balancer.name} has no candidate of ${change}`);
  }

  async function promote(change: string): Promise<void> {
    if (good?.change === change) return;
    const promoted = flying(change);
    const before = await fleet.status();
    const incumbent = activeOf(before);
    keepGood({ current: promoted.text, previous: current().good.current, change });
    promoted.end();
    await activate(promoted.launched.generation, promoted.launched.pid);
    fleet.link(incumbent.generation, null);
    flight = null;
    for (const old of before.generations.filter((g) => g.role === 'standby'))
      await fleet.holder
        .call('retire', { generation: old.generation, withinMs: retireMsMax })
        .catch(() => {});
  }

  async function rollback(reason: string, change: string | null): Promise<TakeBack | null> {
    if (flight && (change === null || flight.change === change)) {
      const done = await flight.takeBack('person', reason);
      endFlight();
      return done;
    }
    const { good } = current();
    if (flight || !good.previous || (change !== null && good.change !== change)) return null;
    return await goBack(good.previous, good.change, reason);
  }

  /** Back to the generation before the last promotion: parked and alive, or else started cold. */
  async function goBack(previous: SiteText, change: string | null, reason: string): Promise<TakeBack> {
    let status = await fleet.status();
    const active = activeOf(status);
    let parked = status.generations.find((g) => g.role === 'standby' && g.siteHash === previous.hash);
    const cold = !parked;
    if (!parked) {
      const launched = await fleet.launch(previous, siteOf(previous), 'standby', null);
      status = await fleet.status();
      parked = status.generations.find((g) => g.generation === launched.generation);
    }
    if (!parked) throw new Failure('HF105', 'the generation before could not be started');
    fleet.link(active.generation, parked.generation);
    const done = await fleet.holder.call(
      'takeBack',
      { from: active.generation, to: parked.generation },
      3_000,
    );
    keepGood({ current: previous, previous: null, change: null });
    const takeBack: TakeBack = {
      change,
      from: active.generation,
      to: parked.generation,
      reason,
      ...done,
      rung: cold ? 3 : done.rung,
      evidence: {
        cause: 'person',
        exposedAt: null,
        firstBadAt: null,
        candidate: noCounts,
        incumbent: noCounts,
        serversDown: [],
        errorLines: [],
      },
    };
    record({ kind: 'tookBack', takeBack });
    return takeBack;
  }

  async function status(): Promise<BalancerStatus> {
    const held = await fleet.status();
    return {
      balancer: balancer.name,
      engine: engine.name,
      version: binary.version,
      addresses: addresses(),
      generations: held.generations.map((g) => ({
        generation: g.generation,
        pid: g.pid,
        role: g.role,
        state: g.side,
        siteHash: g.siteHash,
        change: g.change,
        requests: lastSeen.get(g.generation)?.requests ?? 0,
        errors: lastSeen.get(g.generation)?.errors ?? 0,
      })),
      lastGoodHash: current().good.current.hash,
      lastRecord: records.last,
    };
  }

  return {
    begin,
    status,
    check: ({ site: text }) => checkText(fleet, text),
    async probe({ site: text, servers }) {
      const asked = siteOf(text);
      const wanted = servers.flatMap(({ pool, server }) => {
        const p = asked.pools.find((x) => x.name === pool);
        const s = p?.servers.find((x) => x.name === server);
        return p && s ? [{ pool: p, server: s }] : [];
      });
      const results: BalancerCalls['probe']['output'][number][] = [];
      for (let i = 0; i < wanted.length; i += probesAtOnceMax) {
        const some = wanted.slice(i, i + probesAtOnceMax).map(async ({ pool, server }) => ({
          pool: pool.name,
          server: server.name,
          address: `${server.host}:${server.port}`,
          ...(await probeServer(server, {
            check: pool.healthCheck,
            connectMs: pool.timeouts.connectMs,
            clock,
          })),
        }));
        results.push(...(await Promise.all(some)));
      }
      return results;
    },
    rehearse: ({ site: text }) => rehearse(fleet, text, siteOf(text)),
    async wayBack() {
      return await tryWayBack(fleet, current().site, activeOf(await fleet.status()));
    },
    candidate: ({ site: text, change }) => candidate(text, change),
    async expose({ change, share, leaseMs, requestsMax }) {
      await flying(change).expose(share, leaseMs, requestsMax);
      return null;
    },
    async observe({ change }) {
      const known =
        flight?.change === change ? flight : lastTakenBack?.change === change ? lastTakenBack : null;
      if (known) return known.observation();
      const past = records
        .after(0)
        .findLast((r) => r.what.kind === 'tookBack' && r.what.takeBack.change === change);
      if (past?.what.kind !== 'tookBack')
        throw new Failure('HF404', `${balancer.name} has no candidate of ${change}`);
      const { evidence } = past.what.takeBack;
      return { ...evidence, observedShare: 0, eValue: 1, takenBack: past.what.takeBack, exposedMs: 0 };
    },
    async promote({ change }) {
      await promote(change);
      return null;
    },
    rollback: ({ reason, change }) => rollback(reason, change),
    async records({ after }) {
      return records.after(after);
    },
    async stop() {
      clearInterval(timer);
      endFlight();
      await fleet.holder.call('shutdown', { withinMs: 3_000 }, 6_000).catch((error) => {
        log.warn('the holder did not end by itself', { error: messageOf(error) });
      });
      fleet.close();
      clearSandboxes(run);
      rmSync(join(run, 'holder.sock'), { force: true });
      options.stopped();
      return null;
    },
  };
}
