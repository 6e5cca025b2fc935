import { type Looked, loadAdoption as loadAdopting, type RunningEngine } from '#agent';
import { assert, type Clock, Failure, isAlive, messageOf } from '#base';
import type { SiteText } from '#contract';
import { foreignEngines, type Onlook, type ServerEvidence } from '#engines';
import type { Site } from '#model';
import { probeServer } from '#probe';
import { addressesOf } from '../taking-over.ts';

const probesAtOnceMax = 32;

export interface Read {
  readonly site: Site;
  readonly text: SiteText;
}

export interface EngineLook {
  /** @throws Failure HF501, HF502, HF503: as `adopt` itself would be refused. */
  find(): RunningEngine;
  /** What is known now, for whoever counts. */
  looked(): Looked;
  /** Once a second: each thing that is looked at with `ok`, or what is wrong with it. */
  look(): Promise<ReadonlyMap<string, string>>;
  /** A text on disk that the engine has not read yet; null: what it runs is what is on disk. */
  edited(read: Read | null): void;
  /** The text that the engine runs. */
  readonly current: Read;
  /** What can be counted of it; null: it was not found yet. */
  readonly onlook: Onlook | null;
  close(): void;
}

/** Looks at the engine that runs a text, from outside: its processes, its listeners, and its servers by asking them. */
export async function engineLook(first: Read, clock: Clock): Promise<EngineLook> {
  const { findEngine, listeningSockets, sameHost, withDescendants } = await loadAdopting();
  let [current, next]: [Read, Read | null] = [first, null];
  let engine: RunningEngine | null = null;
  let family = '';
  let runs = false;
  let firstPid: number | null = null;
  let onlook: Onlook | null = null;
  let generation = 0;
  let asked: readonly ServerEvidence[] = [];

  function use(found: RunningEngine, read: Read): void {
    if (read === next) next = null;
    [engine, current, runs] = [found, read, true];
    family = withDescendants(found.main.pid).join(' ');
    generation += 1;
    onlook?.counters?.close();
    const { dialect, main, command, folder } = found;
    const { args } = command;
    onlook = foreignEngines[dialect].onlook({ pid: main.pid, args, folder, site: read.site, asked: () => asked });
  }

  function askedOf({ site, text }: Read) {
    assert(site.own !== null, 'an own text was read');
    const includes = site.own.includes.map(({ path }) => path);
    return { dialect: site.own.dialect, file: text.file, includes, addresses: addressesOf(site) };
  }

  /** It was reloaded, or started again, perhaps with another text: until all of that is plain, what was known holds. */
  function follow(): void {
    const read = next ?? current;
    use(findEngine(askedOf(read)), read);
  }

  function engineState(): string {
    try {
      if (engine && !isAlive(engine.main)) engine = null;
      if (!engine) follow();
      else if (withDescendants(engine.main.pid).join(' ') !== family) tryToFollow();
      const pid = engine?.main.pid ?? null;
      firstPid ??= pid;
      return pid === firstPid ? 'ok' : `runs anew, as process ${pid}`;
    } catch (error) {
      runs = false;
      return error instanceof Failure ? error.message : messageOf(error);
    }
  }

  function tryToFollow(): void {
    try {
      follow();
    } catch {
      // Both the old and the new one listen for a moment; or the new one reads a text that was written since.
    }
  }

  return {
    get current() {
      return current;
    },
    get onlook() {
      return onlook;
    },
    find() {
      follow();
      assert(engine !== null, 'it was found');
      return engine;
    },
    looked: () => ({
      ...current,
      main: runs ? (engine?.main ?? null) : null,
      version: engine?.version ?? '',
      generation,
      counters: onlook?.counters ?? null,
      asked,
    }),
    edited(read) {
      next = read;
      // It may have been read already.
      if (read) tryToFollow();
    },
    async look() {
      const found = new Map([['engine', engineState()]]);
      const open = listeningSockets();
      for (const { host, port } of addressesOf(current.site)) {
        const one = open.find((socket) => socket.port === port && socket.host === sameHost(host));
        found.set(`${host}:${port}`, one ? 'ok' : 'nobody listens');
      }
      asked = await askServers(current.site, clock);
      for (const { pool, server, state, lastCheck } of asked)
        found.set(`${pool}/${server}`, state === 'up' ? 'ok' : lastCheck);
      return found;
    },
    close: () => onlook?.counters?.close(),
  };
}

async function askServers({ pools }: Site, clock: Clock): Promise<readonly ServerEvidence[]> {
  const all = pools.flatMap((pool) => pool.servers.map((server) => ({ pool, server })));
  const found: ServerEvidence[] = [];
  for (let at = 0; at < all.length; at += probesAtOnceMax)
    found.push(
      ...(await Promise.all(
        all.slice(at, at + probesAtOnceMax).map(async ({ pool, server }) => {
          const { ok, answered } = await probeServer(server, pool, clock);
          const state = ok ? ('up' as const) : ('down' as const);
          return { pool: pool.name, server: server.name, state, lastCheck: answered, requests: 0, errors: 0 };
        }),
      )),
    );
  return found;
}
