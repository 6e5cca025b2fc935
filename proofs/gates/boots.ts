/** Every process is killed at each step of a change, and the machine boots from what is on disk, without Holdfast. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SiteText } from '../../src/contract/balancer.ts';
import { ask } from '../../test/world/ask.ts';
import { killGroup } from '../../test/world/group.ts';
import { type Origin, startOrigin } from '../../test/world/origins.ts';
import { shopText } from '../../test/world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../../test/world/stack.ts';
import type { Proof } from '../proof.ts';
import type { EngineOfField } from './field.ts';

interface Step {
  readonly name: string;
  /** What was done to the candidate of that change when everything is killed. */
  how(stack: Stack, site: SiteText, change: string): Promise<unknown>;
  /** What boots; `either`: it was killed while that was decided. */
  readonly boots: 'last good' | 'candidate' | 'either';
}

const leaseMs = 20_000;
const candidate = (stack: Stack, site: SiteText, change: string) => stack.call('candidate', { site, change });
const exposed = async (stack: Stack, site: SiteText, change: string, share: number) => {
  await candidate(stack, site, change);
  await stack.call('expose', { change, share, leaseMs, requestsMax: null });
};
const promoting = async (stack: Stack, site: SiteText, change: string) => {
  await exposed(stack, site, change, 1);
  return { ended: stack.call('promote', { change }) };
};

const steps: readonly Step[] = [
  { name: 'its text was checked', boots: 'last good', how: (stack, site) => stack.call('check', { site }) },
  {
    name: 'it is being rehearsed',
    boots: 'last good',
    how: async (stack, site) => {
      void stack.call('rehearse', { site }).catch(() => {});
      await stack.call('status', {});
    },
  },
  { name: 'its candidate has started', boots: 'last good', how: candidate },
  {
    name: 'it has a quarter of new connections',
    boots: 'last good',
    how: (stack, site, change) => exposed(stack, site, change, 0.25),
  },
  {
    name: 'it has all of them: it bakes',
    boots: 'last good',
    how: (stack, site, change) => exposed(stack, site, change, 1),
  },
  {
    name: 'it is being promoted',
    boots: 'either',
    how: async (stack, site, change) => {
      const { ended } = await promoting(stack, site, change);
      void ended.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 2));
    },
  },
  {
    name: 'it was promoted',
    boots: 'candidate',
    how: async (stack, site, change) => (await promoting(stack, site, change)).ended,
  },
  {
    name: 'it was promoted, and gone back from',
    boots: 'last good',
    how: async (stack, site, change) => {
      await (await promoting(stack, site, change)).ended;
      await stack.call('rollback', { reason: 'measured', change });
    },
  },
];

/** The command line of the engine's own unit, in the foreground. */
const unitCommands: Readonly<Record<EngineOfField, (folder: string) => readonly string[]>> = {
  haproxy: (folder) => ['haproxy', '-W', '-db', '-f', join(folder, 'haproxy.cfg')],
  nginx: (folder) => ['nginx', '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'],
};

export async function boots(proof: Proof, engine: EngineOfField): Promise<void> {
  proof.say(`${engine}: killed with -9, all of it, and started again by the engine's own command line`);
  // Of two origins one serves what is good, and the other what is tried: they take turns.
  let [good, tried] = [await startOrigin({ name: 'one' }), await startOrigin({ name: 'two' })];
  const [http, https] = [await freePort(), await freePort()];
  const textFor = (origin: Origin) => (folder: string) =>
    shopText({ http, https, engine, servers: [{ name: origin.name, port: origin.port }] }, folder);
  const stack = await startStack({ siteText: textFor(good), engine });
  try {
    for (const [number, { name, how, boots: wanted }] of steps.entries()) {
      await how(stack, textOf(textFor(tried)(stack.folder), stack.folder), `c${number}`);
      await killAll(stack);
      const by = await bootedBy(stack, engine, http);
      const isTried = by === tried.name;
      const came = isTried ? 'candidate' : by === good.name ? 'last good' : by;
      const isRight = wanted === 'either' ? came !== by : came === wanted;
      proof.holds(`boot when ${name}`, came, wanted, isRight);
      await stack.startAgent();
      const after = await until('an answer of the site', () => nameFrom(http));
      proof.holds(
        '  and Holdfast, started again',
        after === by ? 'the same' : after,
        'the same',
        after === by,
      );
      if (isTried) [good, tried] = [tried, good];
    }
  } finally {
    await stack.stop();
    for (const origin of [good, tried]) await origin.close();
  }
}

/** Holder first: it would start what is missing; then the agent, then every engine. */
async function killAll(stack: Stack): Promise<void> {
  const { generations } = await stack.call('status', {});
  const agent = stack.agent();
  const gone = once(agent, 'exit');
  process.kill(await stack.pidOf('holder'), 'SIGKILL');
  agent.kill('SIGKILL');
  for (const { pid } of generations) killGroup(pid);
  await gone;
}

/** Who answers when only the engine runs, with what lies on disk. */
async function bootedBy(stack: Stack, engine: EngineOfField, port: number): Promise<string> {
  await until('nobody on the port', () => nobodyAt(port));
  const [file = '', ...args] = unitCommands[engine](join(stack.state, 'last-good'));
  const running = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let words = '';
  running.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    words += chunk;
  });
  try {
    return await until('an answer without Holdfast', async () => {
      if (running.exitCode !== null) return `it ended: ${words.slice(-200)}`;
      return await nameFrom(port);
    });
  } finally {
    await endBoot(running);
    await until('nobody on the port', () => nobodyAt(port));
  }
}

async function endBoot(running: ChildProcess): Promise<void> {
  if (running.exitCode !== null || running.pid === undefined) return;
  const gone = once(running, 'exit');
  killGroup(running.pid);
  await gone;
}

async function nameFrom(port: number): Promise<string | null> {
  const { status, body } = await ask(port, { timeoutMs: 2_000 });
  return status === 200 ? body.trim() : null;
}

function nobodyAt(port: number): Promise<boolean> {
  return ask(port, { timeoutMs: 1_000 }).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
  );
}
