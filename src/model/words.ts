import { isIP } from 'node:net';

/** The small words of a site file: `500ms`, `127.0.0.1:8080`. */

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `2s`, `1m`, `1h`; NaN for anything else. */
export function parseDurationMs(word: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h)$/.exec(word) ?? [];
  return Number(count) * (unitMs[unit ?? ''] ?? Number.NaN);
}

export function durationOrNull(word: string | undefined): number | null {
  return word === undefined ? null : parseDurationMs(word);
}

const unitBytes: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `512KiB`, `10MiB`; NaN for anything else. */
export function parseBytes(word: string): number {
  const [, count, unit] = /^(\d+)(B|KiB|MiB|GiB)$/.exec(word) ?? [];
  return Number(count) * (unitBytes[unit ?? ''] ?? Number.NaN);
}

/** `10.0.0.7:8080`, `[::1]:8080`, `web-1.internal:8080`, `*:8080`; null for anything else. */
export function parseAddress(word: string): { readonly host: string; readonly port: number } | null {
  const [, v6, plain, digits] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(word) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return null;
  if (v6 !== undefined) return isIP(v6) === 6 ? { host: v6.toLowerCase(), port } : null;
  return plain !== undefined && isHost(plain) ? { host: plain.toLowerCase(), port } : null;
}

/** What consists of digits and dots only is an IPv4 address or a mistake. */
function isHost(word: string): boolean {
  if (word === '*') return true;
  if (/^[\d.]+$/.test(word)) return isIP(word) === 4;
  const labels = word.split('.');
  return word.length <= 253 && labels.every((label) => /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/.test(label));
}

/** The name of a server that was given as an address only. */
export function nameOfAddress(host: string, port: number): string {
  const plain = host.replaceAll(':', '-').replace(/^[^A-Za-z0-9]+/, '');
  return `${plain.slice(0, 58)}-${port}`;
}

export type LogTarget =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'file' | 'syslogSocket'; readonly path: string }
  | { readonly kind: 'syslog'; readonly host: string; readonly port: number };

/** `stdout`, `file:/var/log/access.log`, `syslog:127.0.0.1:514`, `syslog:/dev/log`; null for anything else. */
export function parseLogTarget(word: string): LogTarget | null {
  if (word === 'stdout') return { kind: 'stdout' };
  const [, kind, rest = ''] = /^(file|syslog):(.+)$/.exec(word) ?? [];
  if (kind === undefined) return null;
  if (rest.startsWith('/')) return { kind: kind === 'file' ? 'file' : 'syslogSocket', path: rest };
  const address = kind === 'syslog' ? parseAddress(rest) : null;
  return address === null || address.host === '*' ? null : { kind: 'syslog', ...address };
}
