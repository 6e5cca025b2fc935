/** Hosts that a text names and whose plain requests fall to its default, by how the text was made. */
import { meaning } from '#routing';
import { type Chance, chanceOf } from '../plan/chance.ts';

export interface Falling {
  readonly kind: 'fallen';
  readonly meaning: meaning.Meaning;
  /** The hosts that fall, where most others do not. */
  readonly hosts: readonly string[];
}

const place = { file: 'a.cfg', line: 1, column: 1 };
const { all, field, sentAsItCame } = meaning;

const toPool = (pool: string): meaning.Fate => ({ kind: 'pool', pool, sent: sentAsItCame });
const is = (value: meaning.Value, text: string): meaning.Condition => ({
  kind: 'in',
  value,
  language: { kind: 'is', text, ignoreCase: true },
});

export function falling(seed: number, count: number): readonly Falling[] {
  const chance = chanceOf(seed + 33);
  return Array.from({ length: count }, () => one(chance));
}

function one(chance: Chance): Falling {
  const hosts = Array.from({ length: 1 + chance.below(9) }, (_, at) => `h${at}.example`);
  const share = chance.pick([0, 15, 30, 50]);
  const falls = new Set(hosts.filter(() => chance.percent(share)));
  const steps = hosts.map((host, line): meaning.Step => {
    const named = is(field('host'), host);
    const never = chance.pick([
      { kind: 'in', value: field('path'), language: { kind: 'begins', text: '/x', ignoreCase: false } },
      { kind: 'in', value: meaning.header('x-a'), language: { kind: 'present' } },
    ] satisfies meaning.Condition[]);
    const when = falls.has(host) ? all([named, never]) : named;
    const isDeep = chance.percent(20);
    const then: meaning.Step['then'] = isDeep
      ? { kind: 'rules', rules: { steps: [], otherwise: toPool('a') } }
      : toPool('a');
    return { when, then, place: { ...place, line }, text: host };
  });
  const last = chance.percent(40)
    ? [{ when: { kind: 'always' } as const, then: toPool('d'), place, text: 'last' }]
    : [];
  const listener = {
    name: 'www',
    host: '*',
    port: chance.pick([80, 443]),
    mode: chance.percent(10) ? ('tcp' as const) : ('http' as const),
    tls: false,
    rules: { steps: [...steps, ...last], otherwise: toPool('d') },
    place,
  };
  const isSecure = listener.mode === 'http' && chance.percent(20);
  const isTold = listener.mode === 'http' && 3 * (hosts.length - falls.size) >= 2 * hosts.length;
  return {
    kind: 'fallen',
    meaning: { listeners: [{ ...listener, tls: isSecure }], pools: [], settings: [], notUnderstood: [] },
    hosts: isTold ? [...falls].sort() : [],
  };
}

export function fallenWrong({ meaning: of, hosts }: Falling): string | null {
  const found = meaning.fallenHosts(of).map(({ host }) => host);
  return found.sort().join() === hosts.join() ? null : `hosts that fall: ${found}, and they are ${hosts}`;
}
