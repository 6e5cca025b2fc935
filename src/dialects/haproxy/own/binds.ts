import { uniqueNames } from '../../own-findings.ts';
import { type Address, addressOf, isIpAddress } from './address.ts';
import { isDisabled, type Line, type Section } from './sections.ts';
import { inAddress, type Word } from './words.ts';

/** One `bind` line of a frontend: every address on it, in order. */
export interface BindLine {
  readonly section: Section;
  readonly line: Line;
  readonly tls: boolean;
  readonly addresses: readonly BoundAddress[];
  /** Options that no lent socket can have. */
  readonly refused: readonly { readonly word: Word; readonly why: string }[];
}

export type BoundAddress =
  | {
      readonly kind: 'listener';
      readonly name: string;
      readonly host: string;
      readonly port: number;
      readonly dualStack: boolean;
    }
  /** A Unix socket. */
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'refused'; readonly why: string; readonly remedy: string };

/** Options of `bind` that belong to the making of a socket, or need rights that a lent one does without. */
const refusedOptions: Readonly<Record<string, string>> = {
  interface: 'a socket of one network interface needs rights that the engine does not have',
  transparent: 'binding foreign addresses needs rights that the engine does not have',
  namespace: 'another network namespace needs rights that the engine does not have',
  shards: 'several sockets for one address cannot be lent',
};

export function bindLines(sections: readonly Section[]): readonly BindLine[] {
  const found = sections
    .filter((section) => (section.kind === 'frontend' || section.kind === 'listen') && !isDisabled(section))
    .flatMap((section) =>
      section.lines
        .filter(({ words }) => words[0]?.value === 'bind' && words[1] !== undefined)
        .map((line) => ({ section, line, parsed: addressesOf(line) })),
    );
  const all = found.flatMap(({ parsed }) => parsed.flatMap((one) => (one.kind === 'inet' ? [one] : [])));
  const plainPorts = new Set(all.filter(({ host }) => host === '0.0.0.0').map(({ port }) => port));
  const nameOf = uniqueNames();
  return found.map(({ section, line, parsed }) => {
    const options = line.words.slice(2);
    const has = (option: string) => options.some(({ value }) => value === option);
    const toBound = (address: Parsed): BoundAddress => {
      if (address.kind !== 'inet') return address;
      const { host, port } = address;
      const dualStack = isAnyV6(host) && !has('v6only') && !plainPorts.has(port);
      return { kind: 'listener', name: nameOf(`${section.name}-${port}`), host, port, dualStack };
    };
    return {
      section,
      line,
      tls: has('ssl'),
      addresses: parsed.map(toBound),
      refused: options.flatMap((word, index) => {
        const why = refusedOptions[word.value];
        const harmless = word.value === 'shards' && options[index + 1]?.value === '1';
        return why === undefined || harmless ? [] : [{ word, why }];
      }),
    };
  });
}

type Parsed =
  | { readonly kind: 'inet'; readonly host: string; readonly port: number }
  | Exclude<BoundAddress, { kind: 'listener' }>;

function addressesOf(line: Line): readonly Parsed[] {
  const [, given] = line.words;
  if (given === undefined) return [];
  const { value, unknown } = inAddress(given, line.environment);
  if (unknown.length > 0)
    return [
      {
        kind: 'refused',
        why: `only the environment knows ${unknown.join(', ')}`,
        remedy: setItHere(unknown),
      },
    ];
  return value.split(',').map((part) => parsedOf(addressOf(part)));
}

export function setItHere(unknown: readonly string[]): string {
  return `Write the value, or set it in the text: presetenv ${unknown[0]} VALUE`;
}

function parsedOf(address: Address): Parsed {
  switch (address.kind) {
    case 'unix':
      return address;
    case 'other':
      return { kind: 'refused', why: `${address.what} cannot be lent to an engine`, remedy: '' };
    case 'inet': {
      const { host, port } = address;
      if (port === null || port === 0) return { kind: 'refused', why: 'no port is given', remedy: '' };
      if (!isIpAddress(host))
        return { kind: 'refused', why: `"${host}" is a name`, remedy: 'Write the address that it has' };
      return { kind: 'inet', host, port };
    }
  }
}

function isAnyV6(host: string): boolean {
  return host.includes(':') && /^[0:]+$/.test(host);
}
