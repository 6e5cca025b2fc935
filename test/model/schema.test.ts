import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { siteJsonSchema } from '#model';

const file = new URL('../../schema/site.schema.json', import.meta.url);

test('schema/site.schema.json is what the parser checks: UPDATE_GOLDEN=1 writes it anew, npm run format lays it out', async () => {
  const now = JSON.stringify(siteJsonSchema(), null, 2);
  if (process.env.UPDATE_GOLDEN) await writeFile(file, now);
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), JSON.parse(now));
});

test('the schema describes every section and refuses unknown keys', () => {
  const { properties, additionalProperties } = siteJsonSchema() as {
    properties: Record<string, { description?: string }>;
    additionalProperties: boolean;
  };
  assert.deepEqual(Object.keys(properties), [
    'site',
    'listeners',
    'routes',
    'pools',
    'balancers',
    'timeouts',
    'accessLog',
    'errorPages',
    'expect',
    'policies',
    'guard',
  ]);
  assert(Object.values(properties).every((section) => section.description));
  assert.equal(additionalProperties, false);
});
