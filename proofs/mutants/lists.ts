/** Lists of rules as people change them: long ones with one rule otherwise, elsewhere or gone; and ones that do the same, said otherwise. */
import { meaning } from '#routing';
import { type Chance, chanceOf } from '../plan/chance.ts';
import type { Meanings } from './judged.ts';

const { absent, all, chosen, field, header, joined, not, sentAsItCame, some, text } = meaning;

const place = { file: 'a.cfg', line: 1, column: 1 };
const hosts = ['a.example', 'b.example', 'c.example', 'www.a.example', 'd.test'];
const paths = ['/a', '/b', '/a/b', '/ab', '/', '/c/', '/a/b/c'];
const networks = [
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.2.3',
  '127.0.0.0/8',
  '2001:db8::/32',
  '10.0.0.0/9',
  '::1',
  '0.0.0.0/0',
];
const addresses = ['127.0.0.1', '10.1.2.3', '10.1.9.9', '10.200.0.1', '192.0.2.1', '2001:db8::1', '::1'];

type Draw<T> = (chance: Chance) => T;

const is = (value: meaning.Value, said: string, ignoreCase = false): meaning.Condition => ({
  kind: 'in',
  value,
  language: { kind: 'is', text: said, ignoreCase },
});
const begins = (value: meaning.Value, said: string): meaning.Condition => ({
  kind: 'in',
  value,
  language: { kind: 'begins', text: said, ignoreCase: false },
});

const plain: Draw<meaning.Condition> = (chance) =>
  chance.pick<() => meaning.Condition>([
    () => is(field('host'), chance.pick(hosts), chance.percent(50)),
    () => is({ kind: 'lower', of: field('host') }, chance.pick(hosts)),
    () => is({ kind: 'part', of: field('host'), separators: ':', number: 1 }, chance.pick(hosts)),
    () => begins(field('path'), chance.pick(paths)),
    () => begins(field('path'), chance.pick(paths)),
    () => is(field('path'), chance.pick(paths)),
    () => is(field('method'), chance.pick(['GET', 'POST'])),
    () => is(header('x-a'), chance.pick(['a', 'b', ''])),
    () => begins(field('normalisedPath'), chance.pick(paths)),
    () => ({
      kind: 'from',
      networks: chance.percent(50) ? [chance.pick(networks)] : [chance.pick(networks), chance.pick(networks)],
    }),
    () => ({ kind: 'in', value: header('x-a'), language: { kind: chance.pick(['present', 'absent']) } }),
    () => ({
      kind: 'in',
      value: field('host'),
      language: {
        kind: 'union',
        of: [0, 1].map(() => ({ kind: 'is', text: chance.pick(hosts), ignoreCase: true })),
      },
    }),
    () => ({
      kind: 'in',
      value: field('host'),
      language: {
        kind: 'matches',
        regex: {
          source: `^${chance.pick(hosts).replaceAll('.', '\\.')}(?::[0-9]*)?$`,
          ignoreCase: true,
          syntax: 'pcre',
        },
      },
    }),
    () => ({
      kind: 'in',
      value: field(chance.pick(['path', 'host'])),
      language: {
        kind: 'union',
        of: [
          { kind: chance.pick(['is', 'begins']), text: chance.pick([...paths, ...hosts]), ignoreCase: false },
          {
            kind: chance.pick(['ends', 'begins', 'contains']),
            text: chance.pick(['/b', 'b', '.example', 'a.example:']),
            ignoreCase: true,
          },
        ],
      },
    }),
    () => ({
      kind: 'in',
      value: field('host'),
      language: {
        kind: 'item',
        separators: ',',
        of: { kind: 'is', text: chance.pick(hosts), ignoreCase: true },
      },
    }),
    () => ({
      kind: 'in',
      value: field('path'),
      language: { kind: 'ends', text: chance.pick(['.png', '/b', 'b']), ignoreCase: false },
    }),
  ])();

const unknown: Draw<meaning.Condition> = (chance) => ({
  kind: 'unknown',
  text: chance.pick(['be_conn(a) gt 1', 'rand lt 5', '-f /a']),
  place,
  why: chance.pick(['state', 'chance', 'files']),
});

const condition: Draw<meaning.Condition> = (chance) => {
  const one = () => (chance.percent(4) ? unknown(chance) : plain(chance));
  switch (chance.below(10)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return all([one(), one()]);
    case 4:
      return some([one(), one()]);
    case 5:
      return all([one(), not(one())]);
    case 6:
      return not(one());
    default:
      return one();
  }
};

const value: Draw<meaning.Value> = (chance) =>
  chance.pick<() => meaning.Value>([
    () => text(chance.pick(['/x', 'a', ''])),
    () => joined([text('/p'), field('path')]),
    () => header('x-a'),
    () => absent,
    () => chosen(plain(chance), text('y'), header('x-a')),
    () => chosen(plain(chance), text('y'), text('n')),
    () => ({ kind: 'lower', of: field('host') }),
    () => ({ kind: 'orElse', of: header('x-a'), otherwise: text('none') }),
    () => field('path'),
    () => ({
      kind: 'mapped',
      of: field('host'),
      cases: [{ language: { kind: 'is', text: 'a.example', ignoreCase: false }, text: 'm' }],
      otherwise: text('o'),
    }),
    () => ({ kind: 'slice', of: field('path'), from: 0, length: null }),
    () => ({ kind: 'lower', of: { kind: 'lower', of: header('x-a') } }),
    () => ({ kind: 'lower', of: text('ABC') }),
    () => joined([field('path')]),
    () => joined([text('a'), joined([text('b'), header('x-a')])]),
    () => ({
      kind: 'replaced',
      of: field('path'),
      regex: { source: '^/a', ignoreCase: false, syntax: 'pcre' },
      every: false,
      by: ['/z'],
    }),
  ])();

const pools = ['a', 'b', 'c', 'd'];

const sent: Draw<meaning.Sent> = (chance) => {
  if (chance.percent(65)) return sentAsItCame;
  const or = () => (chance.percent(30) ? value(chance) : null);
  const headers = Object.fromEntries(
    ['x-a', 'x-b', 'cookie'].flatMap((name) => (chance.percent(35) ? [[name, or()] as const] : [])),
  );
  return {
    method: chance.percent(15) ? text('PUT') : null,
    path: or(),
    query: chance.percent(15) ? text('q=1') : null,
    host: chance.percent(15) ? value(chance) : null,
    headers,
  };
};

const fate: Draw<meaning.Fate> = (chance) =>
  chance.pick<() => meaning.Fate>([
    ...Array.from(
      { length: 8 },
      () => (): meaning.Fate => ({ kind: 'pool', pool: chance.pick(pools), sent: sent(chance) }),
    ),
    () => ({ kind: 'redirect', status: chance.pick([301, 302]), location: value(chance) }),
    () => ({
      kind: 'answer',
      status: chance.pick([200, 403]),
      body: chance.pick([null, text('no'), value(chance)]),
    }),
    () => ({ kind: 'reject', how: chance.pick(['close', 'reset', 'silent']) }),
    () => ({ kind: 'file', path: value(chance) }),
    () => ({
      kind: 'split',
      shares: [1, chance.pick([1, 2, 3])].map((weight) => ({
        weight,
        fate: { kind: 'pool', pool: chance.pick(pools), sent: sentAsItCame },
      })),
    }),
  ])();

let lines = 0;
const step = (when: meaning.Condition, then: meaning.Step['then']): meaning.Step => {
  lines += 1;
  return { when, then, place: { ...place, line: lines }, text: `rule ${lines}` };
};

const told: meaning.Step['then'] = { kind: 'continue' };

function rulesOf(chance: Chance, count: number, depth: number): meaning.Rules {
  const steps = Array.from({ length: count }, () => {
    const isDeep = depth > 0 && chance.percent(12);
    const then: meaning.Step['then'] = isDeep
      ? { kind: 'rules', rules: rulesOf(chance, 1 + chance.below(4), depth - 1) }
      : chance.percent(6)
        ? told
        : fate(chance);
    return step(condition(chance), then);
  });
  const otherwise: meaning.Fate =
    depth > 0 && chance.percent(15)
      ? { kind: 'rules', rules: rulesOf(chance, 2, depth - 1) }
      : { kind: 'pool', pool: chance.pick(pools), sent: sentAsItCame };
  return { steps, otherwise };
}

/** One or two rules otherwise. */
function changed(chance: Chance, rules: meaning.Rules): meaning.Rules {
  const steps = [...rules.steps];
  for (let left = 1 + chance.below(3); left > 0; left -= 1) {
    const at = chance.below(steps.length);
    const one = steps[at];
    if (!one) continue;
    const kind = chance.below(8);
    if (kind === 0) steps.splice(at, 1);
    else if (kind === 1) steps.splice(at, 0, step(condition(chance), fate(chance)));
    else if (kind === 2) steps[at] = { ...one, when: condition(chance) };
    else if (kind === 3) steps[at] = { ...one, then: fate(chance) };
    else if (kind === 4) steps.splice(chance.below(steps.length), 0, ...steps.splice(at, 1));
    else if (kind === 5) steps.splice(at, 0, one);
    else if (kind === 6 && one.then.kind === 'rules')
      steps[at] = { ...one, then: { kind: 'rules', rules: changed(chance, one.then.rules) } };
    else steps[at] = { ...one, when: not(one.when) };
  }
  const isEnd = chance.percent(10);
  return { steps, otherwise: isEnd ? fate(chance) : rules.otherwise };
}

/** Said otherwise, and the same. */
function samely(chance: Chance, rules: meaning.Rules): meaning.Rules {
  const steps = rules.steps.flatMap((one): readonly meaning.Step[] => {
    const when = saidOtherwise(chance, one.when);
    const then: meaning.Step['then'] =
      one.then.kind === 'rules' ? { kind: 'rules', rules: samely(chance, one.then.rules) } : one.then;
    const made = { ...one, when, then };
    switch (chance.below(8)) {
      case 0:
        return when.kind === 'some' && then.kind !== 'rules'
          ? when.of.map((part) => ({ ...made, when: part }))
          : [made];
      case 1:
        return then.kind === 'continue'
          ? [made]
          : [made, { ...made, text: 'again', then: { kind: 'answer', status: 418, body: null } }];
      case 2:
        return [step({ kind: 'never' }, { kind: 'answer', status: 418, body: null }), made];
      case 3:
        return then.kind === 'rules'
          ? [made]
          : [
              step(when, {
                kind: 'rules',
                rules: { steps: [], otherwise: then.kind === 'continue' ? rules.otherwise : then },
              }),
            ].map((other) => (then.kind === 'continue' ? made : other));
      case 4:
        return [step(when, told), made];
      default:
        return [made];
    }
  });
  const isMore = chance.percent(20) && rules.otherwise.kind !== 'rules';
  return {
    steps: isMore ? [...steps, step(condition(chance), rules.otherwise)] : steps,
    otherwise: rules.otherwise,
  };
}

function saidOtherwise(chance: Chance, when: meaning.Condition): meaning.Condition {
  switch (chance.below(7)) {
    case 0:
      return { kind: 'not', of: { kind: 'not', of: when } };
    case 1:
      return { kind: 'all', of: [when, { kind: 'always' }] };
    case 2:
      return { kind: 'some', of: [{ kind: 'never' }, when] };
    case 3:
      return when.kind === 'all' || when.kind === 'some'
        ? { kind: when.kind, of: when.of.toReversed() }
        : when;
    case 4: {
      if (when.kind !== 'all' && when.kind !== 'some') return when;
      const other = when.kind === 'all' ? 'some' : 'all';
      return { kind: 'not', of: { kind: other, of: when.of.map((one) => ({ kind: 'not', of: one })) } };
    }
    case 5:
      return when.kind === 'in'
        ? { ...when, language: { kind: 'complement', of: { kind: 'complement', of: when.language } } }
        : when;
    default:
      return when;
  }
}

/** Where they listen. */
function listening(
  chance: Chance,
  rules: meaning.Rules,
  other: meaning.Rules,
): readonly meaning.ListenerMeaning[] {
  const listener = (host: string, port: number | null, of: meaning.Rules): meaning.ListenerMeaning => ({
    name: `${host}:${port}`,
    host,
    port,
    mode: chance.percent(8) ? 'tcp' : 'http',
    tls: chance.percent(15),
    rules: of,
    place,
  });
  const first = listener(chance.pick(['*', '*', '0.0.0.0', '127.0.0.1', '[::]']), 80, rules);
  const more = chance.percent(30)
    ? [
        listener(
          chance.pick(['*', '127.0.0.1', 'localhost', '10.0.0.1', '/run/a.sock']),
          chance.pick([80, 81, 443]),
          chance.percent(50) ? rules : other,
        ),
      ]
    : [];
  return [first, ...more.filter(({ host, port }) => host !== first.host || port !== first.port)].map((one) =>
    one.host === '/run/a.sock' ? { ...one, port: null } : one,
  );
}

function poolsOf(chance: Chance, isSame: boolean): readonly meaning.PoolMeaning[] {
  return pools.slice(0, isSame || chance.percent(90) ? 4 : 3).map((name) => ({
    name,
    mode: 'http',
    servers: Array.from({ length: name === 'd' ? 2 : 1 }, (_, at) => ({
      name: `s${at}`,
      address: `10.0.${at}.1:${!isSame && chance.percent(3) ? 'z' : name}`,
      weight: !isSame && chance.percent(3) ? 2 : 1,
      spare: !isSame && chance.percent(2),
      disabled: !isSame && chance.percent(2),
      place,
    })),
    place,
  }));
}

const request: Draw<meaning.Request> = (chance) => {
  const scheme = chance.percent(12) ? 'https' : 'http';
  const host = chance.pick([...hosts, ...hosts, 'A.example', 'b.example:80', 'e.example', null]);
  const headers: Record<string, string> = chance.percent(45)
    ? { 'x-a': chance.pick(['a', 'b', '', 'A']) }
    : {};
  return meaning.requestOf({
    scheme,
    port: chance.pick([80, 80, 80, 80, 81, 443]),
    address: chance.pick(['*', '*', '127.0.0.1', '10.0.0.1']),
    host,
    path: chance.pick([...paths, '/a.png', '/abc', '/d', '/%61', '//a', '/a/../b', '/c']),
    method: chance.pick(['GET', 'GET', 'GET', 'POST', 'PUT']),
    sourceAddress: chance.pick(addresses),
    headers,
  });
};

const askedCount = 120;

/** Pairs of long lists. */
export function listMeanings(seed: number, count: number): readonly Meanings[] {
  const chance = chanceOf(seed + 99);
  lines = 0;
  return Array.from({ length: count }, (_, at) => {
    const isSame = at % 4 === 0;
    const rules = rulesOf(chance, chance.percent(30) ? 20 + chance.below(20) : 2 + chance.below(8), 2);
    const other = rulesOf(chance, 2, 0);
    const listeners = listening(chance, rules, other);
    const before = { listeners, pools: poolsOf(chance, true), settings: [], notUnderstood: [] };
    const now = isSame ? samely(chance, rules) : changed(chance, rules);
    const moved = !isSame && chance.percent(12) ? listening(chance, now, other) : listeners;
    const after = {
      ...before,
      listeners: moved.map((one) => (one.rules === rules ? { ...one, rules: now } : one)),
      pools: poolsOf(chance, isSame),
    };
    return {
      kind: 'meanings',
      before,
      after: isSame && chance.percent(50) ? renamed(after) : after,
      asked: Array.from({ length: askedCount }, () => request(chance)),
      same: isSame,
    };
  });
}

/** Pools of other names. */
function renamed(of: meaning.Meaning): meaning.Meaning {
  const name = (one: string) => `new-${one}`;
  const ofFate = (one: meaning.Fate): meaning.Fate => {
    if (one.kind === 'pool') return { ...one, pool: name(one.pool) };
    if (one.kind === 'rules') return { kind: 'rules', rules: ofRules(one.rules) };
    return one.kind === 'split'
      ? { ...one, shares: one.shares.map((share) => ({ ...share, fate: ofFate(share.fate) })) }
      : one;
  };
  const ofRules = ({ steps, otherwise }: meaning.Rules): meaning.Rules => ({
    steps: steps.map((one) => ({ ...one, then: one.then.kind === 'continue' ? one.then : ofFate(one.then) })),
    otherwise: ofFate(otherwise),
  });
  return {
    ...of,
    listeners: of.listeners.map((one) => ({ ...one, rules: ofRules(one.rules) })),
    pools: of.pools.map((pool) => ({ ...pool, name: name(pool.name) })),
  };
}
