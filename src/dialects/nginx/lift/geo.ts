import { chosen, empty } from './folding.ts';
import { text, type Value } from './meaning.ts';
import { type State, unknownValue } from './state.ts';
import type { Node } from './tree.ts';

/** A value by the network that the client's address is in. */
export function geoValue(geo: Node, state: State): Value {
  const block = geo.block ?? [];
  const has = (name: string) => block.some((node) => node.name === name);
  if (state.addressBy !== null || has('proxy') || has('proxy_recursive') || geo.words.length > 1)
    return unknownValue(geo, 'complex', geo.text);
  return has('ranges') ? inRanges(geo, block) : inNetworks(block);
}

interface Entry {
  readonly networks: readonly string[];
  readonly size: number;
  readonly value: string;
}

/** The smallest network decides, whatever the order; of one that is said twice the last word counts. */
function inNetworks(block: readonly Node[]): Value {
  const entries = new Map<string, Entry>();
  const put = (network: string, value: string | undefined): void => {
    const [address = '', said] = network.split('/');
    const size = Number(said ?? (address.includes(':') ? 128 : 32));
    const key = `${size} ${masked(address, size)}`;
    if (value === undefined) entries.delete(key);
    else entries.set(key, { networks: [network], size, value });
  };
  for (const { name, words } of block) {
    const [first = ''] = words;
    if (name === 'delete') put(first, undefined);
    else if (name === 'default') for (const all of everything) put(all, first);
    else if (words.length > 0 && name !== 'include') put(name, first);
  }
  const [four, six] = everything.map(
    (all) => entries.get(`0 ${masked(all.split('/')[0] ?? '', 0)}`)?.value ?? '',
  );
  const rest =
    four === six ? text(four ?? '') : chosen(from([everything[0]]), text(four ?? ''), text(six ?? ''));
  const sized = [...entries.values()].filter(({ size }) => size > 0).toSorted((a, b) => b.size - a.size);
  // Neighbours of one size and one value are one choice.
  const runs = [...Map.groupBy(sized, ({ size, value }) => `${size} ${value}`).values()];
  return runs.reduceRight<Value>((otherwise, run) => {
    const networks = run.flatMap((entry) => entry.networks);
    return chosen(from(networks), text(run[0]?.value ?? ''), otherwise);
  }, rest);
}

const everything = ['0.0.0.0/0', '::/0'] as const;
const from = (networks: readonly string[]) => ({ kind: 'from', networks }) as const;

/** In one form, without the bits that say nothing. */
function masked(address: string, size: number): string {
  const number = numberOf(address);
  if (number === null) return size === 0 ? '::' : address.toLowerCase();
  return String(size === 0 ? 0 : Math.floor(number / 2 ** (32 - size)));
}

/** Of an IPv4 address. */
function numberOf(address: string): number | null {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/.test(address)) return null;
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Of two the one that is said later: NGINX takes it only where it lies within the other. */
function inRanges(geo: Node, block: readonly Node[]): Value {
  const ranges = new Map<string, Entry>();
  let otherwise: Value = empty;
  for (const { name, words } of block) {
    const [first = ''] = words;
    if (name === 'default') otherwise = text(first);
    else if (name === 'delete' && !ranges.delete(first)) return unknownValue(geo, 'complex', geo.text);
    else if (name.includes('-')) {
      const networks = networksOf(name);
      if (networks === null) return unknownValue(geo, 'complex', geo.text);
      ranges.delete(name);
      ranges.set(name, { networks, size: 0, value: first });
    }
  }
  for (const { networks, value } of ranges.values())
    otherwise = chosen(from(networks), text(value), otherwise);
  return otherwise;
}

/** `10.0.0.0-10.0.0.255` as the networks that it is made of. */
function networksOf(range: string): readonly string[] | null {
  const [low, high] = range.split('-').map(numberOf);
  if (typeof low !== 'number' || typeof high !== 'number' || low > high) return null;
  const found: string[] = [];
  for (let at = low; at <= high; ) {
    let bits = 0;
    while (bits < 32 && at % 2 ** (bits + 1) === 0 && at + 2 ** (bits + 1) - 1 <= high) bits += 1;
    const parts = [24, 16, 8, 0].map((shift) => Math.floor(at / 2 ** shift) % 256);
    found.push(`${parts.join('.')}/${32 - bits}`);
    at += 2 ** bits;
  }
  return found;
}
