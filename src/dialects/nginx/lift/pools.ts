import { once, type Place } from '#base';
import type { PoolMeaning, ServerMeaning, Setting } from './meaning.ts';
import type { Node } from './tree.ts';
import { inOneForm } from './units.ts';

/** The pools of a text: its `upstream` blocks, and the addresses that a `*_pass` names itself. */
export interface Pools {
  readonly all: readonly PoolMeaning[];
  /** The pool that an authority means; one is made for an address. */
  of(authority: string, defaultPort: number, place: Place): string;
  has(name: string): boolean;
}

/** Parameters of a server that it has when nothing is said. */
const defaults: Readonly<Record<string, string>> = {
  weight: '1',
  max_fails: '1',
  fail_timeout: '10s',
  max_conns: '0',
};
const methods = new Set([
  'least_conn',
  'ip_hash',
  'hash',
  'random',
  'least_time',
  'sticky',
  'fair',
  'consistent_hash',
  'sticky_cookie_insert',
]);

export function poolsOf(upstreams: readonly Node[], mode: 'http' | 'tcp'): Pools {
  const pools = new Map<string, PoolMeaning>();
  for (const upstream of upstreams) {
    const name = upstream.words[0] ?? '';
    if (pools.has(name.toLowerCase())) continue;
    pools.set(name.toLowerCase(), poolOf(name, upstream, mode));
  }
  return {
    get all() {
      return [...pools.values()];
    },
    has: (name) => pools.has(name.toLowerCase()),
    of(authority, defaultPort, place) {
      const known = pools.get(authority.toLowerCase());
      if (known) return known.name;
      const address = addressOf(authority, defaultPort);
      const server = { name: address, address, weight: 1, spare: false, disabled: false, place };
      if (!pools.has(address)) pools.set(address, { name: address, mode, servers: [server], place });
      return address;
    },
  };
}

function poolOf(name: string, upstream: Node, mode: 'http' | 'tcp'): PoolMeaning {
  const nodes = once(() => (upstream.block ?? []).filter((node) => node.name === 'server'));
  const servers = once(() => unique(nodes().map(serverOf)));
  const settings = once(() => settingsOf(name, upstream, nodes()));
  return {
    name,
    mode,
    get servers() {
      return servers();
    },
    get settings() {
      return settings();
    },
    place: upstream.place,
    source: upstream.plainBlock === null ? null : [mode, upstream.plainBlock],
  };
}

function serverOf({ words, place }: Node): ServerMeaning {
  const [said = '', ...options] = words;
  const service = options.find((option) => option.startsWith('service='));
  const address = addressOf(said, 80) + (service ? ` ${service}` : '');
  const weight = Number(options.flatMap((option) => /^weight=(\d+)$/.exec(option)?.[1] ?? [])[0] ?? 1);
  const has = (option: string) => options.includes(option);
  return { name: address, address, weight, spare: has('backup'), disabled: has('down'), place };
}

function unique(servers: readonly ServerMeaning[]): readonly ServerMeaning[] {
  const count = new Map<string, number>();
  return servers.map((server) => {
    const times = (count.get(server.name) ?? 0) + 1;
    count.set(server.name, times);
    return times === 1 ? server : { ...server, name: `${server.name} ${times}` };
  });
}

/** `10.0.0.1:80`, `web.example:443`, `[::1]:80`, `unix:/run/app.sock`. */
export function addressOf(authority: string, defaultPort: number): string {
  if (authority.startsWith('unix:')) return `unix:${authority.slice('unix:'.length).split(':')[0]}`;
  const lower = authority.toLowerCase();
  return /:\d+$/.test(lower) && !/^\[[^\]]*$/.test(lower) ? lower : `${lower}:${defaultPort}`;
}

function settingsOf(pool: string, upstream: Node, servers: readonly Node[]): readonly Setting[] {
  const scope = { kind: 'pool', name: pool } as const;
  const block = upstream.block ?? [];
  const own = block
    .filter(({ name }) => name !== 'server')
    .filter(({ name, words }) => !(name === 'zone' && words.length === 0))
    .map(
      ({ name, words, place }): Setting => ({
        scope,
        name: methods.has(name) ? 'balancing' : name,
        value: methods.has(name) ? [name, ...words].join(' ') : inOneForm(name, words),
        place,
      }),
    );
  const each = servers.flatMap(({ words, place }) => {
    const [said = '', ...options] = words;
    const server = { kind: 'server', pool, address: addressOf(said, 80) } as const;
    return options.flatMap((option): Setting[] => {
      const [name = '', value = 'on'] = option.split('=');
      if (['weight', 'backup', 'down', 'service'].includes(name) || defaults[name] === value) return [];
      return [{ scope: server, name, value: inOneForm(name, [value]), place }];
    });
  });
  return [...own, ...each];
}
