import type { Clock, SitePaths } from '#base';
import type { BalancerPort } from '#change';
import type { SiteText } from '#contract';
import type { FaultScope } from '#events';
import { boundHost, type Site } from '#model';
import type { Monitoring, Probe, ProbeAsks, ProbeResult } from '#monitor';
import {
  askDnsOutside,
  askHttpOutside,
  askTcpOutside,
  askTlsOutside,
  type OutsideAnswer,
  type Resolve,
  resolver,
} from '#probe';
import { askBalancers, askServers } from './probes.ts';

export interface Probing {
  /** What is asked from now on, of the site that runs now. */
  are(settings: Monitoring | null, running: ProbedSite): void;
  close(): Promise<void>;
}

export interface ProbedSite {
  readonly site: Site;
  readonly text: SiteText;
}

export interface ProbingParts {
  readonly paths: SitePaths;
  readonly balancers: readonly BalancerPort[];
  readonly clock: Clock;
  readonly random: () => number;
  /** Requests a second of a balancer, of the last seconds. */
  readonly rate: (balancer: string) => number;
  readonly heard: (result: ProbeResult) => void;
}

/** More questions than that wait for an answer of another one. */
const atOnceMax = 50;

/** Asks what monitor.yaml wants asked, each at its own pace, some earlier and some later so that they do not all come at once. */
export function probing(parts: ProbingParts): Probing {
  const { clock, random } = parts;
  let of: { readonly settings: Monitoring | null; running: ProbedSite } | null = null;
  let ending = new AbortController();
  let working: readonly Promise<void>[] = [];
  let asking = 0;

  async function go(probe: Probe, resolve: Resolve, signal: AbortSignal): Promise<void> {
    await clock.sleep(probe.everyMs * random(), signal).catch(() => {});
    while (!signal.aborted) {
      const running = of?.running;
      if (running && asking < atOnceMax) {
        asking += 1;
        const results = await ask({ ...parts, ...running, probe, resolve }).finally(() => {
          asking -= 1;
        });
        if (!signal.aborted) for (const result of results) parts.heard(result);
      }
      await clock.sleep(probe.everyMs * (0.9 + 0.2 * random()), signal).catch(() => {});
    }
  }

  return {
    are(settings, running) {
      const isSame = of?.settings === settings;
      of = { settings, running };
      if (isSame) return;
      ending.abort();
      ending = new AbortController();
      const resolve = resolver(settings?.allowedHosts ?? [], 'monitor.yaml');
      working = (settings?.probes ?? []).map((probe) => go(probe, resolve, ending.signal));
    },
    async close() {
      ending.abort();
      await Promise.all(working);
    },
  };
}

interface Asking extends ProbingParts, ProbedSite {
  readonly probe: Probe;
  readonly resolve: Resolve;
}

/** Never rejects. */
async function ask(asking: Asking): Promise<readonly ProbeResult[]> {
  const { asks } = asking.probe;
  switch (asks.kind) {
    case 'servers':
      return await askAllServers(asking, asks.pool);
    case 'ways':
      return await askWays(asking, asks.below);
    case 'http':
      if (asks.from === 'balancers') return await askEachBalancer(asking, asks);
      return [await outside(asking, asks.url, { kind: 'site' })];
    case 'dns':
      return [await outside(asking, asks.name, { kind: 'name', host: asks.name })];
    default: {
      const target = `${asks.host}:${asks.port}`;
      return [await outside(asking, target, { kind: 'name', host: target })];
    }
  }
}

function resultOf(
  { probe, clock }: Asking,
  { target, scope, atBalancer }: Pick<ProbeResult, 'target' | 'scope' | 'atBalancer'>,
  answer: Pick<OutsideAnswer, 'ok' | 'answered' | 'tookMs'> & Partial<OutsideAnswer>,
): ProbeResult {
  const { asks, name, everyMs } = probe;
  return {
    probe: name,
    kind: asks.kind,
    target,
    scope,
    atBalancer,
    at: clock.now(),
    everyMs,
    ok: answer.ok,
    answered: answer.answered,
    tookMs: answer.tookMs,
    status: answer.status ?? 0,
    certificateValidTo: answer.certificateValidTo ?? null,
    certificateDays: 'certificateDays' in asks ? asks.certificateDays : 0,
  };
}

async function outside(asking: Asking, target: string, scope: FaultScope): Promise<ProbeResult> {
  const { resolve, probe } = asking;
  const answer = await askOutside(probe.asks, resolve, probe.timeoutMs);
  return resultOf(asking, { target, scope, atBalancer: false }, answer);
}

function askOutside(asks: ProbeAsks, resolve: Resolve, timeoutMs: number): Promise<OutsideAnswer> {
  switch (asks.kind) {
    case 'http':
      return askHttpOutside(asks, resolve, timeoutMs);
    case 'tcp':
      return askTcpOutside(asks, resolve, timeoutMs);
    case 'tls':
      return askTlsOutside(asks, resolve, timeoutMs);
    case 'dns':
      return askDnsOutside(asks, timeoutMs);
    default:
      throw new Error(`${asks.kind} are asked by balancers`);
  }
}

/** The same request to each balancer's own address, at the listener with the port that it names, or else the scheme's. */
async function askEachBalancer(
  asking: Asking,
  asks: ProbeAsks & { readonly kind: 'http' },
): Promise<readonly ProbeResult[]> {
  const { site, resolve, probe } = asking;
  const url = new URL(asks.url);
  const isSecure = url.protocol === 'https:';
  const port = Number(url.port || (isSecure ? 443 : 80));
  const fitting = site.listeners.filter((one) => one.protocol === 'HTTP' && (one.tls !== null) === isSecure);
  const listener = fitting.find((one) => one.port === port) ?? fitting[0];
  if (!listener) return [];
  return await Promise.all(
    site.balancers.map(async (balancer) => {
      const to = { host: reachable(boundHost(listener, balancer)), port: listener.port };
      const answer = await askHttpOutside({ ...asks, to }, resolve, probe.timeoutMs);
      const scope: FaultScope = { kind: 'balancer', balancer: balancer.name };
      return resultOf(asking, { target: `${asks.url} at ${balancer.name}`, scope, atBalancer: true }, answer);
    }),
  );
}

function reachable(host: string): string {
  if (host === '*' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

async function askAllServers(asking: Asking, pool: string | null): Promise<readonly ProbeResult[]> {
  const { site, text, balancers } = asking;
  const pools = pool === null ? site.pools : site.pools.filter(({ name }) => name === pool);
  const asked = await askServers({ site: { ...site, pools }, text, balancers, pools: [] });
  return asked.map((one) => {
    const scope: FaultScope = { kind: 'server', pool: one.pool, server: one.server };
    const target = `${one.pool}/${one.server} from ${one.balancer}`;
    return resultOf(asking, { target, scope, atBalancer: false }, one);
  });
}

async function askWays(asking: Asking, below: number): Promise<readonly ProbeResult[]> {
  const { site, text, balancers, rate } = asking;
  const quiet = site.balancers.filter(({ name }) => rate(name) < below);
  if (quiet.length === 0) return [];
  const asked = await askBalancers({ site: { ...site, balancers: quiet }, text, balancers, pools: [] });
  return asked.map((one) => {
    const scope: FaultScope = one.pool === null ? { kind: 'site' } : { kind: 'pool', pool: one.pool };
    const target = `${one.request} by ${one.balancer}`;
    return resultOf(asking, { target, scope, atBalancer: true }, one);
  });
}
