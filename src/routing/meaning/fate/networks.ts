import { BlockList, isIP } from 'node:net';

const known = new WeakMap<readonly string[], BlockList>();

/** Whether an address is in one of the networks (`10.0.0.0/8`, `2001:db8::1`). Families are apart. */
export function isFrom(address: string, networks: readonly string[]): boolean {
  const family = familyOf(address);
  if (family === null) return false;
  let blocks = known.get(networks);
  if (!blocks) {
    blocks = blocksOf(networks);
    known.set(networks, blocks);
  }
  return blocks.check(address, family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const kind = isIP(address);
  return kind === 0 ? null : kind === 4 ? 'ipv4' : 'ipv6';
}

function blocksOf(networks: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = familyOf(address);
    if (family === null) continue;
    if (bits === undefined) blocks.addAddress(address, family);
    else blocks.addSubnet(address, Number(bits), family);
  }
  return blocks;
}
