import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { agentSocket, type SitePaths, serveWire, sitePaths, systemClock } from '#base';
import { type Io, runCli } from '#cli';
import type { BalancerCall, SiteText } from '#contract';
import { type ScriptedBalancer, scriptedBalancer } from './balancer.ts';

/** Folders and agents' sockets of a site whose balancers are scripted: what a real controller finds. */
export interface SiteOnWire {
  readonly folder: string;
  readonly paths: SitePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly balancers: readonly ScriptedBalancer[];
  close(): Promise<void>;
}

const calls: readonly BalancerCall[] = [
  'status',
  'check',
  'probe',
  'rehearse',
  'wayBack',
  'tryRoutes',
  'drift',
  'candidate',
  'expose',
  'observe',
  'promote',
  'rollback',
  'records',
  'stop',
];

export async function siteOnWire(site: string, text: SiteText): Promise<SiteOnWire> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-wire-'));
  chmodSync(folder, 0o755);
  const env = { HOLDFAST_RUN: join(folder, 'run'), HOLDFAST_STATE: join(folder, 'state') };
  const paths = sitePaths(site, env);
  mkdirSync(paths.state, { recursive: true });
  writeFileSync(join(paths.state, 'site.json'), JSON.stringify(text));
  const balancers = ['lb-1', 'lb-2'].map((name) => scriptedBalancer(name, systemClock, text));
  const ends = await Promise.all(balancers.map((balancer) => serve(paths, balancer)));
  return {
    folder,
    paths,
    env,
    balancers,
    async close() {
      for (const end of ends) await end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves with what ends it, open connections too. */
async function serve(paths: SitePaths, balancer: ScriptedBalancer): Promise<() => Promise<void>> {
  const socket = agentSocket(paths, balancer.name);
  mkdirSync(dirname(socket), { recursive: true });
  const handlers = Object.fromEntries(
    calls.map((call) => [call, (input: unknown) => balancer.call(call, input as never)]),
  );
  const server = serveWire(handlers);
  const open = new Set<Socket>();
  server.on('connection', (connection) => open.add(connection));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const connection of open) connection.destroy();
    });
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** One command line, in this process, as a person without a terminal would type it. */
export async function holdfast(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
  more: Partial<Io> = {},
): Promise<Ran> {
  let out = '';
  let err = '';
  const io: Io = {
    env,
    user: 'anna',
    tty: false,
    columns: 80,
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    onInterrupt: () => () => {},
    ...more,
  };
  const code = await runCli(args, { io, version: '0.0.0', verifyOffline: async () => null });
  return { code, out, err };
}
