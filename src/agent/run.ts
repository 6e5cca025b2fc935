import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Handlers, jsonLog, messageOf, serveWire, systemClock, systemFiles } from '#base';
import type { SiteText } from '#contract';
import { loadDialects } from '#dialects';
import { type Command, findInstalled } from '#engines';
import { runAdmin } from './admin/admin.ts';
import { serveOwnSockets } from './admin/own-sockets.ts';
import { serveAdmin } from './admin/socket.ts';
import { watchBeside } from './adopt/beside.ts';
import { agentCalls } from './agent.ts';
import { siteOf } from './good.ts';
import { Serving } from './serving.ts';

const besideEveryMs = 1_000;

/**
 * The agent's process. `run` and `state` are the balancer's own folders, `shared` lasts as `state` does and is the site's; `first` is the site for the case that nothing
 * was proven good yet. Its own end leaves holder and engines running; `stop` ends all three.
 * @throws Failure when the site cannot be served.
 */
export async function runAgent(options: {
  balancer: string;
  run: string;
  state: string;
  shared: string;
  socket: string;
  first: SiteText;
  holderCommand: Command;
}): Promise<void> {
  const log = jsonLog(`agent:${options.balancer}`);
  const balancer = siteOf(options.first).balancers.find((b) => b.name === options.balancer);
  if (!balancer) throw new Error(`the site has no balancer ${options.balancer}`);
  let installed = await findInstalled();
  const serving = new Serving({
    balancer,
    installed: () => installed,
    async lookAround() {
      installed = await findInstalled();
    },
    run: options.run,
    state: options.state,
    shared: options.shared,
    holderCommand: options.holderCommand,
    clock: systemClock,
    files: systemFiles,
    log,
  });
  await serving.begin(options.first);
  loadDialects();
  const beside = watchBeside({
    run: options.run,
    record: (what) => void serving.records.add(what),
    steerToOurs: () => void serving.fleet.steerToOurs().catch(() => {}),
  });
  setInterval(() => beside.look(), besideEveryMs).unref();
  const calls = agentCalls(serving, beside, () => setTimeout(() => process.exit(0), 20));
  rmSync(options.socket, { force: true });
  const umask = process.umask(0o077);
  serveWire(calls as unknown as Handlers).listen(options.socket, () => {
    process.umask(umask);
    log.info('ready', { socket: options.socket });
  });
  serveAdmin(join(options.run, 'admin.sock'), (command) => runAdmin(serving, command)).on('error', (error) =>
    log.error('no admin socket', { error: messageOf(error) }),
  );
  const own = serveOwnSockets({
    run: options.run,
    site: () => serving.kept.site,
    command: (command) => runAdmin(serving, command),
    log,
  });
  setInterval(() => void own.look(), besideEveryMs).unref();
  process.on('SIGTERM', () => process.exit(0));
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
}
