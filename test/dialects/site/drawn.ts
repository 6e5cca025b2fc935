/** Sites by chance, as their text, and requests near what they say. */
import fc from 'fast-check';
import { meaning } from '#routing';

const hostnames = ['shop.example', '*.shop.example', 'api.shop.example', '*.example', 'other.example'];
const prefixes = ['/', '/api', '/api/', '/api/v2', '/a', '/a/b', '/A'];
const expressions = ['/item/[0-9]{2,3}|/thing', '/api/.*', '/[^/]+\\.(?:png|ico)', '/a(?:/.*)?'];

const path = fc.oneof(
  fc.record({ type: fc.constant('PathPrefix'), value: fc.constantFrom(...prefixes) }),
  fc.record({ type: fc.constant('Exact'), value: fc.constantFrom('/', '/api', '/api/', '/a/b', '/health') }),
  fc.record({ type: fc.constant('RegularExpression'), value: fc.constantFrom(...expressions) }),
);
const named = (names: readonly string[], words: readonly string[]) => {
  const value = fc.oneof(
    fc.record({ type: fc.constant('Exact'), value: fc.constantFrom(...words) }),
    fc.record({
      type: fc.constant('RegularExpression'),
      value: fc.constantFrom('[0-9]+', 'b.*', '1|be(?:ta)?'),
    }),
  );
  return fc.uniqueArray(
    fc.tuple(fc.constantFrom(...names), value).map(([name, one]) => ({ name, ...one })),
    { maxLength: 2, selector: ({ name }) => name },
  );
};

const match = fc.record(
  {
    path,
    method: fc.constantFrom('GET', 'POST', 'PUT'),
    headers: named(['x-group', 'X-Tenant'], ['1', 'beta', 'a, b', '$x #y']),
    queryParams: named(['mode', 'id'], ['1', 'beta', 'a%20b']),
  },
  { requiredKeys: [] },
);

const changes = fc.record(
  {
    set: fc.constantFrom([{ name: 'X-Set', value: 'set by us' }], [{ name: 'x-tenant', value: '%[src]' }]),
    add: fc.constantFrom([{ name: 'X-Tenant', value: '$added' }]),
    remove: fc.constantFrom(['x-group'], ['Cookie']),
  },
  { requiredKeys: [] },
);

const newPath = fc.constantFrom(
  { replaceFullPath: '/all' },
  { replacePrefixMatch: '/' },
  { replacePrefixMatch: '/new' },
  { replacePrefixMatch: '/new/' },
);

const access = fc.record(
  {
    deny: fc.constantFrom(['192.0.2.0/24'], ['10.0.0.0/8', '2001:db8::/32']),
    allow: fc.constantFrom(['10.1.0.0/16'], ['203.0.113.7', '::1']),
  },
  { requiredKeys: [] },
);

const action = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('web', 'api', 'beta').map((pool) => ({ pool })) },
  {
    weight: 1,
    arbitrary: fc.record({
      pools: fc.constantFrom(
        [
          { pool: 'web', weight: 9 },
          { pool: 'beta', weight: 1 },
        ],
        [
          { pool: 'api', weight: 1 },
          { pool: 'web', weight: 0 },
        ],
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      redirect: fc.record(
        {
          scheme: fc.constantFrom('http', 'https'),
          hostname: fc.constantFrom('www.shop.example'),
          port: fc.constantFrom(80, 443, 8443),
          path: newPath,
          statusCode: fc.constantFrom(301, 302, 308),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      answer: fc.record(
        { statusCode: fc.constantFrom(200, 204, 404, 410, 503), body: fc.constantFrom('no $more "of" it\n') },
        { requiredKeys: ['statusCode'] },
      ),
    }),
  },
);

const filters = fc.record(
  {
    rewrite: fc.record({ hostname: fc.constantFrom('inside.example'), path: newPath }, { requiredKeys: [] }),
    requestHeaders: changes,
    access,
  },
  { requiredKeys: [] },
);

const route = fc
  .record(
    {
      hostnames: fc.uniqueArray(fc.constantFrom(...hostnames), { minLength: 1, maxLength: 2 }),
      matches: fc.array(match, { minLength: 1, maxLength: 2 }),
      action,
      filters: fc.option(filters, { freq: 3 }),
    },
    { requiredKeys: ['action', 'filters'] },
  )
  .map(({ action: does, filters: own, ...rest }) => {
    const isServed = 'pool' in does || 'pools' in does;
    const { rewrite, requestHeaders, ...always } = own ?? {};
    const ofServed = isServed
      ? withoutNothing({ rewrite: rewrite ?? {}, requestHeaders: requestHeaders ?? {} })
      : {};
    const whole = { ...rest, ...does, ...ofServed, ...withoutNothing(always) };
    return /"replacePrefixMatch"/.test(JSON.stringify(whole))
      ? { ...whole, matches: prefixesOnly(rest.matches) }
      : whole;
  });

type Match = typeof match extends fc.Arbitrary<infer M> ? M : never;

/** There is a prefix to replace. */
function prefixesOnly(matches: readonly Match[] | undefined): readonly object[] {
  return (matches ?? [{}]).map((one) => ({
    ...one,
    path: { type: 'PathPrefix', value: one.path?.value.replace(/[^/a-z0-9].*/, '') || '/' },
  }));
}

/** An empty block is a mistake in a site's text. */
function withoutNothing(of: object): object {
  return Object.fromEntries(Object.entries(of).filter(([, part]) => Object.keys(part).length > 0));
}

/** A site.yaml: JSON is YAML. Some have a mistake, which whoever takes them leaves aside. */
export const siteText: fc.Arbitrary<string> = fc
  .record({ routes: fc.array(route, { minLength: 1, maxLength: 5 }), limits: fc.option(access, { freq: 4 }) })
  .map(({ routes, limits }) =>
    JSON.stringify({
      site: 'drawn',
      listeners: [
        { name: 'http', address: '127.0.0.1:8080', ...(limits ? withoutNothing({ access: limits }) : {}) },
      ],
      routes: routes.map((one, index) => ({ name: `r${index}`, ...one })),
      pools: ['web', 'api', 'beta'].map((name, index) => ({ name, servers: [`10.0.${index}.1:80`] })),
      balancers: [{ name: 'lb-1', address: '127.0.0.1' }],
    }),
  );

export const request: fc.Arbitrary<meaning.Request> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'PUT', 'get'),
    host: fc.constantFrom(
      'shop.example',
      'SHOP.example:8080',
      'www.shop.example',
      'a.b.shop.example:1',
      'api.shop.example',
      'other.example',
      'nobody.test',
      '127.0.0.1',
    ),
    path: fc.oneof(
      fc.constantFrom(
        '/',
        '/api',
        '/api/',
        '/api//x',
        '/apis',
        '/api/v2',
        '/api/v2/x',
        '/a/b',
        '/a/b/c',
        '/A',
      ),
      fc.constantFrom(
        '/item/1',
        '/item/12',
        '/thing',
        '/x.png',
        '/x/y.png',
        '/health',
        '/%61pi',
        '/a/../api',
      ),
    ),
    query: fc.constantFrom(null, 'mode=beta', 'id=12&mode=1', 'xmode=1', 'mode', 'id=x&id=1', 'mode=be%74a'),
    headers: fc.record(
      {
        'x-group': fc.constantFrom('1', 'beta', 'Beta', 'a, b'),
        'x-tenant': fc.constantFrom('1', 'bet', '$x #y', ''),
        cookie: fc.constant('a=b'),
      },
      { requiredKeys: [] },
    ),
    sourceAddress: fc.constantFrom('127.0.0.1', '10.1.2.3', '192.0.2.9', '203.0.113.7', '2001:db8::1', '::1'),
  })
  .map((said) => meaning.requestOf({ ...said, port: 8080 }));
