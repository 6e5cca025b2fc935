import type { meaning } from '#routing';
import { addressOf } from '../own/address.ts';
import type { Line, Section } from '../own/sections.ts';
import { inAddress } from '../own/words.ts';
import { type Notes, textOf } from './source.ts';
import type { Settings } from './told.ts';

/** One address of a `bind` line. */
export interface Bound {
  readonly name: string;
  readonly host: string;
  readonly port: number | null;
  readonly tls: boolean;
  readonly line: Line;
}

const portsMax = 1_000;

/** Every address of a frontend, in the order of the text. */
export function boundOf(section: Section, notes: Notes): readonly Bound[] {
  const bound = section.lines
    .filter(({ words }) => words[0]?.value === 'bind')
    .flatMap((line) => addressesOf(line, notes));
  const head = headAddress(section);
  return [...head, ...bound].map((one) => ({ ...one, name: nameOf(section.name, one) }));
}

type Unnamed = Omit<Bound, 'name'>;

function nameOf(section: string, { host, port }: Unnamed): string {
  return `${section} ${host}${port === null ? '' : `:${port}`}`;
}

/** `listen NAME 0.0.0.0:80`, as old texts have it. */
function headAddress(section: Section): readonly Unnamed[] {
  const [, , word] = section.head.words;
  if (word === undefined || word.value === 'from' || !word.value.includes(':')) return [];
  return word.value.split(',').flatMap((part) => parsed(part, false, section.head));
}

function addressesOf(line: Line, notes: Notes): readonly Unnamed[] {
  const [, given, ...options] = line.words;
  if (given === undefined || line.conditional) {
    notes.miss(line, given === undefined ? 'it has no address' : 'whether the .if holds is not known');
    return [];
  }
  const { value, unknown } = inAddress(given, line.environment);
  const tls = options.some((option) => option.value === 'ssl');
  if (unknown.length > 0)
    return [{ host: given.value === '' ? `\${${unknown[0]}}` : given.value, port: null, tls, line }];
  return value.split(',').flatMap((part) => {
    const found = parsed(part, tls, line);
    if (found.length === 0) notes.miss(line, `"${part}" is no address that is understood`);
    return found;
  });
}

function parsed(text: string, tls: boolean, line: Line): readonly Unnamed[] {
  const [, before = '', first, last] = /^(.*:)(\d+)-(\d+)$/.exec(text) ?? [];
  if (first !== undefined) {
    const count = Math.min(portsMax, Number(last) - Number(first) + 1);
    return Array.from({ length: Math.max(0, count) }, (_, index) => Number(first) + index).flatMap((port) =>
      parsed(`${before}${port}`, tls, line),
    );
  }
  const address = addressOf(text);
  if (address.kind === 'unix') return [{ host: address.path, port: null, tls, line }];
  if (address.kind === 'inet') return [{ host: hostOf(text, address.host), port: address.port, tls, line }];
  return /^(?:fd|sockpair|quic[46])@/.test(text)
    ? [{ host: text, port: null, tls: tls || text.startsWith('quic'), line }]
    : [];
}

function hostOf(text: string, host: string): string {
  if (host === '0.0.0.0' && !text.includes('0.0.0.0')) return '*';
  return host.includes(':') ? `[${host}]` : host;
}

const valued = new Set(
  `accept-netscaler-cip alpn backlog curves ecdhe ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file ciphers
  ciphersuites crl-file crt crt-ignore-err crt-list gid group id interface level maxconn mode mss name namespace nice npn
  process proto severity-output ssl-max-ver ssl-min-ver tcp-ut thread tls-ticket-keys uid user verify shards`.split(
    /\s+/,
  ),
);

/** The words behind an address, as settings of it. */
export function tellBind({ line }: Bound, scope: meaning.Setting['scope'], settings: Settings): void {
  const words = line.words.slice(2);
  const several = new Map<string, string[]>();
  for (let index = 0; index < words.length; index += 1) {
    const option = words[index]?.value ?? '';
    const takes = valued.has(option) && words[index + 1] !== undefined;
    const value = takes ? textOf(words.slice(index + 1, index + 2)) : 'on';
    several.set(option, [...(several.get(option) ?? []), value]);
    if (takes) index += 1;
  }
  for (const [option, values] of several) settings.add([scope], `bind ${option}`, values.join(' '), line);
}
