import type { EngineName, Site } from '#model';
import type { Cannot } from './features.ts';

/**
 * An engine's text. Each dialect folder has the same file names:
 * `dialect.ts` (this object), `lower.ts` (site -> text), `vocabulary.ts` (words and limits of that text).
 */
export interface Dialect {
  readonly name: EngineName;
  /** The name of the text's file: `haproxy.cfg`. */
  readonly fileName: string;
  /** What no text of this engine can say, with the reason. `lower` is never given a site that uses one of these. */
  readonly cannot: Cannot;
  /** Pure: same site and placement, same text, byte for byte. */
  lower(site: Site, placement: Placement): string;
  /** Whether a generation that runs `before` can be told to do as `after` says. Absent: this engine cannot be told of servers. */
  inPlace?(before: Site, after: Site): InPlace;
  /**
   * A text of this engine, a team's own too, that says what running engines were told in their own command language. What cannot be said
   * in a text is left out. Absent: the engine has no such language.
   */
  withSettings?(text: string, commands: readonly string[]): string;
  /** Other files that the text names, by their name in the generation's folder. */
  files?(site: Site): Readonly<Record<string, string>>;
}

/** All that a running engine has to be told, in this order; none at all when the texts say the same. */
export type InPlace =
  | { readonly changes: readonly ServerChange[] }
  | { readonly changes: null; readonly why: string };

/** `words`: the server's line behind its name, in the engine's own words. */
export type ServerChange = { readonly pool: string; readonly server: string } & (
  | { readonly kind: 'add' | 'remove'; readonly words: string; readonly maintenance: boolean }
  | { readonly kind: 'weight'; readonly weight: number; readonly before: number }
  | { readonly kind: 'maintenance'; readonly on: boolean }
);

/** Where one generation's text finds its sockets and files. What makes a check, a rehearsal and the real thing differ, and nothing else does. */
export interface Placement {
  /** Unique within a balancer, rising. */
  readonly generation: number;
  readonly threads: number;
  /** By listener name: the inherited listening socket, an address of its own, or a private Unix socket. */
  readonly listeners: Readonly<Record<string, ListenAt>>;
  /** Unix socket for statistics and commands. */
  readonly control: string;
  /** Unix socket, PROXY protocol v1 or v2, the same routes, without take-back: answers even while the generation is parked. Null: none. */
  readonly entrance: string | null;
  /** Another generation's entrance, for take-back and net. Null: none. */
  readonly neighbour: string | null;
  /** By listener name: PEM bundles (certificate, then key). */
  readonly certificates: Readonly<Record<string, readonly string[]>>;
  /** In the same order, the names that each certificate is for. Absent: nobody has looked; only the first is used then. */
  readonly certificateNames?: Readonly<Record<string, readonly (readonly string[])[]>>;
  /**
   * Where a generation finds other files of the site, by their absolute path there: authorities as they are, a
   * certificate with its key behind it. Absent: where the site has them.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** File with three TLS ticket keys that generations share; the same, raw, in files with `.1`, `.2`, `.3` behind its name. Null: none. */
  readonly ticketKeys: string | null;
  /**
   * Servers (`pool/server`) that are known to be down when the generation starts, for an engine that reads it in its text:
   * it knows before its first request. Each pool has others. Absent: none, or nobody knows.
   */
  readonly knownDown?: readonly string[];
  /** What a generation counts of each client is shared with others that live beside it. Absent or null: with nobody. */
  readonly peers?: Peers | null;
  /** Files that the engine's binary must load for this text, where nobody says so on its command line. Absent: none. */
  readonly modules?: readonly string[];
  /**
   * Requests of the past are sent to it, and on to the real servers: its log tells every one in full, and nobody else hears of
   * them. Absent: not so.
   */
  readonly replays?: true;
  /**
   * Nobody of ours is beside it: it has no private socket that a crash could leave behind, which NGINX would not take up again.
   * Absent: not so.
   */
  readonly alone?: true;
  /** `pool/server` -> address to use instead of the site's (rehearsal). Null: the site's own. */
  readonly servers: Readonly<Record<string, string>> | null;
}

export interface Peers {
  /** Who this generation is among them. */
  readonly self: string;
  /** Everybody's private Unix socket by name, one's own too; there may be nobody behind one. */
  readonly sockets: Readonly<Record<string, string>>;
}

export type ListenAt =
  /** `host`: where it is bound. Absent: the listener's own. */
  | { readonly kind: 'fd'; readonly fd: number; readonly host?: string }
  | { readonly kind: 'address'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** Where connections of TCP and TLS listeners come in, beside an entrance for requests; where a neighbour has its own. */
export function streamEntrance(entrance: string): string {
  return `${entrance}.tcp`;
}

/** Beside a link to a neighbour's entrance: a link to the neighbour's folder, where its doors are. */
export function streamDoors(neighbour: string): string {
  return `${neighbour}.d`;
}

/**
 * A door is a socket for one TCP or TLS listener, without a PROXY header, in the folder of an entrance: for nets of an
 * engine that cannot say in a header which listener it means. It has the same name in every generation of every engine.
 */
export function streamDoor(entrance: string, { host, port }: { host: string; port: number }): string {
  const name = host === '*' ? `tcp-${port}` : `tcp-${port}-${host.replaceAll(':', '_')}`;
  return `${entrance.slice(0, entrance.lastIndexOf('/'))}/${name}`;
}

/** HAProxy's explicit id of the net's server in every pool: one command reads them all, whatever the pools. */
export const netServerId = 9999;
