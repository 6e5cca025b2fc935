import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Route, type RouteMatch, routeOf, type Site } from '#model';
import { decide, shadowedRules, witnesses } from '#routing';
import { siteOf, validText } from './site.ts';

const valid = siteOf(validText);
const any: RouteMatch = { path: null, method: null, headers: [], queryParams: [] };

function route(name: string, match: Partial<RouteMatch>, hostnames: readonly string[] = []): Route {
  return {
    ...valid.routes[0],
    name,
    listeners: [],
    hostnames,
    matches: [{ ...any, ...match }],
    action: { kind: 'pools', pools: [{ pool: 'web', weight: 1 }], place },
    filters: {
      rewrite: null,
      requestHeaders: null,
      responseHeaders: null,
      access: null,
      timeouts: null,
      mirror: null,
    },
    place,
  };
}

const place = { file: 'site.yaml', line: 1, column: 1 };

function orderOf(routes: readonly Route[]): readonly string[] {
  return routeOf({ ...valid, routes }).listeners.flatMap((listener) =>
    listener.rules.map((rule) => rule.route),
  );
}

/** Most specific first, one step of the precedence a line. */
const ordered: readonly Route[] = [
  route('exact host', {}, ['shop.example']),
  route('shorter exact host', {}, ['a.example']),
  route('longer wildcard', { path: { type: 'Exact', value: '/' } }, ['*.eu.shop.example']),
  route('wildcard', { path: { type: 'Exact', value: '/long/path' } }, ['*.shop.example']),
  route('exact path', { path: { type: 'Exact', value: '/a' } }),
  route('longer expression', { path: { type: 'RegularExpression', value: '/[a-z]+' } }),
  route('expression', { path: { type: 'RegularExpression', value: '/.' } }),
  route('longer prefix', { path: { type: 'PathPrefix', value: '/a/b' } }),
  route('prefix and method', { path: { type: 'PathPrefix', value: '/a/' }, method: 'GET' }),
  route('prefix and two headers', {
    path: { type: 'PathPrefix', value: '/a' },
    headers: [value('x'), value('y')],
  }),
  route('prefix and header', {
    path: { type: 'PathPrefix', value: '/a' },
    headers: [value('x')],
    queryParams: [],
  }),
  route('prefix and query', { path: { type: 'PathPrefix', value: '/a' }, queryParams: [value('q')] }),
  route('prefix, first in the file', { path: { type: 'PathPrefix', value: '/a' } }),
  route('prefix, second in the file', { path: { type: 'PathPrefix', value: '/a/' } }),
  route('everything', {}),
];

function value(name: string) {
  return { name, type: 'Exact', value: '1' } as const;
}

test('rules come in the precedence of the Gateway API, whatever their order in the file', () => {
  const names = ordered.map((one) => one.name);
  const equal = (name: string) => name.includes('in the file');
  const shuffled = fc.shuffledSubarray([...ordered], { minLength: ordered.length });
  assert.deepEqual(orderOf(ordered), names);
  fc.assert(
    fc.property(shuffled, (routes) => {
      assert.deepEqual(
        orderOf(routes).filter((name) => !equal(name)),
        names.filter((name) => !equal(name)),
      );
    }),
  );
});

test('a route is on the listeners that it names, or on all', () => {
  const listeners = valid.listeners.flatMap((http) => [
    { ...http, name: 'a' },
    { ...http, name: 'b' },
  ]);
  const site: Site = {
    ...valid,
    listeners,
    routes: [{ ...route('only b', {}), listeners: ['b'] }, route('both', {})],
  };
  assert.deepEqual(
    routeOf(site).listeners.map((listener) => listener.rules.map((rule) => rule.route)),
    [['both'], ['only b', 'both']],
  );
});

test('what no rule takes is answered 404; a pool comes with the addresses of its servers', () => {
  const [listener] = routeOf(valid).listeners;
  assert.deepEqual(listener?.otherwise, { kind: 'answer', status: 404, headers: [], body: null });
  assert.deepEqual(listener?.rules[0]?.action, { kind: 'pool', pool: 'api', servers: ['10.0.0.3:80'] });
});

const paths = ['/', '/a', '/a/b', '/a/b/c', '/ab'];
const expressions = ['/.*', '/[ab]+', '/a(/b)?', '^/v\\d{1,3}/.+$', '/(?!a).*', '.*\\.(png|jpg)'];
const pathMatch = fc.oneof(
  fc.constant(null),
  fc.record({
    type: fc.constantFrom('Exact' as const, 'PathPrefix' as const),
    value: fc.constantFrom(...paths),
  }),
  fc.record({ type: fc.constant('RegularExpression' as const), value: fc.constantFrom(...expressions) }),
);
const valueMatch = fc.record({
  name: fc.constantFrom('x', 'y'),
  type: fc.constantFrom('Exact' as const, 'RegularExpression' as const),
  value: fc.constantFrom('a', 'b+', 'c'),
});
const values = fc.uniqueArray(valueMatch, { maxLength: 2, selector: (match) => match.name });
const routes = fc.array(
  fc.record({
    hostnames: fc.subarray(['shop.example', '*.shop.example', '*.eu.shop.example', '*.example']),
    matches: fc.array(
      fc.record({
        path: pathMatch,
        method: fc.constantFrom(null, 'GET', 'POST'),
        headers: values,
        queryParams: values,
      }),
      { maxLength: 3 },
    ),
  }),
  { minLength: 1, maxLength: 8 },
);

test('every witness is really given to its rule, and every rule is witnessed or told as shadowed', () => {
  let found = 0;
  let hidden = 0;
  fc.assert(
    fc.property(routes, (parts) => {
      const all = parts.map((part, i): Route => ({ ...route(`r${i}`, {}), ...part }));
      const routing = routeOf({ ...valid, routes: all });
      const told = witnesses(routing);
      const shadowed = shadowedRules(routing);
      for (const { listener, rule, request } of told) assert.equal(decide(listener, request).rule, rule);
      assert.equal(told.length + shadowed.length, routing.listeners.flatMap((l) => l.rules).length);
      found += told.length;
      hidden += shadowed.length;
    }),
    { numRuns: 300 },
  );
  assert(found > 5 * hidden, `${found} witnessed, ${hidden} shadowed`);
});

test('a rule that an earlier one covers is told as shadowed', () => {
  const routing = routeOf({
    ...valid,
    routes: [
      route('all words', { path: { type: 'RegularExpression', value: '/[a-z]+.*' } }),
      route('cart', { path: { type: 'PathPrefix', value: '/cart' } }),
      route('the rest', {}),
    ],
  });
  assert.deepEqual(
    shadowedRules(routing).map(({ rule }) => rule.route),
    ['cart'],
  );
  assert.deepEqual(
    witnesses(routing).map(({ rule, request }) => [rule.route, request.method, request.host, request.path]),
    [
      ['all words', 'GET', 'www.example.com', '/a'],
      ['the rest', 'GET', 'www.example.com', '/'],
    ],
  );
});

test('a witness goes round the rules before it', () => {
  const routing = routeOf({
    ...valid,
    routes: [
      route('host', {}, ['www.example.com']),
      route('method', { method: 'GET', path: { type: 'PathPrefix', value: '/a' } }),
      route('prefix', { path: { type: 'PathPrefix', value: '/a' } }),
    ],
  });
  const last = witnesses(routing).at(-1);
  assert.deepEqual(
    [last?.rule.route, last?.request.method, last?.request.host],
    ['prefix', 'POST', 'other.example.net'],
  );
});
