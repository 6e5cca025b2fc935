import type { meaning } from '#routing';

/**
 * A text put on a stage: the same rules in the real engine, but nobody outside sees or hears it. It listens on private
 * Unix sockets that expect a PROXY header (which says whose address and which port are meant), its servers are sockets
 * behind which somebody says which server he stands for, and what it reads of the machine lies beside it.
 */
export interface StagePlan {
  /** Absolute and short (a Unix socket's path has at most 107 bytes); the engine may write there. */
  readonly folder: string;
  /** A certificate with its key in one file, for every listener that speaks TLS. */
  readonly certificate: string;
  /** What the text was lifted to: its listeners and servers are the ones that are found again. */
  readonly meaning: meaning.Meaning;
}

export interface StagedText {
  readonly text: string;
  /** For each line of `text`, the line of the team's text that it is or follows. Empty: it was written anew. */
  readonly original: readonly number[];
  /** By name in the folder: lists and maps that the text reads. */
  readonly files: Readonly<Record<string, string>>;
  readonly listeners: readonly StagedListener[];
  readonly servers: readonly StagedServer[];
  /** What is not as the text has it, for people: `haproxy.cfg:3 user haproxy: left out`. */
  readonly replaced: readonly string[];
  /** A name that stands for an authority in the staged text -> the authority, as servers would see it. */
  readonly names: Readonly<Record<string, string>>;
  /** A request with one of these headers (lower case) says where it comes from, which the stage says already. */
  readonly speakOfSource: readonly string[];
}

/** One address of the meaning. */
export interface StagedListener {
  readonly host: string;
  readonly port: number | null;
  readonly socket: string;
}

/** One server, on a socket of its own in the folder. */
export interface StagedServer {
  readonly socket: string;
  readonly pool: string;
  /** As the meaning has them. */
  readonly server: string;
  readonly address: string;
  /** What it spoke is not HTTP (FastCGI): what it is sent cannot be compared. */
  readonly foreign: boolean;
}

/** Of a large pool the rest stands behind the socket of the last of these. */
const serversPerPoolMax = 50;

/** Servers of a text as they are met. */
export class StagedServers {
  readonly all: StagedServer[] = [];
  readonly #counts = new Map<string, number>();
  readonly #last = new Map<string, string>();

  /** The name of the socket that stands for it. */
  add(server: Omit<StagedServer, 'socket'>): string {
    const number = this.#counts.get(server.pool) ?? 0;
    this.#counts.set(server.pool, number + 1);
    const last = this.#last.get(server.pool);
    if (last !== undefined && number >= serversPerPoolMax) return last;
    const socket = `s${this.all.length}`;
    this.all.push({ ...server, socket });
    this.#last.set(server.pool, socket);
    return socket;
  }

  /** What this pool spoke is not HTTP. */
  markForeign(pool: string): void {
    this.all.forEach((server, index) => {
      if (server.pool.toLowerCase() === pool.toLowerCase()) this.all[index] = { ...server, foreign: true };
    });
  }
}
