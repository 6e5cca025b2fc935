import { mkdirSync, readFileSync } from 'node:fs';
import { loadAdoption as loadAdopting, type RunningEngine } from '#agent';
import { Failure, formatDiagnostic, isAlive, jsonLog, messageOf, sitePaths, systemClock } from '#base';
import { ownDialects } from '#dialects';
import { type EngineControl, engines } from '#engines';
import type { Event, GuardRecord } from '#events';
import type { Site } from '#model';
import { probeServer } from '#probe';
import { openJournal } from '#store';
import { nameOfMachine } from './adopt.ts';
import { findingsOf } from './findings.ts';
import { journalFolder } from './journal-room.ts';
import { readOwn } from './own-text.ts';
import { say } from './site-processes.ts';
import { addressesOf } from './taking-over.ts';

const lookEveryMs = 1_000;
const evidenceMsMax = 500;
const probesAtOnceMax = 32;

/**
 * `holdfast adopt --observe FILE`: watches the engine that runs the text from outside: whether it lives and listens, its
 * counters where the text has a statistics socket, its servers by asking them. It sends no signal, takes no descriptor and
 * writes nothing but its own journal. Resolves when it is told to end.
 */
export async function runObserve(options: { readonly file: string; readonly name?: string }): Promise<void> {
  const { site, text, warnings } = await readOwn(options.file, options.name ?? nameOfMachine());
  for (const warning of warnings) process.stderr.write(`${formatDiagnostic(warning)}\n`);
  const paths = sitePaths(site.name);
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort());
  const look = await looker(site, text.file);
  const first = look.engine();
  for (const line of findingsOf(site, first, paths)) say(line);
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  const log = jsonLog('observe');
  const journal = await openJournal({ folder: journalFolder(paths), clock: systemClock, log });
  const note = async (event: Event, line: string) => {
    say(`${new Date().toISOString()} ${line}`);
    await journal.append('observer', event).catch((error: unknown) => log.error(messageOf(error)));
  };
  const told = (what: string) => note({ kind: 'site.observed', site: site.name, what }, what);
  say(`  ${site.name} is observed. Nothing is touched. Ctrl-C ends it.\n`);
  await told(`began: ${options.file} as process ${first.main.pid} runs it`);
  const steady = watchCounters(site, first, await loadAdopting());
  try {
    let known = new Map<string, string>();
    let next = 0;
    while (!stopping.signal.aborted) {
      if (systemClock.monotonicMs() >= next) {
        next = systemClock.monotonicMs() + lookEveryMs;
        const now = await look.state();
        for (const [what, state] of now)
          if (known.has(what) && known.get(what) !== state) await told(`${what}: ${state}`);
        for (const [what, state] of now)
          if (!known.has(what) && state !== 'ok') await told(`${what}: ${state}`);
        known = now;
      }
      for (const what of await steady.tick())
        await note(
          recordOf(site, what),
          what.kind === 'alarm' ? `ALARM ${what.series}: ${what.bad} of ${what.requests} bad` : what.kind,
        );
      await systemClock.sleep(steady.everyMs, stopping.signal).catch(() => {});
    }
    await told('ended');
  } finally {
    steady.close();
    await journal.close();
  }
}

let records = 0;

function recordOf({ name }: Site, what: GuardRecord['what']): Event {
  records += 1;
  return { kind: 'guard.acted', record: { number: records, at: systemClock.now(), balancer: name, what } };
}

/** What is looked at once a second, each with `ok` or what is wrong. */
async function looker(site: Site, file: string) {
  const { findEngine, listeningSockets, sameHost } = await loadAdopting();
  const { own } = site;
  if (!own) throw new Error('an own text was read');
  const addresses = addressesOf(site);
  const asked = { dialect: own.dialect, file, includes: own.includes.map(({ path }) => path), addresses };
  let known: RunningEngine | null = null;
  let firstPid: number | null = null;

  function engine(): RunningEngine {
    known ??= findEngine(asked);
    return known;
  }

  function engineState(): string {
    try {
      if (known && !isAlive(known.main)) known = null;
      const { main } = engine();
      firstPid ??= main.pid;
      return main.pid === firstPid ? 'ok' : `runs anew, as process ${main.pid}`;
    } catch (error) {
      return error instanceof Failure ? error.message : messageOf(error);
    }
  }

  async function state(): Promise<Map<string, string>> {
    const found = new Map([['engine', engineState()]]);
    const open = listeningSockets();
    for (const { host, port } of addresses) {
      const one = open.find((socket) => socket.port === port && socket.host === sameHost(host));
      found.set(`${host}:${port}`, one ? 'ok' : 'nobody listens');
    }
    found.set('text', readOr(file) === own?.text ? 'ok' : `${file} is not what was read at the start`);
    for (const [server, said] of await serversOf(site)) found.set(server, said);
    return found;
  }

  return { engine, state };
}

async function serversOf({ pools }: Site): Promise<[string, string][]> {
  const all = pools.flatMap((pool) => pool.servers.map((server) => ({ pool, server })));
  const found: [string, string][] = [];
  for (let at = 0; at < all.length; at += probesAtOnceMax)
    await Promise.all(
      all.slice(at, at + probesAtOnceMax).map(async ({ pool, server }) => {
        const { ok, answered } = await probeServer(server, pool, systemClock);
        found.push([`${pool.name}/${server.name}`, ok ? 'ok' : answered]);
      }),
    );
  return found;
}

/** The engine's own counters, by the statistics socket that its text names; without one there is nothing to read. */
function watchCounters(
  site: Site,
  { dialect, main }: RunningEngine,
  { watchSteady, tickMs }: Awaited<ReturnType<typeof loadAdopting>>,
) {
  const control =
    site.own && ownDialects[site.own.dialect].files(site.own).find(({ use }) => use === 'control');
  const watch = watchSteady([]);
  const opened: EngineControl | null = control
    ? engines[dialect].control({ pid: main.pid, control: control.path })
    : null;
  if (!opened) say('  The text has no statistics socket: what its engine answers is not seen.');
  return {
    everyMs: tickMs,
    async tick(): Promise<readonly GuardRecord['what'][]> {
      const evidence = await opened?.evidence(evidenceMsMax).catch(() => null);
      return evidence ? watch.tick(0, evidence) : [];
    },
    close: () => opened?.close(),
  };
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
