/** The built-in engine beside what else could stand there: small, long and streamed answers, kept-alive and not, with TLS and without. */
import type { Proof } from '../proofs/proof.ts';
import { type Contender, startContenders } from './contenders.ts';
import { cpuNs, median, sum } from './measure.ts';
import { childrenOf, connections, h2load, startServers, withPlace, wrk } from './place.ts';

/** Forwards and back again: whoever is first in one is last in the other. */
const rounds = 2;
const pairs = 5;
const pairRequests = 6_000;
const timesHttpProxyMin = 2;

interface Cell {
  readonly path: '/' | '/long' | '/stream';
  readonly keptAlive: boolean;
  readonly tls: boolean;
}

const paths = { '/': 'small', '/long': '64 kB', '/stream': '64 kB in chunks' } as const;

interface Run {
  readonly perSecond: number;
  readonly microseconds: number;
  readonly failed: number;
}

export async function enginesSideBySide(proof: Proof): Promise<void> {
  await withPlace(async (place) => {
    const { contenders, missing } = await startContenders(place, await startServers(place, 2));
    for (const name of missing) proof.say(`    ${name} is not installed here`);
    for (const contender of contenders) await small(contender);
    const failedInPairs = await twiceAsFast(proof, contenders);
    let failed = failedInPairs;
    for (const path of ['/', '/long', '/stream'] as const)
      for (const keptAlive of [true, false])
        for (const tls of [false, true]) failed += await oneCell(proof, contenders, { path, keptAlive, tls });
    proof.atMost('failed, of all', failed, 0);
  });
}

/** The one figure that is wanted, from pairs of runs next to each other: what else the machine does hits both. */
async function twiceAsFast(proof: Proof, contenders: readonly Contender[]): Promise<number> {
  const [ours, theirs] = ['built-in engine', 'http-proxy-3'].map((name) =>
    contenders.find((contender) => contender.name === name),
  );
  if (!ours || !theirs) throw new Error('neither can be missing');
  const ratios: number[] = [];
  let failed = 0;
  for (let pair = 0; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? [ours, theirs] : [theirs, ours];
    const perSecond = new Map<Contender, number>();
    for (const contender of order) {
      const run = await small(contender);
      perSecond.set(contender, run.perSecond);
      failed += run.failed;
    }
    ratios.push((perSecond.get(ours) ?? 0) / (perSecond.get(theirs) ?? 1));
  }
  proof.atLeast('small, kept-alive: times http-proxy-3, median', median(ratios), timesHttpProxyMin);
  return failed;
}

const small = ({ port }: Contender) =>
  h2load({ port, requests: pairRequests, connections, host: 'shop.example' });

async function oneCell(proof: Proof, contenders: readonly Contender[], cell: Cell): Promise<number> {
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed())
      runs.get(contender)?.push(await measured(contender, cell));
  const name = `${paths[cell.path]}, ${cell.keptAlive ? 'kept-alive' : 'closed'}${cell.tls ? ', TLS' : ''}`;
  for (const [contender, all] of runs) {
    const perSecond = Math.round(median(all.map((run) => run.perSecond)));
    const microseconds = median(all.map((run) => run.microseconds)).toFixed(1);
    proof.tell(`${name}: ${contender.name}`, `${perSecond}/s, ${microseconds} us`);
  }
  return sum([...runs.values()].flat().map((run) => run.failed));
}

async function measured({ pid, port, tlsPort }: Contender, cell: Cell): Promise<Run> {
  const pids = [pid, ...childrenOf(pid)];
  const spent = () => sum(pids.map(cpuNs));
  const before = spent();
  const { requests, failed, perSecond } = await wrk(
    cell.tls ? `https://127.0.0.1:${tlsPort}${cell.path}` : `http://127.0.0.1:${port}${cell.path}`,
    cell.keptAlive,
  );
  return { perSecond, failed, microseconds: (spent() - before) / Math.max(1, requests) / 1_000 };
}
