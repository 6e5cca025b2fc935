import { assert } from '#base';
import type { Pool } from '#model';

/**
 * Words and limits of NGINX's text (open source, 1.22). Names of ours that stand beside the site's begin with what no
 * name of a site begins with; pools are known by their number, because NGINX tells upstreams apart without their case.
 */
export const ours = {
  /** What the access log calls another generation. */
  neighbour: 'holdfast:neighbour',
  /** Files of a generation's folder that the text names. */
  files: {
    pid: 'nginx.pid',
    errors: 'error.log',
    good: 'good.log',
    bad: 'bad.log',
    /** Executable: requests of the public side go to the neighbour. */
    takeBack: 'take-back.flag',
    /** Executable: the net is out. */
    netOut: 'net-out.flag',
    /** Of connections that are passed on: links to the neighbour, in a folder; under the other name they lead nowhere. */
    net: 'net',
    netAside: 'net-out',
    /** Executable: a server of the pool that was down when it started is well again, so all get requests. */
    back: (pool: number) => `back-${pool}.flag`,
    /** Gone once it has started: a reload, or another binary in its place, then reads nothing. */
    start: 'only-at-its-start',
  },
  /** First field of a line about a connection that was passed on. */
  streamLine: 'tcp',
  /** Paths of the control socket. */
  control: { status: '/status', takeBack: '/take-back', net: '/net' },
  /** The first word of the comments that tell the control what is in the text. */
  facts: { generation: '# holdfast ', pool: '# pool ', server: '# server ' },
} as const;

/**
 * The listening sockets' numbers in NGINX. High ones: whoever takes a socket out of NGINX's epoll needs the same number
 * free in its own process.
 */
export const firstSocketFd = 900;

/** What a site does not say, in NGINX's own units. */
export const defaults = {
  connections: 8_192,
  requestTimeoutMs: 15_000,
  clientTimeoutMs: 60_000,
  keepAliveTimeoutMs: 60_000,
  /** Shorter than the five seconds of many servers, so that we are the one who closes. */
  serverKeepAliveTimeoutMs: 4_000,
  serverKeepAlive: 64,
  /** Authorities between a client's certificate and one that is trusted. */
  chainMax: 10,
  neighbourTimeoutMs: 3_600_000,
  neighbourConnectMs: 1_000,
  headBytes: 16_384,
  /** Good requests are told at most this late; bad ones at once. */
  logFlushMs: 100,
} as const;

export function upstreamName(pools: readonly Pool[], name: string): string {
  const index = pools.findIndex((pool) => pool.name === name);
  assert(index >= 0, `no pool is called ${name}`);
  return `p${index}.${name}`;
}

/** One word of a line where NGINX looks for no variables: a key of a map. */
export function word(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\r/g, '\\r').replace(/\n/g, '\\n')}"`;
}

/** One word of a line where it looks for variables: NGINX has no way to write a dollar sign there but as one of them. */
export function text(text: string): string {
  return word(text).replaceAll('$', `$\{holdfast_dollar}`);
}

/** A file name. NGINX would read variables into one with a dollar sign, and there is no way to write it. */
export function path(text: string): string {
  assert(!text.includes('$'), `a path that NGINX cannot name: ${text}`);
  return /^[A-Za-z0-9_./:@+-]+$/.test(text) ? text : word(text);
}

/** A file in that folder. */
export function file(folder: string, name: string): string {
  return path(`${folder}/${name}`);
}

/** A regular expression that matches exactly this text, byte for byte. */
export function literally(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte);
      if (/[A-Za-z0-9_/ -]/.test(char)) return char;
      return /[\x21-\x7e]/.test(char) ? `\\${char}` : `\\x${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');
}

/** Groups without names: NGINX would make variables of them. */
export function unnamed(expression: string): string {
  let inClass = false;
  return expression.replace(/\\.|\[|\]|\(\?<[^=!>][^>]*>/g, (part) => {
    if (part === '[') inClass = true;
    else if (part === ']') inClass = false;
    return part.startsWith('(?<') && !inClass ? '(' : part;
  });
}

/** A comment, on one line whatever it holds. */
export function comment(text: string): string {
  return `# ${text.replace(/\p{Cc}+/gu, ' ')}`;
}

export function milliseconds(ms: number): string {
  return `${Math.max(1, Math.round(ms))}ms`;
}

export function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}

/** Of a line about a request that went wrong, or did not go straight. */
export const badFields = [
  'holdfast_side',
  'holdfast_route',
  'status',
  'holdfast_led',
  'upstream_addr',
  'upstream_status',
  'upstream_connect_time',
  'upstream_header_time',
  'request_method',
  'holdfast_path',
  'http_host',
] as const;
