/** What agent and holder take when nothing happens: as `holdfast up` starts them, two generations of HAProxy, no request. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { agentSocket, sitePaths, wireClient } from '#base';
import type { BalancerStatus } from '#contract';
import type { Proof } from '../proofs/proof.ts';
import { ownCommand } from '../src/main/children.ts';
import { balancerPlaces, siteFile } from '../src/main/places.ts';
import { shopText } from '../test/world/shop.ts';
import { freePort, textOf, until } from '../test/world/stack.ts';
import { cpuNs, memoryOf, sum } from './measure.ts';
import { type Place, startServers, withPlace } from './place.ts';

const settleMs = 60_000;
const watchedMs = 20_000;
const cpuPercentMax = 1;
const memoryMbMax = 150;

export async function idle(proof: Proof): Promise<void> {
  await withPlace(async (place) => {
    const pids = await startProcesses(place);
    // What runs ten times a second is compiled within a minute; idle is what comes then.
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const began = performance.now();
    const before = pids.map(({ pid }) => cpuNs(pid));
    await new Promise((resolve) => setTimeout(resolve, watchedMs));
    const tookNs = (performance.now() - began) * 1e6;
    const used = pids.map(({ name, pid }, i) => ({
      name,
      percent: ((cpuNs(pid) - (before[i] ?? 0)) / tookNs) * 100,
      ...memoryOf(pid),
    }));
    for (const { name, percent, rssMb, pssMb } of used) {
      proof.tell(`${name}: per cent of a core`, percent);
      proof.tell(
        `${name}: resident MB; with what it shares divided`,
        `${rssMb.toFixed(0)}; ${pssMb.toFixed(0)}`,
      );
    }
    proof.atMost('together, per cent of a core', sum(used.map((u) => u.percent)), cpuPercentMax);
    proof.atMost(
      'together, resident MB (what they share counted twice)',
      sum(used.map((u) => u.rssMb)),
      memoryMbMax,
    );
    proof.tell('together, MB with what is shared divided', sum(used.map((u) => u.pssMb)));
  });
}

async function startProcesses(place: Place): Promise<readonly { name: string; pid: number }[]> {
  const env = {
    ...process.env,
    HOLDFAST_RUN: join(place.folder, 'run'),
    HOLDFAST_STATE: join(place.folder, 'state'),
  };
  const paths = sitePaths('t', env);
  const places = balancerPlaces(paths, 'lb-1');
  for (const folder of [paths.run, paths.state]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  const [http, servers] = [await freePort(), await startServers(place, 4)];
  const named = servers.map((port, i) => ({ name: `s${i}`, port }));
  const text = shopText({ http, https: null, engine: 'haproxy', servers: named }, place.folder);
  place.write(siteFile(paths).slice(place.folder.length + 1), JSON.stringify(textOf(text, place.folder)));

  const start = (args: readonly string[]) => {
    const command = ownCommand(args);
    return spawn(command.file, [...command.args], { env: { ...env, ...command.env }, stdio: 'ignore' });
  };
  await new Promise((resolve) => start(['compile']).on('exit', resolve));
  const agent = start(['agent', '--site', 't', '--balancer', 'lb-1']);
  const client = wireClient(agentSocket(paths, 'lb-1'));
  place.atEnd(async () => {
    await client.call('stop', {}, 10_000).catch(() => {});
    client.close();
    agent.kill('SIGKILL');
  });
  await until('two generations', async () => {
    const { generations } = (await client.call('status', {}, 500)) as BalancerStatus;
    return generations.some(({ role, state }) => role === 'standby' && state === 'parked');
  });
  const holder = wireClient(join(places.run, 'holder.sock'));
  const { pid } = (await holder.call('status', {}, 500)) as { pid: number };
  holder.close();
  return [
    { name: 'agent', pid: agent.pid ?? 0 },
    { name: 'holder', pid },
  ];
}
