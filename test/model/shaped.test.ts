/** What is read by a shorter way, because there may be a hundred thousand of it: the same as the schema reads. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'yaml';
import { plainPool } from '../../src/model/plain-pool.ts';
import { siteSchema } from '../../src/model/schema.ts';
import { pool } from '../../src/model/schema-pools.ts';
import { readWhole } from '../../src/model/shaped.ts';

const root = resolve(import.meta.dirname, '../..');
const files = globSync(['examples/**/*.yaml', 'test/golden/*/site.yaml'], { cwd: root }).sort();
const sites = files.map((file): unknown => parse(readFileSync(resolve(root, file), 'utf8')));

const name = fc.constantFrom<unknown>('web', 'a.b_c-1', '', '-a', 'a b', 'toString', 'é', 7, null);
const address = fc.constantFrom<unknown>(
  '10.0.0.1:80',
  'Web.example:8080',
  '[::1]:80',
  '*:80',
  '10.0.0.1',
  '10.0.0.999:80',
  'a b:80',
  'a:80\n',
  'a:0',
  `${'a'.repeat(60)}.${'b'.repeat(250)}:80`,
  80,
  undefined,
);
const odd = { weight: 2, spare: true, nmae: 'a', constructor: 'a' };
const server = fc.oneof(
  { weight: 3, arbitrary: address },
  { weight: 8, arbitrary: fc.record({ name, address }) },
  { weight: 2, arbitrary: fc.record({ address }) },
  { weight: 1, arbitrary: fc.record({ name, address, ...constants(odd) }, { requiredKeys: ['address'] }) },
);
const oddPool = { retries: { count: 1 }, servres: [], algorithm: 'leastconn' };
const pools = fc.record(
  { name, servers: fc.oneof(fc.array(server, { maxLength: 3 }), address), ...constants(oddPool) },
  { requiredKeys: [] },
);

function constants(of: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, fc.constant(value)]));
}

test('a plain pool is what the schema makes of it', () => {
  let plain = 0;
  const told = (value: object) => {
    const made = plainPool(value);
    if (made === null) return;
    plain += 1;
    assert.deepEqual({ ...made }, pool.parse(value), JSON.stringify(value));
  };
  fc.assert(fc.property(pools, told), { numRuns: 4_000, seed: 4 });
  const right = fc.record({ name: fc.constant('web'), servers: fc.array(server, { maxLength: 2 }) });
  fc.assert(fc.property(right, told), { numRuns: 4_000, seed: 4 });
  assert.ok(plain > 100, `only ${plain} were plain`);
});

test('a site read part by part is what the schema makes of it, with the same mistakes', () => {
  const changed = fc.record({
    site: fc.constantFrom(...sites),
    section: fc.constantFrom('listeners', 'routes', 'pools', 'balancers', 'site', 'timeouts', 'more'),
    value: fc.oneof(pools, name, fc.array(pools, { maxLength: 2 }), fc.constant([])),
    added: fc.boolean(),
    none: fc.boolean(),
  });
  fc.assert(
    fc.property(changed, ({ site, section, value, added, none }) => {
      if (typeof site !== 'object' || site === null || 'people' in site) return;
      const before = (site as Readonly<Record<string, unknown>>)[section];
      const after = added && Array.isArray(before) ? [...before, value] : value;
      const text = none ? site : { ...site, [section]: after };
      const [one, other] = [readWhole(text), siteSchema.safeParse(text)];
      assert.deepEqual(one.data, other.data);
      assert.deepEqual(one.error?.issues, other.error?.issues);
    }),
    { numRuns: 600, seed: 4 },
  );
});

test('a section that is too long is told as the schema tells it', () => {
  const site = sites.find((one) => siteSchema.safeParse(one).success) as Readonly<Record<string, unknown>>;
  const many = Array.from({ length: 65 }, (_, at) => ({
    name: `b${at}`,
    engine: 'haproxy',
    address: '10.0.0.1',
  }));
  const text = { ...site, balancers: many };
  const told = readWhole(text).error?.issues;
  assert.ok(told);
  assert.deepEqual(told, siteSchema.safeParse(text).error?.issues);
});
