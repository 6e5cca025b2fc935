import { type Clock, type Log, messageOf, type SitePaths } from '#base';
import type { SiteKeeper } from '#change';
import type { LiveView, SiteText } from '#contract';
import { readSite } from '#dialects';
import type { Tick } from '#events';
import type { Site } from '#model';
import { type Act, type MetricsFormat, Monitor, type Monitoring, meter } from '#monitor';
import type { OpenTicks } from '#store';
import { agentPort } from '../agent-port.ts';
import type { JournalDoor } from '../journal-room.ts';
import { live } from './live.ts';
import { probeAll } from './probes.ts';
import { tellerOf } from './teller.ts';

export interface WatchingParts {
  /** Its name. */
  readonly site: string;
  readonly paths: SitePaths;
  /** Names. */
  readonly balancers: readonly string[];
  readonly sites: SiteKeeper;
  readonly door: JournalDoor;
  /** Null: it could not be opened, and nothing is kept. */
  readonly ticks: OpenTicks | null;
  /** monitor.yaml as it is in force; null: there is none. */
  readonly settings: () => Monitoring | null;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Watching {
  live(): LiveView;
  metrics(format: MetricsFormat): string;
  close(): Promise<void>;
}

const lookEveryMs = 250;
const waitMs = 1_000;
const answerMsMax = 4_000;
const retryMs = 250;
const tickMs = 100;
const expireEveryMs = 600_000;

/** The monitor at work: ticks of all agents in, facts into the journal. It needs neither the journal nor its own disk. */
export function watchSite(parts: WatchingParts): Watching {
  const { clock, log, sites } = parts;
  const ending = new AbortController();
  const [shown, counted] = [live(), meter()];
  let hasHeard = false;
  const ports = parts.balancers.map((name) => agentPort(parts.paths, name));
  const teller = tellerOf(parts);
  let running: { readonly hash: string; readonly text: SiteText; readonly site: Site } | null = null;
  let monitor: Monitor | null = null;
  const keep = keeping(parts);

  function take(acts: readonly Act[]): void {
    for (const act of acts) {
      if (act.kind === 'tell') teller.tell(act.event);
      else probe(act.fault).catch((error) => log.error('the monitor stumbled', { why: messageOf(error) }));
    }
  }

  async function probe(fault: string): Promise<void> {
    if (!running || !monitor) return;
    const { site, text } = running;
    const pools = monitor.open
      .filter((one) => one.fault === fault)
      .flatMap(({ series }) => series.flatMap(({ pool }) => (pool === null ? [] : [pool])));
    const probed = await probeAll({ site, text, balancers: ports, pools }).catch((error) => {
      log.error('nobody could be asked', { why: messageOf(error) });
      return { direct: [], through: [] };
    });
    if (!ending.signal.aborted) take(monitor.probed(fault, probed, clock.now()));
  }

  /** A site that cannot be read is watched as it was. */
  function lookAtSite(): void {
    const text = currentOf(sites);
    if (!text || text.hash === running?.hash) return;
    const { site } = readSite(text);
    if (!site) return;
    running = { hash: text.hash, text, site };
    if (monitor) monitor.siteIs(site);
    else {
      const falseAlarmsPerMonth = parts.settings()?.falseAlarmsPerMonth ?? 1;
      monitor = new Monitor({ site, tickMs, falseAlarmsPerMonth, lastFault: teller.lastFault() });
    }
  }

  function heard(tick: Tick): void {
    hasHeard = true;
    shown.add(tick);
    counted.add(tick);
    keep(tick);
    if (monitor) take(monitor.tick(tick));
  }

  async function look(): Promise<void> {
    let expiredAt = clock.monotonicMs();
    while (!ending.signal.aborted) {
      try {
        teller.follow((entry) => monitor?.journalled(entry));
        lookAtSite();
        if (monitor) take(monitor.look(clock.now()));
        if (hasHeard) teller.endOrphans(clock.now());
        if (clock.monotonicMs() - expiredAt >= expireEveryMs) {
          expiredAt = clock.monotonicMs();
          parts.ticks?.expire(clock.now());
        }
      } catch (error) {
        log.error('the monitor stumbled', { why: messageOf(error) });
      }
      await clock.sleep(lookEveryMs, ending.signal).catch(() => {});
    }
  }

  const working = [look(), ...ports.map((port) => followTicks(port, clock, ending.signal, heard))];
  return {
    live: () => shown.view(parts.site, monitor, clock.now()),
    metrics: (format) => counted.text(format, monitor?.open ?? [], monitor?.falseAlarms ?? 0, clock.now()),
    async close() {
      ending.abort();
      for (const port of ports) port.close();
      await Promise.all(working);
      teller.close();
      parts.ticks?.close();
    },
  };
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
