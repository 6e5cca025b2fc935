/** What the servers that a bad change leads to are like, and what clients take for a failed request. */
import { type Blackhole, startBlackhole } from '../../test/world/blackhole.ts';
import { type Origin, startOrigin, type Way } from '../../test/world/origins.ts';

type Bad = Way | 'no answer to SYN';

export interface Badness {
  readonly name: string;
  readonly ways: readonly Bad[];
  /** A client that has waited so long has failed. */
  readonly timeoutMs: number;
}

const patienceMs = 5_000;
const ten = (one: Bad): Bad[] => Array.from({ length: 10 }, () => one);

export const badnesses: readonly Badness[] = [
  { name: 'refused', ways: ten('refuses'), timeoutMs: patienceMs },
  { name: 'black hole', ways: ten('no answer to SYN'), timeoutMs: patienceMs },
  { name: '500s', ways: ten('errors'), timeoutMs: patienceMs },
  { name: 'slow', ways: ten('slow'), timeoutMs: 1_000 },
  { name: '10 % bad', ways: ['errors', ...ten('right').slice(1)], timeoutMs: patienceMs },
  { name: 'wrong site', ways: ten('wrong'), timeoutMs: patienceMs },
];

/** What a good answer's body begins with. */
export const goodName = 'web-';

export interface Servers {
  readonly good: readonly number[];
  /** Ports, one for each way. */
  bad(kind: Badness): readonly number[];
  close(): Promise<void>;
}

/** Ten good ones, and one of each bad way: a balancer takes the same port ten times for ten servers. */
export async function startServers(): Promise<Servers> {
  const good = await startMany(10, (at) => ({ name: `${goodName}${at}`, way: 'right' }));
  const bad = new Map<Way, Origin>();
  for (const way of ['refuses', 'errors', 'slow', 'wrong'] as const)
    bad.set(way, await startOrigin({ name: 'elsewhere', way, slowMs: 1_500 }));
  const hole: Blackhole = await startBlackhole();
  return {
    good: good.map(({ port }) => port),
    bad: ({ ways }) =>
      ways.map((way, at) => {
        if (way === 'no answer to SYN') return hole.port;
        return (way === 'right' ? good[at] : bad.get(way))?.port ?? 0;
      }),
    async close() {
      for (const origin of [...good, ...bad.values()]) await origin.close();
      await hole.close();
    },
  };
}

async function startMany(count: number, each: (at: number) => { name: string; way: Way }): Promise<Origin[]> {
  return await Promise.all(Array.from({ length: count }, (_, at) => startOrigin(each(at + 1))));
}
