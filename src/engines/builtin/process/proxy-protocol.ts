import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { Endpoint } from './address.ts';

/** The PROXY protocol, versions 1 and 2: https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt */
export interface ProxyHeader {
  /** Null: the sender speaks for itself. */
  readonly client: Endpoint | null;
  readonly local: Endpoint | null;
  /** Bytes of the header: the request begins behind them. */
  readonly length: number;
}

export type ParsedProxy =
  | { readonly kind: 'header'; readonly header: ProxyHeader }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'wrong'; readonly why: string };

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const versionOne = Buffer.from('PROXY ');
const lineBytesMax = 107;
const incomplete: ParsedProxy = { kind: 'incomplete' };

export function parseProxy(bytes: Buffer): ParsedProxy {
  if (startsLike(bytes, signature)) return bytes.length < 16 ? incomplete : parseVersionTwo(bytes);
  if (startsLike(bytes, versionOne)) return parseVersionOne(bytes);
  return wrong('neither version 1 nor version 2');
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function wrong(why: string): ParsedProxy {
  return { kind: 'wrong', why };
}

function parseVersionOne(bytes: Buffer): ParsedProxy {
  const end = bytes.subarray(0, lineBytesMax).indexOf('\r\n');
  if (end < 0) return bytes.length < lineBytesMax ? incomplete : wrong('the line does not end');
  const [, family, from, to, fromPort, toPort, ...more] = bytes.toString('latin1', 0, end).split(' ');
  const length = end + 2;
  if (family === 'UNKNOWN') return header({ client: null, local: null, length });
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : () => false;
  const client = endpoint(from, fromPort, isAddress);
  const local = endpoint(to, toPort, isAddress);
  if (!client || !local || more.length > 0)
    return wrong('the line is not `PROXY TCP4|TCP6 from to port port`');
  return header({ client, local, length });
}

function header(header: ProxyHeader): ParsedProxy {
  return { kind: 'header', header };
}

function endpoint(
  address: string | undefined,
  port: string | undefined,
  isAddress: (text: string) => boolean,
): Endpoint | null {
  if (address === undefined || port === undefined || !isAddress(address)) return null;
  return /^\d{1,5}$/.test(port) && Number(port) <= 65_535 ? { address, port: Number(port) } : null;
}

const commands = { local: 0x20, proxy: 0x21 };

function parseVersionTwo(bytes: Buffer): ParsedProxy {
  const length = 16 + bytes.readUInt16BE(14);
  if (bytes.length < length) return incomplete;
  const command = bytes.readUInt8(12);
  if (command === commands.local) return header({ client: null, local: null, length });
  if (command !== commands.proxy) return wrong('neither LOCAL nor PROXY');
  const size = { 17: 4, 33: 16 }[bytes.readUInt8(13)];
  if (size === undefined) return header({ client: null, local: null, length });
  const addressesEnd = 16 + size * 2 + 4;
  if (length < addressesEnd) return wrong('shorter than its addresses');
  const portsAt = 16 + size * 2;
  return header({
    client: { address: addressText(bytes.subarray(16, 16 + size)), port: bytes.readUInt16BE(portsAt) },
    local: {
      address: addressText(bytes.subarray(16 + size, portsAt)),
      port: bytes.readUInt16BE(portsAt + 2),
    },
    length,
  });
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(':');
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const bytes = Buffer.alloc(16);
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const left = groups(head);
  const right = groups(tail ?? '');
  left.forEach((group, i) => {
    bytes.writeUInt16BE(group, i * 2);
  });
  right.forEach((group, i) => {
    bytes.writeUInt16BE(group, 16 - (right.length - i) * 2);
  });
  return bytes;
}

function groups(text: string): number[] {
  return text
    .split(':')
    .filter((part) => part !== '')
    .flatMap((part) => (isIPv4(part) ? pairsOf(part.split('.').map(Number)) : [Number.parseInt(part, 16)]));
}

function pairsOf([a = 0, b = 0, c = 0, d = 0]: readonly number[]): number[] {
  return [a * 256 + b, c * 256 + d];
}

/** Version 1. Null: it is us who ask. */
export function proxyLine(client: Endpoint | null, local: Endpoint | null): Buffer {
  const family = client && local && isIP(client.address) === isIP(local.address) ? isIP(client.address) : 0;
  if (client === null || local === null || family === 0) return Buffer.from('PROXY UNKNOWN\r\n');
  const words = [`TCP${family}`, client.address, local.address, client.port, local.port];
  return Buffer.from(`PROXY ${words.join(' ')}\r\n`);
}

/** Version 2, without any of its extensions. Null: it is us who ask. */
export function proxyHeader(client: Endpoint | null, local: Endpoint | null): Buffer {
  if (client === null || local === null)
    return Buffer.concat([signature, Buffer.from([commands.local, 0, 0, 0])]);
  const four = isIPv4(client.address) && isIPv4(local.address);
  const known = four || (isIPv6(client.address) && isIPv6(local.address));
  const addresses = known
    ? Buffer.concat([
        addressBytes(client.address),
        addressBytes(local.address),
        portBytes(client.port, local.port),
      ])
    : Buffer.concat([
        addressBytes('127.0.0.1'),
        addressBytes('127.0.0.1'),
        portBytes(client.port, local.port),
      ]);
  const start = Buffer.alloc(4);
  start.writeUInt8(commands.proxy, 0);
  start.writeUInt8(known && !four ? 0x21 : 0x11, 1);
  start.writeUInt16BE(addresses.length, 2);
  return Buffer.concat([signature, start, addresses]);
}

function portBytes(from: number, to: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16BE(from, 0);
  bytes.writeUInt16BE(to, 2);
  return bytes;
}
