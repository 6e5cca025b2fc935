/** The built-in engine with one, two and four processes beside http-proxy-3, each pair of runs next to each other. */
import type { Proof } from '../proofs/proof.ts';
import { type Contender, startBuiltins } from './contenders.ts';
import { cpuNs, median, sum } from './measure.ts';
import { childrenOf, startServers, withPlace, wrk } from './place.ts';

const pairs = 6;
const cells = {
  small: { path: '/', tls: false },
  'small, TLS': { path: '/', tls: true },
  '64 kB': { path: '/long', tls: false },
  '64 kB, TLS': { path: '/long', tls: true },
} as const;
type Cell = (typeof cells)[keyof typeof cells];

interface Run {
  readonly perSecond: number;
  readonly microseconds: number;
  readonly failed: number;
}

export async function workersSideBySide(proof: Proof): Promise<void> {
  await withPlace(async (place) => {
    const { ours, theirs } = await startBuiltins(place, await startServers(place, 2));
    let failed = 0;
    for (const [name, cell] of Object.entries(cells)) {
      for (const contender of [...ours, theirs]) await measured(contender, cell);
      for (const { workers, ...contender } of ours) {
        const runs = await besides(contender, theirs, cell);
        failed += sum(runs.flat().map((run) => run.failed));
        const ratio = (of: keyof Run) =>
          median(runs.map(([mine, other]) => mine[of] / Math.max(1, other[of])));
        const rate = median(runs.map(([mine]) => mine.perSecond));
        const processes = `${name}, ${workers} process${workers === 1 ? '' : 'es'}`;
        proof.tell(`${processes}: requests a second, of ours`, Math.round(rate));
        proof.tell(`${processes}: times the requests a second of http-proxy-3`, ratio('perSecond'));
        proof.tell(`${processes}: share of the CPU time a request of http-proxy-3`, ratio('microseconds'));
      }
    }
    proof.atMost('failed, of all', failed, 0);
  });
}

/** Whoever is first in one pair is second in the next. */
async function besides(mine: Contender, other: Contender, cell: Cell): Promise<(readonly [Run, Run])[]> {
  const runs: (readonly [Run, Run])[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    if (pair % 2 === 0) runs.push([await measured(mine, cell), await measured(other, cell)]);
    else {
      const second = await measured(other, cell);
      runs.push([await measured(mine, cell), second]);
    }
  }
  return runs;
}

async function measured({ pid, port, tlsPort }: Contender, { path, tls }: Cell): Promise<Run> {
  const pids = [pid, ...childrenOf(pid)];
  const spent = () => sum(pids.map(cpuNs));
  const before = spent();
  const url = tls ? `https://127.0.0.1:${tlsPort}${path}` : `http://127.0.0.1:${port}${path}`;
  const { requests, failed, perSecond } = await wrk(url, true);
  return { perSecond, failed, microseconds: (spent() - before) / Math.max(1, requests) / 1_000 };
}
