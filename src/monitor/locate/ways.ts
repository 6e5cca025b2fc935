import type { FaultScope } from '#events';
import type { Picture, ThroughProbe } from '../picture.ts';
import { worstBalancer } from './balancers.ts';
import { type Finding, namesOf, type Rule, unique, verb } from './finding.ts';

const certificateWords = /certificate|CERT_|SSL|TLS/i;

/** Certificates that clients are shown and do not take. */
export const badCertificates: Rule = ({ site, through }) => {
  const refused = through.filter(({ ok, answered }) => !ok && certificateWords.test(answered));
  return unique(refused.map(({ listener }) => listener)).map((listener) => {
    const mine = refused.filter((one) => one.listener === listener);
    const files = site.listeners.find(({ name }) => name === listener)?.tls?.certificates ?? [];
    const culprits: FaultScope[] = files.map(({ certificate }) => ({
      kind: 'certificate',
      file: certificate,
    }));
    return {
      culprits: culprits.length > 0 ? culprits : [{ kind: 'listener', listener }],
      sentence: `the certificate of listener ${listener} is not taken: ${unique(mine.map(({ answered }) => answered)).join('; ')}`,
      evidence: mine.map((one) => `${one.request} by ${one.balancer}: ${one.answered}`).slice(0, 10),
      advice: `renew the certificate of listener ${listener}, then \`holdfast apply\` the site`,
      certain: culprits.length === 1,
      pools: 'all',
    };
  });
};

/** Servers are well when they are asked directly, and requests that are led to them are not. */
export const badWays: Rule = (picture) => {
  const led = picture.through.filter(({ answered }) => !certificateWords.test(answered));
  const bad = led.filter(({ ok }) => !ok);
  return unique(bad.map(({ pool }) => pool ?? '')).flatMap((pool) =>
    badWay(picture, led, pool === '' ? null : pool),
  );
};

function badWay(picture: Picture, led: readonly ThroughProbe[], pool: string | null): Finding[] {
  const mine = led.filter((one) => one.pool === pool);
  const direct = picture.direct.filter((one) => one.pool === pool);
  if (pool !== null && (direct.length === 0 || direct.some(({ ok }) => !ok))) return [];
  const bad = mine.filter(({ ok }) => !ok);
  const badAt = unique(bad.map(({ balancer }) => balancer));
  const goodAt = unique(mine.filter(({ ok }) => ok).map(({ balancer }) => balancer)).filter(
    (b) => !badAt.includes(b),
  );
  const target = pool === null ? 'its own answers' : `pool ${pool}`;
  const healthy = pool === null ? '' : `servers of pool ${pool} are healthy when asked directly; `;
  const culprits: FaultScope[] =
    goodAt.length > 0 || picture.balancers.length === 1
      ? badAt.map((balancer) => ({ kind: 'balancer', balancer }))
      : pool === null
        ? [{ kind: 'site' }]
        : [{ kind: 'pool', pool }];
  // One request meets one server: that it was the balancer is only sure where the others count no trouble either.
  const isLate = mine.some(({ ok, tookMs }) => ok && tookMs >= lateMs);
  const isBalancer =
    goodAt.length > 0 && !isLate && !goodAt.some((balancer) => hasTrouble(picture, balancer, pool));
  // A server that answers its check may answer this very request wrongly: only another balancer that gets it right excludes that.
  const between: FaultScope[] =
    isBalancer || pool === null ? [] : [...culprits, { kind: 'pool' as const, pool }];
  const all = between.length > 0 ? distinct(between) : culprits;
  return [
    {
      culprits: all,
      sentence: `${healthy}${namesOf(badAt)} ${verb(badAt.length, 'answers', 'answer')} ${namesOf(unique(bad.map(({ answered }) => answered)))} to requests for ${target}${goodAt.length > 0 ? `, ${namesOf(goodAt)} ${verb(goodAt.length, 'answers', 'answer')} them well` : ''}`,
      evidence: mine.map((one) => `${one.request} by ${one.balancer}: ${one.answered}`).slice(0, 20),
      advice: isBalancer
        ? `lead clients to ${namesOf(goodAt)}; then look at ${namesOf(badAt)}`
        : 'look at what the servers answer to this request itself, and at the last change',
      certain: isBalancer,
      pools: pool === null ? 'all' : [pool],
    },
  ];
}

/** A good answer that took so long is no proof that its way is well. */
const lateMs = 500;
const troublesMin = 3;

function hasTrouble({ balancers, series }: Picture, balancer: string, pool: string | null): boolean {
  const hangs = series.some(
    ({ series: name, scope }) => name === 'hung' && scope.kind === 'balancer' && scope.balancer === balancer,
  );
  const sum = balancers
    .find((one) => one.balancer === balancer)
    ?.pools.find((one) => pool === null || one.pool === pool);
  return hangs || (sum !== undefined && sum.errors + sum.responseErrors >= troublesMin);
}

function distinct(scopes: readonly FaultScope[]): FaultScope[] {
  const seen = new Map(scopes.map((scope) => [JSON.stringify(scope), scope]));
  return [...seen.values()];
}

/** Errors that users get from one balancer, or one pool, while everything answers when it is asked. */
export const badAnswers: Rule = (picture) => {
  const pools = unique(
    picture.balancers.flatMap(({ pools: sums }) =>
      sums.filter((s) => s.errors + s.responseErrors >= 3).map((s) => s.pool),
    ),
  );
  return pools.flatMap<Finding>((pool) => {
    const worst = worstBalancer(picture.balancers, pool);
    const sums = picture.balancers.flatMap(({ pools: all }) => all.filter((s) => s.pool === pool));
    const errors = sums.reduce((sum, s) => sum + s.errors, 0);
    const requests = sums.reduce((sum, s) => sum + s.requests, 0);
    if (worst)
      return [
        {
          culprits: [{ kind: 'balancer' as const, balancer: worst.balancer }],
          sentence: `${worst.balancer} answers requests for pool ${pool} with errors, the other balancers do not`,
          evidence: picture.balancers.map(
            (b) =>
              `${b.balancer}: ${b.pools.find((p) => p.pool === pool)?.errors ?? 0} errors for pool ${pool}`,
          ),
          advice: `lead clients to another balancer; then look at ${worst.balancer}`,
          certain: false,
          pools: [pool],
        },
      ];
    const isAsked = picture.direct.some((one) => one.pool === pool);
    const checks = isAsked ? ', and its servers answer their checks: what they run or share is at fault' : '';
    return [
      {
        culprits: [{ kind: 'pool' as const, pool }],
        sentence: `pool ${pool} answers ${errors} of ${requests} requests with errors, on every server alike${checks}`,
        evidence: sums.map(
          (s) =>
            `${s.pool}: ${s.errors} errors, ${s.responseErrors} answers that broke off, of ${s.requests} requests`,
        ),
        advice: `look at the log of any server of pool ${pool}, and at what they share`,
        certain: isAsked,
        pools: [pool],
      },
    ];
  });
};

/** Requests stopped coming, and whoever asks is answered: it is on the way to the balancers. */
export const lostTraffic: Rule = ({ series, through, balancers }) => {
  const gone = series.filter((one) => one.series === 'traffic');
  if (gone.length === 0 || through.length === 0 || through.some(({ ok }) => !ok)) return [];
  const names = unique(gone.flatMap(({ scope }) => (scope.kind === 'balancer' ? [scope.balancer] : [])));
  const isOne = names.length < balancers.length && balancers.length > 1;
  return [
    {
      culprits: [{ kind: 'clients' as const }],
      sentence: `requests stopped coming ${isOne ? `to ${namesOf(names)}` : 'to every balancer'}, and ${verb(names.length, 'it answers', 'they answer')} whoever asks: the fault is in front of the balancers`,
      evidence: through.map((one) => `${one.request} by ${one.balancer}: ${one.answered}`).slice(0, 10),
      advice: "look at the site's names (DNS), addresses and network from outside",
      certain: true,
      pools: 'all' as const,
    },
  ];
};

/** Where nothing else explains it, what failing probes say themselves. */
export const failingProbes: Rule = ({ stated }) =>
  stated.map(({ verdict: { sentence, culprits, certain, advice }, evidence }) => {
    return { sentence, culprits, certain, advice, evidence, pools: [] };
  });
