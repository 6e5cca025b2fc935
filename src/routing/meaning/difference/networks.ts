import { isIPv6 } from 'node:net';
import type { FieldClass } from './classes.ts';
import type { Atom } from './terms.ts';

const sizes = { ipv4: 32n, ipv6: 128n } as const;
type Family = keyof typeof sizes;

/** Addresses that no network tells apart. */
export function networkClasses(numbers: readonly number[], atoms: readonly Atom[]): readonly FieldClass[] {
  const classes = new Map<string, { readonly atoms: ReadonlySet<number>; readonly words: string[] }>();
  for (const family of ['ipv4', 'ipv6'] as const) {
    const edges = new Map<bigint, { readonly number: number; readonly change: 1 | -1 }[]>([[0n, []]]);
    const edge = (at: bigint, number: number, change: 1 | -1) => {
      const there = edges.get(at) ?? [];
      edges.set(at, there);
      there.push({ number, change });
    };
    for (const number of numbers) {
      const atom = atoms[number];
      if (atom?.kind !== 'from') continue;
      for (const network of atom.networks) {
        const range = rangeOf(network, family);
        if (!range) continue;
        edge(range.first, number, 1);
        edge(range.last + 1n, number, -1);
      }
    }
    const counts = new Map<number, number>();
    for (const [at, changes] of [...edges].sort(([a], [b]) => (a < b ? -1 : 1))) {
      for (const { number, change } of changes) counts.set(number, (counts.get(number) ?? 0) + change);
      if (at >= 1n << sizes[family]) continue;
      const holding = [...counts]
        .filter(([, count]) => count > 0)
        .map(([number]) => number)
        .sort((a, b) => a - b);
      const key = holding.join();
      const known = classes.get(key) ?? { atoms: new Set(holding), words: [] };
      classes.set(key, known);
      if (known.words.length < 5) known.words.push(textOf(at === 0n ? 0n : at, family));
    }
  }
  return [...classes.values()].map(({ atoms: held, words }) => ({
    atoms: held,
    words: natural(held, words, atoms, numbers),
    natural: true,
  }));
}

/** Addresses that examples use, where they are of the class. */
function natural(
  held: ReadonlySet<number>,
  words: readonly string[],
  atoms: readonly Atom[],
  numbers: readonly number[],
): readonly string[] {
  const tried = [
    '127.0.0.1',
    '192.0.2.1',
    '203.0.113.7',
    '10.0.0.1',
    '2001:db8::1',
    ...words.map(nextAddress),
  ];
  const fits = (address: string) =>
    numbers.every((number) => {
      const atom = atoms[number];
      return (
        atom?.kind === 'from' &&
        atom.networks.some((network) => isInside(address, network)) === held.has(number)
      );
    });
  return [...new Set([...tried.filter(fits), ...words])];
}

function nextAddress(address: string): string {
  if (isIPv6(address)) return address;
  return address.replace(/\.0$/, '.1');
}

function isInside(address: string, network: string): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const range = rangeOf(network, family);
  const at = rangeOf(address, family)?.first;
  return range !== null && at !== undefined && at >= range.first && at <= range.last;
}

function rangeOf(network: string, family: Family): { readonly first: bigint; readonly last: bigint } | null {
  const [address = '', bits] = network.split('/');
  if (isIPv6(address) !== (family === 'ipv6')) return null;
  const size = sizes[family];
  const free = size - BigInt(bits ?? size);
  const number = numberOf(address, family);
  const first = (number >> free) << free;
  return { first, last: first + (1n << free) - 1n };
}

function numberOf(address: string, family: Family): bigint {
  if (family === 'ipv4') return address.split('.').reduce((sum, part) => sum * 256n + BigInt(part || 0), 0n);
  const [head = '', tail] = address.split('::');
  const words = (text: string) =>
    text === ''
      ? []
      : text.split(':').flatMap((part) => {
          if (!part.includes('.')) return [BigInt(`0x${part}`)];
          const four = numberOf(part, 'ipv4');
          return [four >> 16n, four & 0xffffn];
        });
  const [front, back] = [words(head), words(tail ?? '')];
  const gap = new Array<bigint>(Math.max(0, 8 - front.length - back.length)).fill(0n);
  return [...front, ...gap, ...back].reduce((sum, word) => sum * 65536n + word, 0n);
}

function textOf(address: bigint, family: Family): string {
  if (family === 'ipv4') return [24n, 16n, 8n, 0n].map((shift) => `${(address >> shift) & 255n}`).join('.');
  const words = Array.from({ length: 8 }, (_, i) =>
    ((address >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  return words.join(':').replace(/(?:^|:)0(?::0)+(?:$|:)/, '::');
}
