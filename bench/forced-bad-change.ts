/** A change whose servers are all unreachable, forced: what users see of it, and how long it is there. */
import type { Proof } from '../proofs/proof.ts';
import { type LoadResult, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { startOrigin } from '../test/world/origins.ts';
import { shopText } from '../test/world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../test/world/stack.ts';
import { median, sum } from './measure.ts';

const changes = 6;
const ratePerSecond = 1_000;
const takenBackMsMax = 300;

interface Change {
  readonly result: LoadResult;
  readonly takenBackMs: number;
  readonly caught: number;
  readonly cause: string;
}

export async function forcedBadChange(proof: Proof): Promise<void> {
  const good = await startOrigin({ name: 'good' });
  const nobody = await startOrigin({ name: 'nobody', way: 'refuses' });
  const http = await freePort();
  const site = (ports: readonly number[]) => (folder: string) => {
    const servers = ports.map((port, i) => ({ name: `s${i}`, port }));
    return shopText({ http, https: null, engine: 'haproxy', servers }, folder);
  };
  const stack = await startStack({ siteText: site([good.port]), engine: 'haproxy' });
  try {
    const text = textOf(site([nobody.port, nobody.port])(stack.folder), stack.folder);
    const done: Change[] = [];
    for (let i = 0; i < changes; i += 1) done.push(await force(stack, http, text, `forced-${i}`));
    report(proof, done);
  } finally {
    await stack.stop();
    await good.close();
  }
}

/** No gate is asked. From the first moment every new connection is the candidate's. */
async function force(
  stack: Stack,
  port: number,
  site: ReturnType<typeof textOf>,
  change: string,
): Promise<Change> {
  await stack.call('candidate', { site, change });
  const load = await startLoadProcess({
    ...usualLoad,
    port,
    hostname: 'shop.example',
    ratePerSecond,
    expectBody: 'good',
  });
  try {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await stack.call('expose', { change, share: 1, leaseMs: 5_000, requestsMax: null });
    const taken = await until(
      'the taking back',
      async () => (await stack.call('observe', { change })).takenBack,
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { evidence, doneAt } = taken;
    return {
      result: await load.stop(),
      takenBackMs: doneAt - (evidence.exposedAt ?? 0),
      caught: evidence.candidate.netUses,
      cause: evidence.cause,
    };
  } finally {
    load.kill();
  }
}

function report(proof: Proof, done: readonly Change[]): void {
  const requests = sum(done.map(({ result }) => result.counts.ended));
  const failed = done.flatMap(({ result }) => result.records).filter(({ outcome }) => outcome !== 'ok');
  const what = [...Map.groupBy(failed, (r) => `${r.outcome} ${r.status ?? r.detail}`)]
    .map(([outcome, all]) => `${outcome}: ${all.length}`)
    .join(', ');
  const tookMs = done.map(({ takenBackMs }) => takenBackMs);
  proof.say(`${changes} changes, noticed by ${[...new Set(done.map(({ cause }) => cause))].join(', ')}`);
  proof.atMost(`failed of ${requests} requests ${what}`, failed.length, 0);
  proof.atLeast('requests that the net caught', sum(done.map(({ caught }) => caught)), 1);
  proof.tell('first exposure to taken back, median ms', median(tookMs));
  proof.atMost('first exposure to taken back, worst', Math.max(...tookMs), takenBackMsMax, 'ms');
  proof.tell(
    "the machine's own stall meanwhile, worst ms",
    Math.max(...done.map(({ result }) => result.stall.maxMs)),
  );
}
