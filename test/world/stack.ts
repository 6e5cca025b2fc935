/** A balancer for real: origins, an agent's process, its holder, its engines. What tests and proofs of the data plane stand on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, type ProcessIdentity, systemClock, wireClient } from '#base';
import type { BalancerCall, BalancerCalls, SiteText } from '#contract';
import { readSite } from '#dialects';
import { type EngineName, type IncludedText, siteHash, type TextDialect } from '#model';
import { killGroup } from './group.ts';

export interface Stack {
  readonly folder: string;
  readonly run: string;
  readonly state: string;
  readonly ports: Readonly<Record<string, number>>;
  readonly agent: () => ChildProcess;
  call<C extends BalancerCall>(
    name: C,
    input: BalancerCalls[C]['input'],
    timeoutMs?: number,
  ): Promise<BalancerCalls[C]['output']>;
  /** Starts the agent's process (again) and waits until it answers. */
  startAgent(): Promise<void>;
  pidOf(what: 'holder' | 'active' | 'standby' | 'candidate'): Promise<number>;
  /** Ends everything and removes the folder. */
  stop(): Promise<void>;
}

/** An engine that hangs at its start is given up after ten seconds; then another one carries the site. */
const agentMsMax = 60_000;
const stopMsMax = 30_000;

export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

const files = { site: 'site.yaml', haproxy: 'haproxy.cfg', nginx: 'nginx.conf' };

export function textOf(
  text: string,
  folder: string,
  dialect: TextDialect = 'site',
  includes: readonly IncludedText[] = [],
): SiteText {
  const written = { file: files[dialect], folder, text, dialect, includes };
  const { site, diagnostics } = readSite(written);
  if (!site) throw new Error(JSON.stringify(diagnostics));
  return { ...written, hash: siteHash(site) };
}

/** A machine may be very busy; what never comes is the exception. */
const untilMsMax = 45_000;

export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  withinMs = untilMsMax,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last: unknown = null;
  while (performance.now() < deadline) {
    const found = await ask().catch((error) => {
      last = error;
      return null;
    });
    if (found) return found;
    await systemClock.sleep(10);
  }
  throw new Error(`${what} did not come within ${withinMs} ms: ${String(last)}`);
}

/** `siteText` is given the folder (for certificates); the balancer is named `lb-1`. */
export async function startStack(options: {
  siteText: (folder: string) => string;
  engine: EngineName;
  dialect?: TextDialect;
  includes?: (folder: string) => readonly IncludedText[];
}): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  chmodSync(folder, 0o755);
  const run = join(folder, 'run');
  const state = join(folder, 'state');
  const socket = join(run, 'agent.sock');
  const first = textOf(options.siteText(folder), folder, options.dialect, options.includes?.(folder));
  const client = wireClient(socket);
  let agent: ChildProcess | null = null;

  const stack: Stack = {
    folder,
    run,
    state,
    ports: {},
    agent: () => {
      if (!agent) throw new Error('no agent');
      return agent;
    },
    async call(name, input, timeoutMs = 60_000) {
      return (await client.call(name, input, timeoutMs)) as never;
    },
    async startAgent() {
      const plan = { balancer: 'lb-1', run, state, shared: state, socket, first };
      agent = spawn(
        process.execPath,
        [join(import.meta.dirname, 'agent-process.ts'), 'agent', JSON.stringify(plan)],
        {
          stdio: ['ignore', 'ignore', 'pipe'],
        },
      );
      let words = '';
      agent.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        words = (words + chunk).slice(-20_000);
        if (process.env.HOLDFAST_SHOW_LOGS) process.stderr.write(chunk);
      });
      const started = agent;
      await until(
        'the agent',
        async () => {
          if (started.exitCode !== null) throw new Error(words);
          return await stack.call('status', {}, 5_000);
        },
        agentMsMax,
      );
    },
    async pidOf(what) {
      if (what === 'holder') {
        const holder = wireClient(join(run, 'holder.sock'));
        const status = (await holder.call('status', {})) as { pid: number };
        holder.close();
        return status.pid;
      }
      return await until(what, async () => {
        const { generations } = await stack.call('status', {});
        return generations.find((g) => g.role === what)?.pid;
      });
    },
    async stop() {
      await stack.call('stop', {}, stopMsMax).catch(() => {});
      client.close();
      agent?.kill('SIGKILL');
      for (const pid of leftovers(run)) killGroup(pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await stack.startAgent();
    await until('a standby', async () =>
      (await stack.call('status', {})).generations.find((g) => g.role === 'standby' && g.state === 'parked'),
    );
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}

/** What a stack that could not be stopped in order left running. */
function leftovers(run: string): number[] {
  const read = <T>(name: string, otherwise: T): T => {
    try {
      return JSON.parse(readFileSync(join(run, name), 'utf8')) as T;
    } catch {
      return otherwise;
    }
  };
  const { generations } = read<{ generations: readonly ProcessIdentity[] }>('holder.json', {
    generations: [],
  });
  // The holder first: it would start to look for a successor.
  const all = [read<ProcessIdentity>('holder.pid', { pid: 0, startTicks: '' }), ...generations];
  return all.filter(({ pid, startTicks }) => identify(pid)?.startTicks === startTicks).map(({ pid }) => pid);
}
