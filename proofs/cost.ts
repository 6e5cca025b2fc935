/**
 * `npm run prove:cost`: what it costs to be watched. The engine's processor time for being asked ten times a second, with
 * 1,000 servers, beside what it takes at full load; and how many times faster than real time one core weighs 1,000 series.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sitePaths } from '../src/base/index.ts';
import type { StatusView } from '../src/contract/index.ts';
import { freePort } from '../test/world/stack.ts';
import { makeFolders, up } from '../test/world/up.ts';
import { weigh } from './cost/weigh.ts';
import { startWrk } from './cost/wrk.ts';
import { startOriginProcess } from './origin.ts';
import { type Proof, prove } from './proof.ts';

const serversCount = 1_000;
const poolsCount = 10;
const windowMs = 8_000;
const pairs = 4;
const shareMax = 0.02;
/** What the kernel counts processor time in. */
const clockTickMs = 10;

const cpuMsOf = (pids: readonly number[]) =>
  pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').map(Number) ?? [];
    return sum + ((fields[11] ?? 0) + (fields[12] ?? 0)) * clockTickMs;
  }, 0);

const middle = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function rateOf(pids: readonly number[], forMs: number): Promise<number> {
  const [began, before] = [performance.now(), cpuMsOf(pids)];
  await sleep(forMs);
  return (cpuMsOf(pids) - before) / ((performance.now() - began) / 1_000);
}

async function engineCost(proof: Proof, engine: 'haproxy' | 'nginx'): Promise<void> {
  const folders = makeFolders();
  const origin = await startOriginProcess('web');
  const port = await freePort();
  const file = join(folders.folder, 'site.yaml');
  writeFileSync(file, siteText(engine, port, origin.port));
  try {
    const site = await up([file, '--port', '0'], folders.env);
    try {
      const { balancers } = (await site.status()) as StatusView;
      const [balancer] = balancers;
      const active =
        balancer && 'generations' in balancer ? balancer.generations.find((g) => g.role === 'active') : null;
      if (!active) throw new Error('no engine serves');
      const pids = [active.pid, ...childrenOf(active.pid)];
      const { run } = sitePaths('t', folders.env);
      const agent = pidIn(join(run, 'lb-1', 'agent.pid'));
      // Who keeps it running would replace one that stands still.
      const idle = [pidIn(join(run, 'up.pid')), agent];
      const [watched, alone, agents]: [number[], number[], number[]] = [[], [], []];
      for (let pair = 0; pair < pairs; pair += 1) {
        const before = cpuMsOf([agent]);
        watched.push(await rateOf(pids, windowMs));
        agents.push((cpuMsOf([agent]) - before) / (windowMs / 1_000));
        for (const pid of idle) process.kill(pid, 'SIGSTOP');
        alone.push(await rateOf(pids, windowMs));
        for (const pid of idle.toReversed()) process.kill(pid, 'SIGCONT');
        await sleep(1_000);
      }
      const wrk = startWrk(port);
      await sleep(2_000);
      const full = await rateOf(pids, windowMs);
      const { perSecond } = await wrk.ended;
      const cost = Math.max(0, middle(watched) - middle(alone));
      proof.say(`${engine}, ${serversCount} servers in ${poolsCount} pools, asked ten times a second`);
      proof.tell('  the engine without requests, watched, ms of processor time a second', middle(watched));
      proof.tell('  the same, nobody asks it', middle(alone));
      proof.tell(`  at full load, ${Math.round(perSecond)} requests a second`, full);
      proof.tell('  the agent itself, ms of processor time a second', middle(agents));
      proof.atMost('  being asked, as a share of full load', cost / full, shareMax);
    } finally {
      await site.stop();
    }
  } finally {
    await origin.close();
    folders.remove();
  }
}

const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

const pidIn = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;

function siteText(engine: string, port: number, origin: number): string {
  const each = serversCount / poolsCount;
  const pool = (at: number) => `  - name: pool-${at}
    servers:
${Array.from({ length: each }, (_, n) => `      - { name: s-${at}-${n}, address: "127.0.0.1:${origin}" }`).join('\n')}
    healthCheck: { path: /health, interval: 60s, timeout: 5s }`;
  const pools = Array.from({ length: poolsCount }, (_, at) => at);
  const routes = pools
    .slice(1)
    .map((at) => `  - { name: route-${at}, matches: [{ path: { value: /p${at} } }], pool: pool-${at} }`);
  return `site: t
listeners:
  - { name: http, address: "*:${port}" }
routes:
${routes.join('\n')}
  - { name: own, matches: [{ path: { value: /full } }], answer: { statusCode: 200, body: here } }
  - { name: rest, pool: pool-0 }
pools:
${pools.map(pool).join('\n')}
balancers:
  - { name: lb-1, engine: ${engine}, address: 127.0.0.1 }
`;
}

await prove('cost', async (proof) => {
  for (const engine of ['haproxy', 'nginx'] as const) await engineCost(proof, engine);
  const { series, realMs, cpuMs } = weigh();
  proof.say(
    `${series} series of 10 balancers with 20 pools, 1,000 servers: ${realMs / 60_000} minutes of ticks`,
  );
  proof.tell('  processor time, ms for each second of ticks', cpuMs / (realMs / 1_000));
  proof.atLeast('  times as fast as real time, on one core', realMs / cpuMs, 1);
});
