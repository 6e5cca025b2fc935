import type { HostFigures } from '#events';
import type { BalancerPicture } from '../picture.ts';
import { namesOf, percent, type Rule } from './finding.ts';

const silentMsMin = 800;
const unheardMsMin = 2_000;

/** Engines that say nothing, and agents that do not; whether clients are answered is asked at the same moment. */
export const silentBalancers: Rule = ({ balancers, through, series, direct, site }) =>
  balancers.flatMap(({ balancer, silentMs, unheardMs }) => {
    const isUnheard = unheardMs >= unheardMsMin;
    const wasSilent = series.some(
      ({ series: name, scope }) =>
        name === 'silence' && scope.kind === 'balancer' && scope.balancer === balancer,
    );
    const isSilent = silentMs >= silentMsMin || isUnheard;
    if (!isSilent && !wasSilent) return [];
    const mine = through.filter((one) => one.balancer === balancer);
    const serves = mine.some(({ ok }) => ok);
    const who = isUnheard ? `the agent of ${balancer}` : `the engine of ${balancer}`;
    const forMs = isUnheard ? unheardMs : silentMs;
    const said = isSilent
      ? `has said nothing for ${(forMs / 1000).toFixed(1)} s`
      : 'was silent, and speaks again';
    const answers =
      mine.length === 0
        ? 'nobody asked it as a client'
        : serves
          ? 'clients are answered'
          : 'clients are not answered either';
    const failing = direct.filter(({ ok }) => !ok).map(({ pool }) => pool);
    const others = site.pools.map(({ name }) => name).filter((name) => !failing.includes(name));
    return [
      {
        culprits: [{ kind: 'balancer' as const, balancer }],
        sentence: `${who} ${said}; ${answers}`,
        evidence: mine.map((one) => `${one.request} by ${balancer}: ${one.answered}`).slice(0, 10),
        advice: serves
          ? `look at the process on ${balancer}: \`holdfast status\``
          : `lead clients to another balancer, and look at ${balancer}`,
        certain: mine.length > 0 || wasSilent,
        // That it was silent for a moment explains no server that does not answer now.
        pools: isSilent || failing.length === 0 ? ('all' as const) : others,
      },
    ];
  });

const fullShare = 0.95;

const resources: readonly {
  readonly name: string;
  readonly of: (host: HostFigures) => number | null;
  readonly advice: string;
}[] = [
  {
    name: 'file descriptors',
    of: (h) => h.descriptorsShare,
    advice: 'raise the limit of open files of the engine',
  },
  {
    name: 'connection tracking',
    of: (h) => h.connectionTrackingShare,
    advice: 'raise net.netfilter.nf_conntrack_max',
  },
  { name: 'memory', of: (h) => h.memoryShare, advice: 'look for what takes the memory' },
  { name: 'disk', of: (h) => h.diskShare, advice: 'make room on the disk' },
];

/** Machines of balancers that have run out of something. */
export const exhaustedHosts: Rule = ({ balancers }) =>
  balancers.flatMap(({ balancer, host }) => {
    if (host === null) return [];
    const full = resources.filter(({ of }) => (of(host) ?? 0) >= fullShare);
    const overflows = host.listenOverflows ?? 0;
    if (full.length === 0 && overflows === 0) return [];
    const said = [
      ...full.map(({ name, of }) => `${name} ${percent(of(host) ?? 0)} used`),
      ...(overflows > 0 ? [`${overflows} connections dropped because the listen queue was full`] : []),
    ];
    return [
      {
        culprits: [{ kind: 'host' as const, balancer, resource: full[0]?.name ?? 'listen queue' }],
        sentence: `the machine of ${balancer} has run out: ${namesOf(said)}`,
        evidence: said,
        advice: full[0]?.advice ?? `look at what keeps the engine of ${balancer} from accepting`,
        certain: full.length > 0 && full[0]?.name !== 'disk' && full[0]?.name !== 'memory',
        pools: 'all' as const,
      },
    ];
  });

/** What a balancer turns away because servers are full: more requests than they take. */
export const overload: Rule = ({ balancers, direct }) => {
  const pools = new Map<string, { queued: number; requests: number }>();
  for (const { pools: sums } of balancers)
    for (const { pool, queuedMax, requests } of sums) {
      const before = pools.get(pool) ?? { queued: 0, requests: 0 };
      pools.set(pool, { queued: before.queued + queuedMax, requests: before.requests + requests });
    }
  return [...pools].flatMap(([pool, { queued, requests }]) => {
    const probes = direct.filter((one) => one.pool === pool);
    if (queued === 0 || probes.length === 0 || probes.some(({ ok }) => !ok)) return [];
    return [
      {
        culprits: [{ kind: 'pool' as const, pool }],
        sentence: `pool ${pool} is full: up to ${queued} requests waited for a server, and all its servers answer when asked directly`,
        evidence: [`${pool}: ${requests} requests finished meanwhile, at most ${queued} waited`],
        advice: `add servers to pool ${pool}, or let fewer requests in`,
        certain: true,
        pools: [pool],
      },
    ];
  });
};

/** Shares of errors, where one balancer has nearly all of them. */
export function worstBalancer(
  balancers: readonly BalancerPicture[],
  pool: string | null,
): BalancerPicture | null {
  if (balancers.length < 2) return null;
  const counted = balancers.map((one) => {
    const sum = pool === null ? one : one.pools.find((p) => p.pool === pool);
    const requests = Math.max(1, sum?.requests ?? 0);
    return { one, errors: sum?.errors ?? 0, share: (sum?.errors ?? 0) / requests };
  });
  const [worst, next] = counted.toSorted((a, b) => b.share - a.share);
  if (!worst || !next || worst.errors < 3) return null;
  return worst.share > 5 * next.share ? worst.one : null;
}
