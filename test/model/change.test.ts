import assert from 'node:assert/strict';
import { test } from 'node:test';
import { siteDifference, siteHash } from '#model';
import { changed, siteOf, validText } from './site.ts';

const before = siteOf(validText);

function differenceTo(text: string) {
  const { serversAdded, serversRemoved, parts } = siteDifference(before, siteOf(text));
  return {
    added: serversAdded.map((s) => `${s.pool}/${s.server} ${s.address} line ${s.place.line}`),
    removed: serversRemoved.map((s) => `${s.pool}/${s.server} ${s.address} line ${s.place.line}`),
    parts: parts.map((p) => `${p.how} ${p.what}${p.place ? ` line ${p.place.line}` : ''}`),
  };
}

const none = { added: [], removed: [], parts: [] };

test('the same meaning in other words is no difference and has the same hash', () => {
  const text = `# a comment\n${validText
    .replace(
      'servers: [10.0.0.3:80]',
      'algorithm: roundrobin, servers: [{ address: "10.0.0.3:80", weight: 1 }]',
    )
    .replace('{ value: /api }', '{ value: /api, type: PathPrefix }')}guard: { bake: 120s }\n`;
  assert.deepEqual(differenceTo(text), none);
  assert.equal(siteHash(siteOf(text)), siteHash(before));
});

/** One change a line, and all that is told of it. */
const changes: readonly (readonly [
  string,
  string,
  Partial<typeof none> | Record<string, readonly string[]>,
])[] = [
  ['[10.0.0.3:80]', '[10.0.0.3:80, 10.0.0.4:80]', { added: ['api/10.0.0.4-80 10.0.0.4:80 line 9'] }],
  [
    '10.0.0.2:80',
    '10.0.0.9:80',
    {
      added: ['web/10.0.0.9-80 10.0.0.9:80 line 8'],
      removed: ['web/10.0.0.2-80 10.0.0.2:80 line 8'],
    },
  ],
  ['10.0.0.2:80', '{ address: 10.0.0.2:80, weight: 3 }', { parts: ['changed pools[0] "web" line 8'] }],
  [
    'name: web, servers',
    'name: web, algorithm: leastconn, servers',
    { parts: ['changed pools[0] "web" line 8'] },
  ],
  ['"*:8080"', '"*:8081"', { parts: ['changed listeners[0] "http" line 3'] }],
  ['value: /api', 'value: /app', { parts: ['changed routes[0] "api" line 5'] }],
  [
    'name: api, matches',
    'name: app, matches',
    {
      parts: ['added routes[0] "app" line 5', 'removed routes[0] "api" line 5'],
    },
  ],
  [
    'name: lb-1',
    'name: lb-2',
    { parts: ['added balancers[0] "lb-2" line 11', 'removed balancers[0] "lb-1" line 11'] },
  ],
  ['site: shop', 'site: shop2', { parts: ['changed site "shop2"'] }],
  ['site: shop', 'guard: { bake: 3m }\nsite: shop', { parts: ['changed guard'] }],
];

for (const [part, by, told] of changes) {
  test(`${part} -> ${by.replace('\n', ' ')} is told as such and changes the hash`, () => {
    const text = changed(part, by);
    assert.deepEqual(differenceTo(text), { ...none, ...told });
    assert.notEqual(siteHash(siteOf(text)), siteHash(before));
  });
}

test('the order of routes is a difference: among equals the first decides', () => {
  const [first, second] = before.routes;
  assert(first && second);
  const { parts } = siteDifference(before, { ...before, routes: [second, first] });
  assert.deepEqual(parts, [{ what: 'order of routes', how: 'changed', place: null }]);
});
