import type { PublicSocket } from './haproxy.ts';

/** By name: what is written of them in the site is told apart by port only. */
export const listeners = {
  plain: 'protocol: TCP',
  told: 'protocol: TCP, proxyProtocol: { from: [127.0.0.0/8] }',
  two: 'protocol: TCP, proxyProtocol: { from: [127.0.0.0/8] }',
  most: 'protocol: TCP, connectionsMax: 2',
  each: 'protocol: TCP, connectionsPerClientMax: 1',
  shut: 'protocol: TCP, access: { deny: [127.0.0.0/8] }',
  open: 'protocol: TCP, access: { allow: [127.0.0.0/8] }',
  idle: 'protocol: TCP',
  half: 'protocol: TCP',
  gone: 'protocol: TCP',
  share: 'protocol: TCP',
  alone: 'protocol: TCP',
  names: 'protocol: TLS, inspectTimeout: 1m',
  late: 'protocol: TLS, inspectTimeout: 500ms',
  strict: 'protocol: TLS',
} as const;
export type Listener = keyof typeof listeners;
export const names = Object.keys(listeners) as Listener[];

/** What an engine refuses by HF021 is left out of its site, and its cases are skipped. */
export const left: Readonly<Record<string, readonly Listener[]>> = { nginx: ['told', 'two'] };

export interface Servers {
  readonly raw: number;
  readonly one: number;
  readonly two: number;
  readonly exact: number;
  readonly wild: number;
  readonly rest: number;
  readonly nobody: number;
}

export function textFor(
  port: Readonly<Record<Listener, PublicSocket>>,
  at: Servers,
  without: readonly Listener[],
): string {
  const spoken = names.filter((name) => !without.includes(name));
  const isSpoken = (line: string) => !without.some((name) => line.includes(`[${name}]`));
  const pool = (name: string, servers: readonly (number | string)[], more = '') =>
    `  - { name: ${name}, servers: [${servers.map((s) => (typeof s === 'number' ? `"127.0.0.1:${s}"` : s)).join(', ')}]${more} }`;
  return `site: streams
listeners:
${spoken.map((name) => `  - { name: ${name}, address: "127.0.0.1:${port[name].port}", ${listeners[name]} }`).join('\n')}
routes:
  - { listeners: [plain, most, each, shut, open], pool: raw }
${['  - { listeners: [told], pool: told }', '  - { listeners: [two], pool: two }']
  .filter(isSpoken)
  .join('\n')}
  - { listeners: [idle], pool: idle }
  - { listeners: [half], pool: half }
  - { listeners: [gone], pool: gone }
  - { listeners: [alone], pool: alone }
  - { listeners: [share], pools: [{ pool: raw-one, weight: 3 }, { pool: raw-two, weight: 1 }] }
  - { listeners: [names, late], pool: rest }
  - { listeners: [names, strict], hostnames: ["*.Shop.example"], pool: wild }
  - { listeners: [names, strict], hostnames: [one.shop.example], pool: exact }
pools:
${[
  pool('raw', [at.raw]),
  ...(without.includes('told') ? [] : [pool('told', [at.raw], ', proxyProtocol: v1')]),
  ...(without.includes('two') ? [] : [pool('two', [at.raw], ', proxyProtocol: v2')]),
  pool('idle', [at.raw], ', timeouts: { tunnel: 1s }'),
  pool('half', [at.nobody, at.one], ', healthCheck: { interval: 1h }'),
  pool('gone', [at.nobody], ', healthCheck: { interval: 1h }'),
  pool('alone', [at.nobody, `{ address: "127.0.0.1:${at.two}", spare: true }`]),
  pool('raw-one', [at.one]),
  pool('raw-two', [at.two]),
  pool('exact', [at.exact]),
  pool('wild', [at.wild]),
  pool('rest', [at.rest]),
].join('\n')}
balancers:
  - { name: lb-1, address: 127.0.0.1 }
`;
}
