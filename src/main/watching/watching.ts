import { type Clock, type Log, messageOf, type SitePaths } from '#base';
import type { SiteKeeper } from '#change';
import type { LiveView, SiteText } from '#contract';
import { readSite } from '#dialects';
import type { JournalEntry, Tick } from '#events';
import type { Site } from '#model';
import {
  type Act,
  type Around,
  type MetricsFormat,
  Monitor,
  type Monitoring,
  meter,
  type ProbeBook,
  type ProbeResult,
  probeBook,
  seriesCount,
} from '#monitor';
import type { OpenTicks } from '#store';
import type { agentPort } from '../agent-port.ts';
import type { JournalDoor } from '../journal-room.ts';
import { type Exchange, exchange } from './exchange.ts';
import { live } from './live.ts';
import { type ObjectivesAtWork, objectivesAtWork } from './objectives.ts';
import { calibrated, type FaultTime, usual } from './past.ts';
import { probeAll } from './probes.ts';
import { type Probing, probing } from './probing.ts';
import { SparesAtWork } from './spares.ts';
import { tellerOf } from './teller.ts';

export interface WatchingParts {
  /** Its name. */
  readonly site: string;
  readonly paths: SitePaths;
  /** A connection of its own to each balancer, which is closed with the rest. */
  readonly ports: readonly ReturnType<typeof agentPort>[];
  readonly sites: SiteKeeper;
  readonly door: JournalDoor;
  /** Null: it could not be opened, and nothing is kept. */
  readonly ticks: OpenTicks | null;
  /** monitor.yaml as it is in force; null: there is none. */
  readonly settings: () => Monitoring | null;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Watching {
  live(): LiveView;
  metrics(format: MetricsFormat): string;
  /** Why no change may begin now: one line for each series of monitor.yaml with `gate: true` that is bad. */
  against(): readonly string[];
  close(): Promise<void>;
}

const lookEveryMs = 250;
const waitMs = 1_000;
const answerMsMax = 4_000;
const retryMs = 250;
const tickMs = 100;
const expireEveryMs = 600_000;
const dayMs = 86_400_000;
const faultsMax = 1_000;

/** The monitor at work: ticks of all agents in, facts into the journal. It needs neither the journal nor its own disk. */
export function watchSite(parts: WatchingParts): Watching {
  return new SiteWatch(parts);
}

class SiteWatch implements Watching {
  readonly #parts: WatchingParts;
  readonly #ending = new AbortController();
  readonly #shown = live();
  readonly #counted = meter();
  readonly #ports: readonly ReturnType<typeof agentPort>[];
  readonly #teller: ReturnType<typeof tellerOf>;
  readonly #keep: (tick: Tick) => void;
  readonly #objectives: ObjectivesAtWork;
  readonly #spares: SparesAtWork;
  readonly #probes: ProbeBook;
  readonly #exchange: Exchange;
  #calibratedAt = Number.NEGATIVE_INFINITY;
  #vetoed = '';
  readonly #faults = new Map<string, FaultTime>();
  readonly #probing: Probing;
  readonly #working: readonly Promise<void>[];
  #hasHeard = false;
  #expiredAt: number;
  #running: { readonly hash: string; readonly text: SiteText; readonly site: Site } | null = null;
  #monitor: Monitor | null = null;

  constructor(parts: WatchingParts) {
    const { clock, log } = parts;
    this.#parts = parts;
    this.#ports = parts.ports;
    this.#teller = tellerOf(parts);
    this.#keep = keeping(parts);
    this.#objectives = objectivesAtWork(parts.ticks, log);
    this.#spares = new SparesAtWork(parts);
    this.#probes = probeBook(() => parts.settings()?.falseAlarmsPerMonth ?? 1);
    this.#probing = probing({
      paths: parts.paths,
      balancers: this.#ports,
      clock,
      random: Math.random,
      rate: (balancer) => this.#shown.rate(balancer, clock.now()),
      heard: (result) => this.#answered(result),
    });
    this.#exchange = exchange({
      ...parts,
      families: () => this.#counted.families(this.#around(), clock.now()),
    });
    this.#expiredAt = clock.monotonicMs();
    const heard = (tick: Tick) => this.#heard(tick);
    this.#working = [
      this.#look(),
      ...this.#ports.map((port) => followTicks(port, clock, this.#ending.signal, heard)),
    ];
  }

  live(): LiveView {
    const { site, clock } = this.#parts;
    return this.#shown.view(site, this.#monitor, this.#objectives.states(), this.#probes.newest, clock.now());
  }

  against(): readonly string[] {
    return this.#exchange.expressions.against().map(({ why }) => why);
  }

  metrics(format: MetricsFormat): string {
    return this.#counted.text(format, this.#around(), this.#parts.clock.now());
  }

  #around(): Around {
    const { open = [], falseAlarms = 0 } = this.#monitor ?? {};
    return {
      faults: open,
      falseAlarms,
      falseAlarmsPerMonth: this.#parts.settings()?.falseAlarmsPerMonth ?? 1,
      probes: this.#probes.newest,
      objectives: this.#objectives.states(),
    };
  }

  async close(): Promise<void> {
    this.#ending.abort();
    for (const port of this.#ports) port.close();
    await Promise.all([...this.#working, this.#probing.close(), this.#exchange.close()]);
    this.#teller.close();
    this.#parts.ticks?.close();
  }

  #take(acts: readonly Act[]): void {
    for (const act of acts) {
      if (act.kind === 'tell') this.#teller.tell(act.event);
      else this.#probe(act.fault).catch((error) => this.#stumbled(error));
    }
  }

  #stumbled(error: unknown): void {
    this.#parts.log.error('the monitor stumbled', { why: messageOf(error) });
  }

  async #probe(fault: string): Promise<void> {
    const [running, monitor] = [this.#running, this.#monitor];
    if (!running || !monitor) return;
    const { log, clock } = this.#parts;
    const { site, text } = running;
    const pools = monitor.open
      .filter((one) => one.fault === fault)
      .flatMap(({ series }) => series.flatMap(({ pool }) => (pool === null ? [] : [pool])));
    const probed = await probeAll({ site, text, balancers: this.#ports, pools }).catch((error) => {
      log.error('nobody could be asked', { why: messageOf(error) });
      return { direct: [], through: [] };
    });
    if (!this.#ending.signal.aborted) this.#take(monitor.probed(fault, probed, clock.now()));
  }

  /** A site that cannot be read is watched as it was. */
  #lookAtSite(): void {
    const { sites, clock, ticks } = this.#parts;
    const text = currentOf(sites);
    const settings = this.#parts.settings();
    const falseAlarmsPerMonth = settings?.falseAlarmsPerMonth ?? 1;
    const site = text && text.hash !== this.#running?.hash ? readSite(text).site : null;
    if (text && site) {
      this.#running = { hash: text.hash, text, site };
      this.#spares.siteIs(site);
      const lastFault = this.#teller.lastFault();
      if (this.#monitor) this.#monitor.siteIs(site);
      else
        this.#monitor = new Monitor({
          site,
          tickMs,
          falseAlarmsPerMonth,
          lastFault,
          known: usual(ticks, clock.now()),
        });
    }
    this.#monitor?.budgetIs(falseAlarmsPerMonth);
    if (!this.#running) return;
    this.#objectives.are(settings, this.#running.site, clock.now());
    this.#probing.are(settings, this.#running);
    this.#exchange.are(settings);
    this.#probes.only((settings?.probes ?? []).map(({ name }) => name));
  }

  #answered(result: ProbeResult): void {
    this.#probes.add(result);
    this.#objectives.probed(result.probe, result.at, result.ok, result.tookMs);
  }

  #heard(tick: Tick): void {
    this.#hasHeard = true;
    this.#shown.add(tick);
    this.#counted.add(tick);
    this.#keep(tick);
    this.#objectives.add(tick);
    if (this.#monitor) this.#take(this.#monitor.tick(tick));
    this.#spares.tick(tick);
  }

  async #look(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#ending.signal.aborted) {
      try {
        this.#lookOnce(clock.now());
      } catch (error) {
        this.#stumbled(error);
      }
      await clock.sleep(lookEveryMs, this.#ending.signal).catch(() => {});
    }
  }

  /** Once a day: what the past of the site asks for may rise, and fall. */
  #calibrate(now: number): void {
    const { ticks, log } = this.#parts;
    const site = this.#running?.site;
    if (!this.#monitor || !site || now - this.#calibratedAt < dayMs) return;
    this.#calibratedAt = now;
    const balancers = site.balancers.map(({ name }) => name);
    const series = seriesCount(balancers.length, site.pools.length);
    const falseAlarmsPerMonth = this.#parts.settings()?.falseAlarmsPerMonth ?? 1;
    const plan = { balancers, series, falseAlarmsPerMonth, faults: [...this.#faults.values()] };
    this.#monitor.calibratedTo(calibrated(ticks, plan, now, log) ?? 0);
  }

  /**
   * A change that has traffic when a series of monitor.yaml begins to speak against it is taken back. What was bad before it was
   * proposed is not its fault: what is urgent may begin all the same, and may be what mends it.
   */
  #veto(): void {
    const pipeline = this.#parts.door.open()?.pipeline;
    const change = pipeline?.inFlight();
    if (!pipeline || !change || this.#vetoed === change.id) return;
    if (change.state !== 'canary' && change.state !== 'baking') return;
    const against = this.#exchange.expressions.against();
    const why = against.find(({ since }) => since > change.proposedAt)?.why;
    if (why === undefined) return;
    this.#vetoed = change.id;
    pipeline.abort('controller', why, change.id).catch((error) => this.#stumbled(error));
  }

  #journalled(entry: JournalEntry): void {
    this.#monitor?.journalled(entry);
    this.#counted.journalled(entry);
    const { event } = entry;
    if (event.kind === 'fault.seen')
      this.#faults.set(event.fault, { from: event.startedAt, to: Number.POSITIVE_INFINITY });
    if (event.kind !== 'fault.ended') return;
    // A false alarm is what thresholds are to rise by.
    if (event.wasFalse) this.#faults.delete(event.fault);
    else this.#faults.set(event.fault, { from: event.startedAt, to: event.endedAt });
    const [oldest] = this.#faults.keys();
    if (this.#faults.size > faultsMax && oldest !== undefined) this.#faults.delete(oldest);
  }

  #lookOnce(now: number): void {
    const { clock, ticks } = this.#parts;
    this.#teller.follow((entry) => this.#journalled(entry));
    this.#lookAtSite();
    if (this.#monitor) {
      this.#take(this.#monitor.look(now));
      this.#take(
        this.#monitor.state(now, [
          ...this.#objectives.look(now),
          ...this.#probes.stated(now),
          ...this.#exchange.expressions.stated(),
        ]),
      );
    }
    void this.#spares.look(this.#monitor?.open ?? []);
    this.#calibrate(now);
    this.#veto();
    if (this.#hasHeard) this.#teller.endOrphans(now);
    if (clock.monotonicMs() - this.#expiredAt < expireEveryMs) return;
    this.#expiredAt = clock.monotonicMs();
    ticks?.expire(now);
  }
}

/** A disk that is full costs history, and nothing else. */
function keeping({ ticks, log }: WatchingParts): (tick: Tick) => void {
  let fault = '';
  return (tick) => {
    try {
      ticks?.add(tick);
      fault = '';
    } catch (error) {
      if (fault === '') log.warn('what was counted is not kept', { why: messageOf(error) });
      fault = messageOf(error);
    }
  };
}

function currentOf(sites: SiteKeeper): SiteText | null {
  try {
    return sites.current();
  } catch {
    return null;
  }
}

/** Asks for what comes next, again and again; an agent that is away is asked again until it is back. */
async function followTicks(
  port: ReturnType<typeof agentPort>,
  clock: Clock,
  ending: AbortSignal,
  heard: (tick: Tick) => void,
): Promise<void> {
  let [life, after] = [0, 0];
  while (!ending.aborted) {
    try {
      const read = await port.call('ticks', { life, after, waitMs }, answerMsMax);
      // What an agent counted before anybody watched is no news.
      const ticks = life === 0 ? read.ticks.slice(-1) : read.ticks;
      life = read.life;
      for (const tick of ticks) {
        after = tick.number;
        if (!ending.aborted) heard(tick);
      }
    } catch {
      await clock.sleep(retryMs, ending).catch(() => {});
    }
  }
}
