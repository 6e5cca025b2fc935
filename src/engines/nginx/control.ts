import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, identify, signal, systemClock } from '#base';
import { nginxNames } from '#dialects';
import type { EngineControl, GenerationHandle } from '../engine.ts';
import { askNginx } from './ask.ts';
import { Tally } from './evidence.ts';
import { readFacts, type TextFacts } from './facts.ts';
import { flag } from './flag.ts';
import { lettingBack, stillOut } from './known.ts';
import { connectionsOf, inHandOf, killIfHung, leadAway } from './lead-away.ts';
import { followLog, type LogReader } from './log.ts';
import { openProbes, type Probes } from './probes.ts';
import { Side } from './side.ts';

/** While it is led away. */
const parkAgainMs = 50;
/** NGINX writes the line of a request just after its answer. */
const lineMsMax = 60;
/** Those of the other log wait in a buffer first; evidence that is late by more is none. */
const bufferedLineMsMax = 1_000;

/** NGINX is parked from outside (`side.ts`), led by files (`if (-x ...)`), and tells in its log what it did. */
export function openControl(handle: GenerationHandle, clock: Clock = systemClock): EngineControl {
  const { pid, control } = handle;
  const folder = dirname(control);
  let known: TextFacts | null = null;
  const facts = () => {
    known ??= readFacts(folder);
    return known;
  };
  const forbidReload = () => rmSync(join(folder, nginxNames.files.start), { force: true });
  const { keeps = null, tell = () => {} } = handle;
  const side = new Side({ pid, facts, clock, keeps, complete: forbidReload, tell });
  const watch = openWatch({ pid, folder, facts, clock });

  /** @throws Error when it does not answer: a hung one is neither parked nor accepting. */
  const ask = (path: string, timeoutMs: number) => askNginx(control, path, timeoutMs);
  const setFlag = async (name: string, path: string, on: boolean, timeoutMs: number) => {
    chmodSync(join(folder, name), on ? flag.set : flag.unset);
    const answer = await ask(path, timeoutMs);
    if (answer !== (on ? 'on' : 'off')) throw new Error(`${control}: ${path} is ${answer}`);
  };
  const { files, control: paths } = nginxNames;

  return {
    async state(timeoutMs) {
      await ask(paths.takeBack, timeoutMs);
      return side.state();
    },
    park: (timeoutMs) => side.lead('parked', timeoutMs),
    resume: (timeoutMs) => side.lead('accepting', timeoutMs),
    async takeBack(on, timeoutMs) {
      if (on && !facts().neighbour) throw new Error('this generation has no neighbour to lead requests to');
      await setFlag(files.takeBack, paths.takeBack, on, timeoutMs);
    },
    async net(on, timeoutMs) {
      if (on && !facts().net) throw new Error('this generation has no neighbour, or no net');
      if (facts().streams?.net) moveNet(folder, on);
      await setFlag(files.netOut, paths.net, !on, timeoutMs);
    },
    evidence: (timeoutMs) => watch.evidence(control, timeoutMs),
    async servers(timeoutMs) {
      await ask(paths.takeBack, timeoutMs);
      return watch.servers();
    },
    async errors(linesMax, timeoutMs) {
      await ask(paths.takeBack, timeoutMs);
      return watch.errors(linesMax);
    },
    async drain(timeoutMs) {
      process.kill(pid, 0);
      void side.lead('parked', timeoutMs).catch(() => {});
      void endGently(handle, side, clock);
    },
    close() {
      side.end();
      watch.close();
    },
  };
}

/** Of connections that are passed on: a new name takes no room on a disk. What is so already stays so. */
function moveNet(folder: string, on: boolean): void {
  const { net, netAside } = nginxNames.files;
  const [from, to] = on ? [netAside, net] : [net, netAside];
  if (!existsSync(join(folder, to))) renameSync(join(folder, from), join(folder, to));
}

async function endGently({ control, pid }: GenerationHandle, side: Side, clock: Clock): Promise<void> {
  const leader = identify(pid);
  await leadAway(control, () => side.lead('parked', parkAgainMs).catch(() => {}), clock);
  if (leader && signal(leader, 'SIGQUIT')) await killIfHung(leader, control, clock);
}

interface Watch {
  evidence(control: string, timeoutMs: number): ReturnType<EngineControl['evidence']>;
  servers(): ReturnType<Tally['servers']>;
  errors(linesMax: number): string[];
  close(): void;
}

/** What it did, by its log; opened when somebody asks first. */
function openWatch(of: {
  readonly pid: number;
  readonly folder: string;
  readonly facts: () => TextFacts;
  readonly clock: Clock;
}): Watch {
  const { pid, folder, facts, clock } = of;
  let open: { good: LogReader; bad: LogReader; tally: Tally; probes: Probes } | null = null;
  let asked = 0;
  const letBack = lettingBack(folder, facts);
  /** Questions that were answered and whose line was not seen yet, with the time of the answer. */
  const unheard = { good: new Map<string, number>(), bad: new Map<string, number>() };
  const marks = `${process.pid}-${Math.round(clock.monotonicMs() * 1_000)}-`;

  function opened() {
    const reopen = () => process.kill(pid, 'SIGUSR1');
    const follow = (name: string) => followLog(join(folder, name), reopen, () => clock.monotonicMs());
    open ??= {
      good: follow(nginxNames.files.good),
      bad: follow(nginxNames.files.bad),
      tally: new Tally(facts()),
      probes: openProbes(facts(), clock, stillOut(folder)),
    };
    return open;
  }

  function readAll() {
    const { good, bad, tally } = opened();
    const lines = Object.groupBy(good.read(), (line) => (line.includes(' ') ? 'requests' : 'marks'));
    tally.addGood(lines.requests ?? []);
    for (const line of lines.marks ?? []) unheard.good.delete(line);
    for (const line of bad.read()) {
      if (line.includes(' ') || line.includes('\t')) tally.addBad(line);
      else unheard.bad.delete(line);
    }
  }

  function look() {
    const states = opened().probes.look();
    letBack(states);
    return states;
  }

  /** Takes out those that have waited too long. */
  function isAnyLost(waiting: Map<string, number>, now: number, msMax: number): boolean {
    const lost = [...waiting].filter(([, at]) => now - at > msMax);
    for (const [line] of lost) waiting.delete(line);
    return lost.length > 0;
  }

  return {
    async evidence(control, timeoutMs) {
      const { tally } = opened();
      asked += 1;
      const mark = `${marks}${asked}`;
      const status = await askNginx(control, `${nginxNames.control.status}?asked=${mark}`, timeoutMs);
      const now = clock.monotonicMs();
      unheard.bad.set(mark, now);
      unheard.good.set(mark, now);
      readAll();
      // Each question is a line of both logs too. One that is missing says that a log is not whole: a full disk.
      const lost = [isAnyLost(unheard.bad, now, lineMsMax), isAnyLost(unheard.good, now, bufferedLineMsMax)];
      if (lost.includes(true))
        throw new Error(`${folder}: the log of NGINX is not written, so nothing is known of its requests`);
      return tally.evidence({ connections: connectionsOf(status), inHand: inHandOf(status) }, look());
    },
    servers() {
      const { tally } = opened();
      readAll();
      return tally.servers(look());
    },
    errors(linesMax) {
      readAll();
      return opened().tally.errors(linesMax);
    },
    close() {
      open?.good.close();
      open?.bad.close();
      open?.probes.close();
      open = null;
    },
  };
}
