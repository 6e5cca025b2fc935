import { isIP } from 'node:net';

/** What HAProxy reads as an address (`str2sa_range`). `other` names what cannot be carried over. */
export type Address =
  | { readonly kind: 'inet'; readonly host: string; readonly port: number | null }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'other'; readonly what: string };

const families: Readonly<Record<string, string>> = {
  fd: 'a socket that another program hands over (`fd@`)',
  sockpair: 'a pair of sockets',
  quic4: 'QUIC',
  quic6: 'QUIC',
  rhttp: 'reverse HTTP',
  rev: 'reverse HTTP',
};

export function addressOf(text: string): Address {
  const [, family, rest = text] = /^([a-z0-9+]+)@(.*)$/s.exec(text) ?? [];
  if (family === 'abns' || family === 'abnsz') return { kind: 'unix', path: text };
  if (rest.startsWith('/') || family === 'unix' || family === 'uxst') return { kind: 'unix', path: rest };
  if (family !== undefined && !/^(?:ipv4|ipv6|tcp|tcp4|tcp6|inet)$/.test(family)) {
    const what = families[family] ?? (/^(?:udp|uxdg)/.test(family) ? 'a datagram socket' : `\`${family}@\``);
    return { kind: 'other', what };
  }
  return inetOf(rest, family);
}

function inetOf(text: string, family: string | undefined): Address {
  const [, name = '', digits] = /^(.*):([^:]*)$/s.exec(text) ?? ['', text];
  if (digits === undefined || digits === '') return { kind: 'inet', host: hostOf(name, family), port: null };
  if (/^\d+-\d+$/.test(digits)) return { kind: 'other', what: `a range of ports (${digits})` };
  const port = Number(digits);
  if (!/^\d{1,5}$/.test(digits) || port > 65_535) return { kind: 'other', what: `the port ${digits}` };
  return { kind: 'inet', host: hostOf(name, family), port };
}

function hostOf(name: string, family: string | undefined): string {
  const plain = name.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const any = family === 'ipv6' || family === 'tcp6' ? '::' : '0.0.0.0';
  if (plain === '' || plain === '*') return any;
  return plain === 'localhost' ? '127.0.0.1' : plain;
}

export function isIpAddress(host: string): boolean {
  return isIP(host) !== 0;
}
