import { isIP } from 'node:net';
import { meaningOf, type Pool, type Site } from '#model';
import type { InPlace, Placement, ServerChange } from '../dialect.ts';
import { lower } from './lower.ts';

/**
 * What a running HAProxy has to be told so that it does what the text of `after` says: nothing but servers that come, go,
 * weigh more or less, or are in maintenance. Decided by the two texts: every other line must be the same.
 */
export function inPlace(before: Site, after: Site): InPlace {
  if (before.own || after.own) return { changes: null, why: 'it is a text of your own' };
  if (meaningOf(withoutServers(before)) !== meaningOf(withoutServers(after)))
    return { changes: null, why: 'more than servers changes' };
  const [was, is] = [readText(before), readText(after)];
  if (was.others !== is.others) return { changes: null, why: 'lines of the text change that name no server' };
  const changes: ServerChange[] = [];
  for (const pool of after.pools) {
    const found = poolChanges(pool, was, is);
    if (typeof found === 'string') return { changes: null, why: `pool "${pool.name}": ${found}` };
    changes.push(...found);
  }
  return { changes: changes.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)) };
}

/** Whoever comes is there before somebody goes. */
const order: readonly ServerChange['kind'][] = ['add', 'weight', 'maintenance', 'remove'];

function withoutServers(site: Site): Site {
  return { ...site, pools: site.pools.map((pool) => ({ ...pool, servers: [] })) };
}

interface ReadText {
  /** By pool, by server: what stands behind its name. */
  readonly servers: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  /** By pool: what every server of it has beside that. */
  readonly defaults: ReadonlyMap<string, readonly string[]>;
  /** Everything else, without comments. */
  readonly others: string;
}

function readText(site: Site): ReadText {
  const servers = new Map<string, Map<string, readonly string[]>>();
  const defaults = new Map<string, readonly string[]>();
  const pools = new Set(site.pools.map(({ name }) => name));
  const others: string[] = [];
  let section = '';
  for (const line of lower(site, nowhere(site)).split('\n')) {
    const [keyword = '', name = '', ...rest] = line.trim().split(' ');
    if (!line.startsWith(' ')) section = keyword === 'backend' && pools.has(name) ? name : '';
    if (keyword === '#') continue;
    if (section !== '' && keyword === 'server') {
      const known = servers.get(section) ?? new Map<string, readonly string[]>();
      servers.set(section, known.set(name, rest));
      continue;
    }
    if (section !== '' && keyword === 'default-server') defaults.set(section, withoutLookUp([name, ...rest]));
    others.push(line);
  }
  return { servers, defaults, others: others.join('\n') };
}

/** An address needs none, and `add server` knows no word for it. */
function withoutLookUp(words: readonly string[]): string[] {
  const at = words.indexOf('init-addr');
  return words.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
}

/** The same for both: where sockets and files lie has no part in it. */
function nowhere({ listeners }: Site): Placement {
  return {
    generation: 0,
    threads: 1,
    listeners: Object.fromEntries(listeners.map((l, index) => [l.name, { kind: 'fd', fd: 3 + index }])),
    control: '/control',
    entrance: '/entrance',
    neighbour: null,
    certificates: {},
    ticketKeys: null,
    servers: null,
  };
}

/** The changes of one pool, or why a running HAProxy cannot be told of them. */
function poolChanges({ name: pool, algorithm }: Pool, was: ReadText, is: ReadText): ServerChange[] | string {
  const [old, now] = [was.servers.get(pool), is.servers.get(pool)].map((one) => one ?? new Map());
  if (!old || !now) return [];
  const defaults = is.defaults.get(pool) ?? [];
  const changes: ServerChange[] = [];
  for (const server of new Set<string>([...old.keys(), ...now.keys()])) {
    const [before, after] = [old.get(server), now.get(server)].map((words) => words && wordsOf(words));
    if (before && after) {
      if (before.rest !== after.rest) return `server "${server}" changes in more than its weight`;
      if (before.weight !== after.weight)
        changes.push({ kind: 'weight', pool, server, weight: after.weight, before: before.weight });
      if (before.maintenance !== after.maintenance)
        changes.push({ kind: 'maintenance', pool, server, on: after.maintenance });
      continue;
    }
    const one = after ?? before;
    if (!one) continue;
    const odd = one.rest
      .split(' ')
      .slice(1)
      .find((word: string) => !tellable.test(word));
    if (odd !== undefined) return `a server that comes or goes has "${odd}" in its line`;
    const host = one.rest.replace(/:\d+( .*)?$/, '').replace(/^\[|\]$/g, '');
    if (isIP(host) === 0) return `"${host}" is a name, which HAProxy looks up at its start only`;
    if (algorithm === 'source' || algorithm === 'hash')
      return 'which server a hash leads to depends on their order in the text';
    const words = [one.rest, `weight ${one.weight}`, ...defaults, ...asConfigured].join(' ');
    changes.push({ kind: after ? 'add' : 'remove', pool, server, words, maintenance: one.maintenance });
  }
  return changes;
}

/** A server that is added while HAProxy runs keeps no idle connections unless it is told so. */
const asConfigured = ['pool-purge-delay 5s', 'pool-max-conn -1'];
/** Words behind an address that `add server` takes, with their values. */
const tellable = /^(?:maxconn|send-proxy|send-proxy-v2|backup|\d+)$/;

function wordsOf(words: readonly string[]): { rest: string; weight: number; maintenance: boolean } {
  const at = words.indexOf('weight');
  const rest = words.filter((word, index) => index !== at && index !== at + 1 && word !== 'disabled');
  return { rest: rest.join(' '), weight: Number(words[at + 1]), maintenance: words.includes('disabled') };
}
