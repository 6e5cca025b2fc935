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
  return new Look(first, clock, await loadAdopting());
}

class Look implements EngineLook {
  readonly #clock: Clock;
  readonly #adopting: Awaited<ReturnType<typeof loadAdopting>>;
  #current: Read;
  #next: Read | null = null;
  #engine: RunningEngine | null = null;
  #family = '';
  #runs = false;
  #firstPid: number | null = null;
  #onlook: Onlook | null = null;
  #generation = 0;
  #asked: readonly ServerEvidence[] = [];

  constructor(first: Read, clock: Clock, adopting: Awaited<ReturnType<typeof loadAdopting>>) {
    [this.#current, this.#clock, this.#adopting] = [first, clock, adopting];
  }

  get current(): Read {
    return this.#current;
  }

  get onlook(): Onlook | null {
    return this.#onlook;
  }

  find(): RunningEngine {
    this.#follow();
    assert(this.#engine !== null, 'it was found');
    return this.#engine;
  }

  looked(): Looked {
    return {
      ...this.#current,
      main: this.#runs ? (this.#engine?.main ?? null) : null,
      version: this.#engine?.version ?? '',
      generation: this.#generation,
      counters: this.#onlook?.counters ?? null,
      asked: this.#asked,
    };
  }

  edited(read: Read | null): void {
    this.#next = read;
    // It may have been read already.
    if (read) this.#tryToFollow();
  }

  async look(): Promise<ReadonlyMap<string, string>> {
    const { listeningSockets, sameHost } = this.#adopting;
    const found = new Map([['engine', this.#engineState()]]);
    const open = listeningSockets();
    for (const { host, port } of addressesOf(this.#current.site)) {
      const one = open.find((socket) => socket.port === port && socket.host === sameHost(host));
      found.set(`${host}:${port}`, one ? 'ok' : 'nobody listens');
    }
    this.#asked = await askServers(this.#current.site, this.#clock);
    for (const { pool, server, state, lastCheck } of this.#asked)
      found.set(`${pool}/${server}`, state === 'up' ? 'ok' : lastCheck);
    return found;
  }

  close(): void {
    this.#onlook?.counters?.close();
  }

  #use(found: RunningEngine, read: Read): void {
    const { dialect, main, command, folder } = found;
    if (read === this.#next) this.#next = null;
    [this.#engine, this.#current, this.#runs] = [found, read, true];
    this.#family = this.#adopting.withDescendants(main.pid).join(' ');
    this.#generation += 1;
    this.close();
    this.#onlook = foreignEngines[dialect].onlook({
      pid: main.pid,
      args: command.args,
      folder,
      site: read.site,
      asked: () => this.#asked,
    });
  }

  /** It was reloaded, or started again, perhaps with another text: until all of that is plain, what was known holds. */
  #follow(): void {
    const read = this.#next ?? this.#current;
    const { site, text } = read;
    assert(site.own !== null, 'an own text was read');
    const includes = site.own.includes.map(({ path }) => path);
    const asked = { dialect: site.own.dialect, file: text.file, includes, addresses: addressesOf(site) };
    this.#use(this.#adopting.findEngine(asked), read);
  }

  #engineState(): string {
    try {
      if (this.#engine && !isAlive(this.#engine.main)) this.#engine = null;
      if (!this.#engine) this.#follow();
      else if (this.#adopting.withDescendants(this.#engine.main.pid).join(' ') !== this.#family)
        this.#tryToFollow();
      const pid = this.#engine?.main.pid ?? null;
      this.#firstPid ??= pid;
      return pid === this.#firstPid ? 'ok' : `runs anew, as process ${pid}`;
    } catch (error) {
      this.#runs = false;
      return error instanceof Failure ? error.message : messageOf(error);
    }
  }

  #tryToFollow(): void {
    try {
      this.#follow();
    } catch {
      // Both the old and the new one listen for a moment; or the new one reads a text that was written since.
    }
  }
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
