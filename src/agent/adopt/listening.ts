import { readdirSync } from 'node:fs';
import { linkOf, readOr } from './processes.ts';

/** A socket that listens, as /proc/net/tcp and tcp6 have it. */
export interface Listening {
  /** `127.0.0.1`, `0.0.0.0`, `::1`, `::`: as short as `new URL` writes it. */
  readonly host: string;
  readonly port: number;
  /** Names the open socket itself, in whatever process. */
  readonly inode: string;
  /** Connections that nobody has accepted yet. */
  readonly queued: number;
}

/** A connection that a client has opened to one of a machine's addresses. */
export interface Connected {
  readonly port: number;
  readonly peerPort: number;
  /** `0` where the process has let go of it. */
  readonly inode: string;
}

const states = { established: '01', listening: '0A' } as const;

interface Row {
  readonly host: string;
  readonly port: number;
  readonly peerPort: number;
  readonly received: number;
  readonly inode: string;
}

/** All of the network namespace of `pid`: what `/proc/net` shows is the reader's own. */
export function listeningSockets(pid: number | 'self' = 'self'): Listening[] {
  // One that is just being closed belongs to nobody any more.
  const open = rowsOf(pid, states.listening).filter(({ inode }) => inode !== '0');
  return open.map(({ host, port, inode, received }) => ({
    host,
    port,
    inode,
    queued: received,
  }));
}

export function connectionsAt(ports: ReadonlySet<number>, pid: number | 'self' = 'self'): Connected[] {
  return rowsOf(pid, states.established).filter(({ port }) => ports.has(port));
}

/** Tens of thousands of connections that are over may stand there too: a line of another state is not taken apart. */
function rowsOf(pid: number | 'self', state: string): Row[] {
  const tables = [
    ['tcp', 8],
    ['tcp6', 32],
  ] as const;
  return tables.flatMap(([name, addressWidth]) => {
    const text = readOr(`/proc/${pid}/net/${name}`);
    const ends = addressWidth + ':port '.length;
    return text.split('\n').flatMap((line) => {
      const at = line.indexOf(': ') + 2 + 2 * ends;
      return line.startsWith(state, at) ? rowOf(line) : [];
    });
  });
}

function rowOf(line: string): Row[] {
  const fields = line.trim().split(/\s+/);
  const [, local = '', remote = '', , queues = ''] = fields;
  const inode = fields[9];
  if (inode === undefined) return [];
  const [address = '', port = ''] = local.split(':');
  return [
    {
      host: hostOf(address),
      port: Number.parseInt(port, 16),
      peerPort: Number.parseInt(remote.split(':')[1] ?? '0', 16),
      received: Number.parseInt(queues.split(':')[1] ?? '0', 16),
      inode,
    },
  ];
}

/** The kernel writes an address as words of four bytes, each in the machine's own order: little endian on all that we know. */
function hostOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    [6, 4, 2, 0].map((at) => Number.parseInt(word.slice(at, at + 2), 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return sameHost(groups.join(':'));
}

/** One spelling for each address: `0:0:0:0:0:0:0:1` and `::1` are the same. */
export function sameHost(host: string): string {
  return host.includes(':') ? new URL(`http://[${host}]/`).hostname.slice(1, -1) : host;
}

/** Every process that this user may look into. */
export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A process's sockets: inode -> its descriptors. Null when it may not be looked into, or has ended. */
export function socketsOf(pid: number): ReadonlyMap<string, readonly number[]> | null {
  let names: readonly string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return null;
  }
  const found = new Map<string, number[]>();
  for (const name of names) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${name}`))?.[1];
    if (inode !== undefined) found.set(inode, [...(found.get(inode) ?? []), Number(name)]);
  }
  return found;
}
