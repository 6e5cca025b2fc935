import { type Clock, systemClock } from '#base';
import { haproxyErrorLine, haproxyNames } from '#dialects';
import type { EngineControl, Evidence, GenerationHandle, PublicSide, ServerName } from '../engine.ts';
import { type Cli, openCli } from './cli.ts';
import {
  evidenceCommands,
  evidenceOf,
  frontendsCommand,
  isStopping,
  netCommand,
  netServersOf,
  publicSideOf,
  ratesCounted,
  serversCommand,
  serversOf,
  serversPerPool,
} from './evidence.ts';
import { PoolTimes } from './pool-times.ts';
import { commandServers, serverSettings } from './servers.ts';
import { setTicketKeys } from './ticket-keys.ts';

/**
 * Two signals of different kinds that wait at the same time are handled in the wrong order. One that has not shown its
 * effect after this time went to an engine that hangs.
 */
const settleMsMax = 50;
/** How often the state is asked for before the same signal is sent again, which does no harm. */
const looksPerSignal = 5;
const lookGapMs = 0.5;
const commandsAtOnceMax = 50;

/** HAProxy parks by SIGTTOU and resumes by SIGTTIN; everything else goes over its control socket. */
export function openControl(handle: GenerationHandle, clock: Clock = systemClock): EngineControl {
  const cli = openCli(handle.control);
  const side = publicSide(handle, cli, clock);
  const [times, serverTimes] = [new PoolTimes(), new PoolTimes()];
  let serversAll: ReadonlyMap<string, number> | null = null;
  let last: { readonly text: string; readonly stopping: boolean; readonly evidence: Evidence } | null = null;

  return {
    state: side.state,
    park: (timeoutMs) => side.lead('parked', timeoutMs),
    resume: (timeoutMs) => side.lead('accepting', timeoutMs),
    takeBack: (on, timeoutMs) => setTakeBack(cli, on, within(clock, timeoutMs)),
    net: (on, timeoutMs) => setNet(cli, on, within(clock, timeoutMs)),
    async evidence(timeoutMs) {
      const left = within(clock, timeoutMs);
      // Counted once, until servers are added or removed.
      serversAll ??= serversPerPool(await cli.ask(serversCommand, left()));
      const text = (await cli.askAll(evidenceCommands, left())).join('\n');
      // Without traffic one answer is like the last for a second: reading it again is most of what an idle agent would do.
      if (text !== last?.text)
        last = { text, stopping: isStopping(text), evidence: evidenceOf(text, serversAll, times) };
      if (last.stopping) cli.close();
      return last.evidence;
    },
    servers: async (timeoutMs) => serversOf(await cli.ask(serversCommand, timeoutMs), serverTimes),
    know: (down, timeoutMs) => setDown(cli, down, within(clock, timeoutMs)),
    async commandServers(commands, timeoutMs) {
      try {
        await commandServers(cli, commands, within(clock, timeoutMs));
      } finally {
        [serversAll, last] = [null, null];
      }
    },
    settings: (timeoutMs) => serverSettings(cli, timeoutMs),
    ticketKeys: (keys, timeoutMs) => setTicketKeys(cli, keys, within(clock, timeoutMs)),
    counted: async (timeoutMs) => ratesCounted(await cli.ask('show table', timeoutMs)),
    async errors(linesMax, timeoutMs) {
      const lines = (await cli.ask(`show events ${haproxyNames.errors}`, timeoutMs))
        .split('\n')
        .filter((line) => line !== '');
      return linesMax <= 0 ? [] : lines.slice(-linesMax).map(haproxyErrorLine);
    },
    ask: (line, timeoutMs) => cli.ask(line, timeoutMs),
    async drain() {
      process.kill(handle.pid, 'SIGUSR1');
      cli.close();
    },
    close: () => cli.close(),
  };
}

/** A generation that drains lives as long as somebody is connected to its control socket. */
function letGoOfStopping(cli: Cli, text: string): void {
  if (isStopping(text)) cli.close();
}

/** What is left of `timeoutMs`, at least a moment: the call's own time-out then says what did not answer. */
function within(clock: Clock, timeoutMs: number): () => number {
  const deadline = clock.monotonicMs() + timeoutMs;
  return () => Math.max(1, deadline - clock.monotonicMs());
}

function is({ open, all }: { readonly open: number; readonly all: number }, wanted: PublicSide): boolean {
  return wanted === 'parked' ? open === 0 : open === all;
}

function publicSide({ pid, control }: GenerationHandle, cli: Cli, clock: Clock) {
  let turn = 0;
  let answeredOnce = false;
  /** What the last signal asked for, and whether it was seen since. */
  let asked: { readonly wanted: PublicSide; readonly atMs: number; seen: boolean } | null = null;

  async function look(timeoutMs: number): Promise<{ readonly open: number; readonly all: number }> {
    const text = await cli.ask(frontendsCommand, timeoutMs);
    letGoOfStopping(cli, text);
    const found = publicSideOf(text);
    answeredOnce = true;
    if (asked && is(found, asked.wanted)) asked.seen = true;
    return found;
  }

  /** One call that is not answered in its time ends the connection for all: who has time left asks again on a new one. */
  async function lookAgain(left: () => number): ReturnType<typeof look> {
    for (;;) {
      try {
        return await look(left());
      } catch (error) {
        const isGone = error instanceof Error && 'code' in error;
        if (isGone || left() <= 1) throw error;
      }
    }
  }

  /** Before a signal of the other kind: waits until the last one took effect, or is old enough to have been handled. */
  async function settle(wanted: PublicSide, left: () => number): Promise<void> {
    const before = asked;
    if (before === null || before.wanted === wanted) return;
    while (!before.seen && clock.monotonicMs() - before.atMs < settleMsMax) {
      await clock.sleep(lookGapMs);
      await look(Math.min(left(), settleMsMax)).catch(() => {});
    }
  }

  /** Sends the signal until the state reads back as wanted. A later call takes the turn from an earlier one, which rejects. */
  async function lead(wanted: PublicSide, timeoutMs: number): Promise<void> {
    turn += 1;
    const mine = turn;
    const left = within(clock, timeoutMs);
    // Before HAProxy has its handlers the signal would stop the process; once it answers, it has them.
    if (!answeredOnce) await lookAgain(left);
    await settle(wanted, left);
    for (let looks = 0; ; looks += 1) {
      if (mine !== turn) throw new Error(`${control}: another call came before it was ${wanted}`);
      if (left() <= 1) throw new Error(`${control}: not ${wanted} within ${timeoutMs} ms`);
      if (looks % looksPerSignal === 0) {
        process.kill(pid, wanted === 'parked' ? 'SIGTTOU' : 'SIGTTIN');
        asked = { wanted, atMs: clock.monotonicMs(), seen: false };
      } else await clock.sleep(lookGapMs);
      if (is(await lookAgain(left), wanted) && mine === turn) return;
    }
  }

  return {
    lead,
    state: async (timeoutMs: number): Promise<PublicSide> =>
      (await look(timeoutMs)).open > 0 ? 'accepting' : 'parked',
  };
}

async function setTakeBack(cli: Cli, on: boolean, left: () => number): Promise<void> {
  const value = on ? 1 : 0;
  const { takeBack, neighbour } = haproxyNames;
  const commands = ['experimental-mode on', `set var ${takeBack} int(${value})`, `get var ${takeBack}`];
  const [, , answer = '', row = ''] = await cli.askAll(
    [...commands, `show servers state ${neighbour}`],
    left(),
  );
  if (on && row.startsWith("Can't find"))
    throw new Error('this generation has no neighbour to lead requests to');
  if (!answer.includes(`value=<${value}>`)) throw new Error(`the take-back was not set: ${answer.trim()}`);
}

async function setDown(cli: Cli, down: readonly ServerName[], left: () => number): Promise<void> {
  const names = down.map(({ pool, server }) => `${pool}/${server}`);
  for (let at = 0; at < names.length; at += commandsAtOnceMax) {
    const some = names.slice(at, at + commandsAtOnceMax);
    await cli.askAll(
      some.map((server) => `set server ${server} health down`),
      left(),
    );
  }
  if (names.length === 0) return;
  const seen = serversOf(await cli.ask(serversCommand, left()));
  const still = seen.filter((s) => s.state !== 'down').map((s) => `${s.pool}/${s.server}`);
  const missed = names.filter((name) => still.includes(name));
  if (missed.length > 0) throw new Error(`not taken for down: ${missed.join(', ')}`);
}

async function setNet(cli: Cli, on: boolean, left: () => number): Promise<void> {
  const before = netServersOf(await cli.ask(netCommand, left()));
  if (on && before.length === 0) throw new Error('this generation has no neighbour, or no net');
  const wrong = before.filter((server) => server.on !== on).map((server) => server.name);
  for (let at = 0; at < wrong.length; at += commandsAtOnceMax) {
    const some = wrong.slice(at, at + commandsAtOnceMax);
    await cli.askAll(
      some.map((server) => `set server ${server} state ${on ? 'ready' : 'maint'}`),
      left(),
    );
  }
  const after = wrong.length === 0 ? before : netServersOf(await cli.ask(netCommand, left()));
  const still = after.filter((server) => server.on !== on).map((server) => server.name);
  if (still.length > 0) throw new Error(`the net is not ${on ? 'in' : 'out'}: ${still.join(', ')}`);
}
