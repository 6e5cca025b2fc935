import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { dialects, liftOwn, meaningOfSite } from '#dialects';
import { type OwnDialectName, parseSite, routeOf, type Site } from '#model';
import {
  changedPath,
  decide,
  type HeaderChanges,
  meaning,
  outcomeOf,
  type Request,
  refusalOf,
} from '#routing';
import { request, siteText } from './drawn.ts';

/** Null: a mistake was drawn. */
function siteOf(text: string): Site | null {
  return parseSite(text, 'site.yaml', '/nowhere').site;
}

describe('what a site does to a request, by its two definitions', () => {
  test('the plan and the engines` measure say the same', () => {
    let asked = 0;
    const said = new Set<string>();
    fc.assert(
      fc.property(siteText, fc.array(request, { minLength: 20, maxLength: 20 }), (text, requests) => {
        const site = siteOf(text);
        if (!site) return;
        for (const one of requests) {
          const told = fromMeaning(meaningOfSite(site), one);
          assert.deepEqual(told, fromDecide(site, one), JSON.stringify(one));
          asked += 1;
          said.add(told[0] ?? '');
        }
      }),
      { numRuns: 150, seed: 20_261_123, endOnFailure: true },
    );
    assert.ok(asked > 1_500, `only ${asked} requests were asked`);
    assert.deepEqual([...said].sort(), ['answer', 'pools', 'redirect']);
  });
});

type Told = readonly string[];

function fromMeaning(lifted: meaning.Meaning, asked: meaning.Request): Told {
  const { ways, exact } = meaning.fateOf(lifted, asked);
  assert.ok(exact);
  const [way] = ways;
  assert.ok(way);
  const { fate } = way;
  switch (fate.kind) {
    case 'pool':
      return ['pools', fate.pool, ...sentOf(fate.sent, asked)];
    case 'split': {
      const pools = fate.shares.flatMap(({ fate: one }) => (one.kind === 'pool' ? [one] : []));
      const [first] = pools;
      return ['pools', pools.map(({ pool }) => pool).join(), ...(first ? sentOf(first.sent, asked) : [])];
    }
    case 'redirect':
      return ['redirect', `${fate.status}`, `${fate.location}`];
    case 'answer':
      return ['answer', `${fate.status}`];
    default:
      return [fate.kind];
  }
}

function sentOf({ path, host, headers }: meaning.SentView, asked: meaning.Request): Told {
  const told = Object.entries(headers).filter(([name, value]) => value !== (asked.headers[name] ?? null));
  return [`${path}`, `${host}`, JSON.stringify(told.sort())];
}

function fromDecide(site: Site, asked: meaning.Request): Told {
  const [listener] = routeOf(site).listeners;
  assert.ok(listener);
  const { host, query, ...rest } = asked;
  const plain: Request = { ...rest, host: host ?? '', query: query ?? '', port: asked.port ?? 0 };
  const { rule, action } = decide(listener, plain);
  const refused = refusalOf(listener.access, plain) ?? refusalOf(rule?.filters?.access ?? null, plain);
  const outcome = outcomeOf(refused ?? action, plain);
  if (outcome.kind === 'redirect') return ['redirect', `${outcome.status}`, outcome.location];
  if (outcome.kind !== 'pools') return [outcome.kind, ...('status' in outcome ? [`${outcome.status}`] : [])];
  const { rewrite, requestHeaders } = rule?.filters ?? { rewrite: null, requestHeaders: null };
  const sent = [changedPath(rewrite?.path ?? null, plain.path), rewrite?.hostname ?? plain.host];
  return ['pools', outcome.pools.join(), ...sent, headersOf(requestHeaders, plain)];
}

/** Those that are touched, as docs/site.md says it: remove, then set, then add. */
function headersOf(changes: HeaderChanges | null, { headers }: Request): string {
  const told = new Map<string, string | null>();
  for (const name of changes?.remove ?? []) told.set(name.toLowerCase(), null);
  for (const { name, value } of changes?.set ?? []) told.set(name.toLowerCase(), value);
  for (const { name, value } of changes?.add ?? []) {
    const key = name.toLowerCase();
    const before = told.has(key) ? told.get(key) : headers[key];
    told.set(key, before === null || before === undefined ? value : `${before}, ${value}`);
  }
  return JSON.stringify([...told].filter(([name, value]) => value !== (headers[name] ?? null)).sort());
}

/** Lines of every text that is made of a site, whatever its routes: what an engine refuses, and what it tells servers of the client. */
const houseWords = /^ *(?:http-request (?!set-var\(txn\.host\))|option forwardfor)/;
const toldOfClient = /^(?:x-forwarded-|forwarded$|holdfast-|upgrade$|connection$)/;

describe('a text that was made of a site does what the site does', () => {
  for (const engine of ['haproxy'] as const)
    test(engine, () => {
      const house = new Set(publicLines(lowered(plainest, engine)).filter((line) => houseWords.test(line)));
      let compared = 0;
      fc.assert(
        fc.property(siteText, fc.array(request, { minLength: 10, maxLength: 10 }), (text, requests) => {
          // Which pool chance takes, the text alone does not say.
          const site = text.includes('"weight":9') ? null : siteOf(text);
          if (!site) return;
          const made = lowered(site, engine);
          const shown = made
            .split('\n')
            .filter((line) => !house.has(line))
            .join('\n');
          const before = meaningOfSite(site);
          const after = withoutHouse(liftedOf(shown, engine));
          const isLarge = after.notUnderstood.some(({ why }) => /too complex/.test(why));
          if (isLarge) return;
          assert.deepEqual(after.notUnderstood, []);
          for (const one of requests)
            assert.deepEqual(fromMeaning(after, one), fromMeaning(before, one), made);
          // How a parameter is cut out of a query is past what tables can tell.
          if (!text.includes('"queryParams"')) assert.deepEqual(unlike(before, after, text), [], shown);
          compared += 1;
        }),
        { numRuns: 60, seed: 20_261_123, endOnFailure: true },
      );
      assert.ok(compared > 30, `only ${compared} sites were compared`);
    });
});

function unlike(before: meaning.Meaning, after: meaning.Meaning, text: string): readonly unknown[] {
  const { differences, notKnownSame, complete } = meaning.difference(before, after);
  assert.ok(complete);
  // Two ways to write what becomes of a path are compared by what they do.
  const mayBeWrittenOtherwise = /"replace|"redirect/.test(text);
  return (
    [...differences, ...(mayBeWrittenOtherwise ? [] : notKnownSame)]
      // A site knows no `?` that has nothing behind it; HAProxy keeps it in a redirect.
      .filter(({ witness: { query } }) => query !== '')
      .map(({ witness, before: was, after: is }) => [witness, was, is])
  );
}

const plainest = mustBe(
  siteOf(
    JSON.stringify({
      site: 'plain',
      listeners: [{ name: 'http', address: '127.0.0.1:8080' }],
      routes: [{ name: 'all', pool: 'web' }],
      pools: [{ name: 'web', servers: ['10.0.0.1:80'] }],
      balancers: [{ name: 'lb-1', address: '127.0.0.1' }],
    }),
  ),
);

function mustBe<T>(value: T | null): T {
  assert.ok(value !== null);
  return value;
}

function lowered(site: Site, engine: OwnDialectName): string {
  return dialects[engine].lower(site, {
    generation: 1,
    threads: 1,
    listeners: Object.fromEntries(
      site.listeners.map(({ name, host, port }) => [name, { kind: 'address', host, port } as const]),
    ),
    control: '/run/control.sock',
    entrance: null,
    neighbour: null,
    certificates: Object.fromEntries(site.listeners.map(({ name }) => [name, []])),
    ticketKeys: null,
    peers: null,
    servers: null,
  });
}

const publicLines = (text: string) => /^frontend http\n(?:[^\n]+\n)*/m.exec(text)?.[0].split('\n') ?? [];

function liftedOf(text: string, engine: OwnDialectName): meaning.Meaning {
  const nowhere = { find: () => [], read: () => null, environment: () => null };
  return liftOwn({ file: 'made', folder: '/', text }, engine, nowhere);
}

/** Without sockets of our own, and what servers are told of the client. */
function withoutHouse(of: meaning.Meaning): meaning.Meaning {
  const known = new Map<meaning.Rules, meaning.Rules>();
  const rulesOf = (rules: meaning.Rules): meaning.Rules => {
    const before = known.get(rules);
    if (before) return before;
    const steps = rules.steps.map((step) => ({
      ...step,
      then: step.then.kind === 'continue' ? step.then : fateOf(step.then),
    }));
    const after = { steps, otherwise: fateOf(rules.otherwise) };
    known.set(rules, after);
    return after;
  };
  const fateOf = (fate: meaning.Fate): meaning.Fate => {
    if (fate.kind === 'rules') return { ...fate, rules: rulesOf(fate.rules) };
    if (fate.kind === 'split')
      return { ...fate, shares: fate.shares.map((share) => ({ ...share, fate: fateOf(share.fate) })) };
    if (fate.kind !== 'pool') return fate;
    const headers = Object.entries(fate.sent.headers).filter(([name]) => !toldOfClient.test(name));
    return { ...fate, sent: { ...fate.sent, headers: Object.fromEntries(headers) } };
  };
  const listeners = of.listeners
    .filter(({ port }) => port !== null)
    .map((one) => ({ ...one, rules: rulesOf(one.rules) }));
  return { ...of, listeners };
}
