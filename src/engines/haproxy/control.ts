import { type Clock, systemClock } from '#base';
import { haproxyNames } from '#dialects';
import type { EngineControl, GenerationHandle } from '../engine.ts';
import { type Cli, openCli } from './cli.ts';
import {
  evidenceCommands,
  evidenceOf,
  frontendsCommand,
  netCommand,
  netServersOf,
  publicSideOf,
  serversCommand,
  serversOf,
  serversPerPool,
} from './evidence.ts';

/** Two different signals with nothing between them are handled in the order of their numbers, not in that of their sending. */
const signalGapMs = 1;
/** How often the state is asked for before the same signal is sent again, which does no harm. */
const looksPerSignal = 5;
const lookGapMs = 0.5;
const commandsAtOnceMax = 50;

/** HAProxy parks by SIGTTOU and resumes by SIGTTIN; everything else goes over its control socket. */
export function openControl(handle: GenerationHandle, clock: Clock = systemClock): EngineControl {
  const cli = openCli(handle.control);
  const side = publicSide(handle, cli, clock);
  let serversAll: ReadonlyMap<string, number> | null = null;

  return {
    state: side.state,
    park: (timeoutMs) => side.lead('parked', timeoutMs),
    resume: (timeoutMs) => side.lead('accepting', timeoutMs),
    takeBack: (on, timeoutMs) => setTakeBack(cli, on, within(clock, timeoutMs)),
    net: (on, timeoutMs) => setNet(cli, on, within(clock, timeoutMs)),
    async evidence(timeoutMs) {
      const left = within(clock, timeoutMs);
      // Servers are neither added nor removed while an engine runs: counted once.
      serversAll ??= serversPerPool(await cli.ask(serversCommand, left()));
      return evidenceOf((await cli.askAll(evidenceCommands, left())).join('\n'), serversAll);
    },
    servers: async (timeoutMs) => serversOf(await cli.ask(serversCommand, timeoutMs)),
    async errors(linesMax, timeoutMs) {
      const lines = (await cli.ask(`show events ${haproxyNames.errors}`, timeoutMs))
        .split('\n')
        .filter((line) => line !== '');
      return linesMax <= 0 ? [] : lines.slice(-linesMax);
    },
    async drain() {
      process.kill(handle.pid, 'SIGUSR1');
    },
    close: () => cli.close(),
  };
}

/** What is left of `timeoutMs`, at least a moment: the call's own time-out then says what did not answer. */
function within(clock: Clock, timeoutMs: number): () => number {
  const deadline = clock.monotonicMs() + timeoutMs;
  return () => Math.max(1, deadline - clock.monotonicMs());
}

type Wanted = 'accepting' | 'parked';

function publicSide({ pid, control }: GenerationHandle, cli: Cli, clock: Clock) {
  let turn = 0;
  let answeredOnce = false;
  let last: { readonly signal: NodeJS.Signals; readonly atMs: number } | null = null;

  async function look(timeoutMs: number) {
    const found = publicSideOf(await cli.ask(frontendsCommand, timeoutMs));
    answeredOnce = true;
    return found;
  }

  async function send(signal: NodeJS.Signals): Promise<void> {
    const gapMs = last && last.signal !== signal ? last.atMs + signalGapMs - clock.monotonicMs() : 0;
    if (gapMs > 0) await clock.sleep(gapMs);
    process.kill(pid, signal);
    last = { signal, atMs: clock.monotonicMs() };
  }

  /** Sends the signal until the state reads back as wanted. A later call takes the turn from an earlier one, which rejects. */
  async function lead(wanted: Wanted, timeoutMs: number): Promise<void> {
    turn += 1;
    const mine = turn;
    const left = within(clock, timeoutMs);
    // Before HAProxy has its handlers the signal would stop the process; once it answers, it has them.
    if (!answeredOnce) await look(left());
    for (;;) {
      await send(wanted === 'parked' ? 'SIGTTOU' : 'SIGTTIN');
      for (let looks = 0; looks < looksPerSignal; looks += 1) {
        if (mine !== turn) throw new Error(`${control}: another call took its place before it was ${wanted}`);
        const { open, all } = await look(left());
        if (wanted === 'parked' ? open === 0 : open === all) return;
        if (left() <= 1) throw new Error(`${control}: not ${wanted} within ${timeoutMs} ms`);
        await clock.sleep(lookGapMs);
      }
    }
  }

  return {
    lead,
    state: async (timeoutMs: number): Promise<Wanted> =>
      (await look(timeoutMs)).open > 0 ? 'accepting' : 'parked',
  };
}

async function setTakeBack(cli: Cli, on: boolean, left: () => number): Promise<void> {
  const value = on ? 1 : 0;
  const { takeBack } = haproxyNames;
  const commands = ['experimental-mode on', `set var ${takeBack} int(${value})`, `get var ${takeBack}`];
  const answer = (await cli.askAll(commands, left())).join('');
  if (!answer.includes(`value=<${value}>`)) throw new Error(`the take-back was not set: ${answer.trim()}`);
}

async function setNet(cli: Cli, on: boolean, left: () => number): Promise<void> {
  const before = netServersOf(await cli.ask(netCommand, left()));
  const wrong = before.filter((server) => server.on !== on).map((server) => server.name);
  for (let at = 0; at < wrong.length; at += commandsAtOnceMax) {
    const some = wrong.slice(at, at + commandsAtOnceMax);
    await cli.ask(
      some.map((server) => `set server ${server} state ${on ? 'ready' : 'maint'}`).join(';'),
      left(),
    );
  }
  const after = wrong.length === 0 ? before : netServersOf(await cli.ask(netCommand, left()));
  const still = after.filter((server) => server.on !== on).map((server) => server.name);
  if (still.length > 0) throw new Error(`the net is not ${on ? 'in' : 'out'}: ${still.join(', ')}`);
}
