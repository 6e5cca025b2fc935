import type { FaultScope, FaultVerdict } from '#events';
import type { Picture } from '../picture.ts';
import { exhaustedHosts, overload, silentBalancers } from './balancers.ts';
import { type Blamed, blame } from './changes.ts';
import { type Finding, namesOf, type Rule, unique } from './finding.ts';
import { lateServers, slowServers, stuckServers, wrongServers } from './misbehaving.ts';
import { cutNetwork, deadServers, lostNames } from './servers.ts';
import { badAnswers, badCertificates, badWays, failingProbes, lostTraffic } from './ways.ts';

/** What is nearer to the cause comes first: what it explains is not explained again by what comes after it. */
const rules: readonly Rule[] = [
  silentBalancers,
  badCertificates,
  lostNames,
  deadServers,
  cutNetwork,
  wrongServers,
  overload,
  slowServers,
  stuckServers,
  lateServers,
  badWays,
  exhaustedHosts,
  badAnswers,
  lostTraffic,
  failingProbes,
];

export interface Located {
  readonly verdict: FaultVerdict;
  readonly evidence: readonly string[];
}

/** Where the fault is, from what was counted and asked. Pure; never guesses: what cannot be told apart is named as such. */
export function locate(picture: Picture): Located {
  const found: Finding[] = [];
  for (const rule of rules) {
    // What one rule tells apart is not explained by itself.
    const before = [...found];
    found.push(...rule(picture).filter((finding) => !isExplained(finding, before)));
  }
  const blamed = found.map((finding) => blame(finding, picture));
  const [first] = blamed;
  return first === undefined ? unknown(picture) : told(blamed, first);
}

function isExplained({ pools }: Finding, found: readonly Finding[]): boolean {
  return found.some((other) => {
    if (other.pools === 'all') return true;
    const known = other.pools;
    return pools === 'all' ? false : pools.every((pool) => known.includes(pool));
  });
}

function told(blamed: readonly Blamed[], first: Blamed): Located {
  const sure = blamed.filter(({ certain }) => certain);
  // What is certain leaves no room for what is only possible.
  const kept = sure.length > 0 ? sure : blamed;
  const [main = first] = kept;
  const culprits = distinct(kept.flatMap(({ culprits: c }) => c));
  const sentence =
    kept.length === 1
      ? main.sentence
      : sure.length > 1
        ? `${kept.length === 2 ? 'two' : kept.length} faults at once: ${kept.map(({ sentence: s }) => s).join('. And: ')}`
        : `between these: ${kept.map(({ sentence: s }) => s).join('; or ')}`;
  const change = kept.find(({ change: c }) => c !== null)?.change ?? null;
  const place = culprits.find((scope) => scope.kind === 'change')?.place ?? null;
  return {
    verdict: {
      sentence,
      culprits,
      certain: sure.length > 0,
      change: change?.change ?? null,
      place,
      advice: unique(kept.map(({ advice }) => advice)).join('; '),
    },
    evidence: kept.flatMap(({ evidence }) => evidence).slice(0, 30),
  };
}

/** Everything answers that was asked: what is left is said. */
function unknown(picture: Picture): Located {
  const { direct, through, series } = picture;
  const scopes = distinct(series.map(({ scope }) => scope));
  const asked = `${direct.length} answers of servers and ${through.length} by balancers are good`;
  const nobody = direct.length + through.length === 0 ? 'nothing could be asked' : asked;
  const pools = scopes.flatMap((scope) => (scope.kind === 'pool' ? [scope.pool] : []));
  const seen = pools.length > 0 ? `pool ${namesOf(pools)}` : 'the balancers';
  const finding: Finding = {
    culprits: scopes,
    sentence: `it is seen at ${seen}, and not yet told apart: ${nobody}`,
    evidence: series.map(({ series: name }) => `alarm: ${name}`),
    advice: 'holdfast watch shows what is counted; holdfast changes shows what was changed',
    certain: false,
    pools: 'all',
  };
  const blamed = blame(finding, picture);
  return told([blamed], blamed);
}

function distinct(scopes: readonly FaultScope[]): FaultScope[] {
  return [...new Map(scopes.map((scope) => [JSON.stringify(scope), scope])).values()];
}
