import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatDiagnostic } from '#base';
import { parseSite } from '#model';

const page = readFileSync(join(import.meta.dirname, '../../docs/site.md'), 'utf8');
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([whole, text = '']) => ({
  text,
  line: page.slice(0, page.indexOf(whole)).split('\n').length,
}));

/** What an example leaves out. */
const rest: Readonly<Record<string, string>> = {
  site: 'site: shop\n',
  listeners: 'listeners:\n  - { name: http, address: "*:8080" }\n',
  routes: 'routes:\n  - { name: all, pool: web }\n',
  pools:
    'pools:\n  - { name: web, servers: [10.0.0.1:80] }\n  - { name: api, servers: [10.0.0.2:80] }\n  - { name: api-next, servers: [10.0.0.3:80] }\n',
  balancers: 'balancers:\n  - { name: lb-1, address: 10.0.0.9 }\n',
};

test('there are examples', () => {
  assert.ok(examples.length >= 1);
});

for (const { text, line } of examples)
  test(`docs/site.md:${line} is a site`, () => {
    const missing = Object.entries(rest).flatMap(([section, lines]) =>
      new RegExp(`^${section}:`, 'm').test(text) ? [] : [lines],
    );
    const includes = [...text.matchAll(/\bfile: ([\w.-]+)/g)].map(([, name = '']) => ({
      path: `/etc/shop/${name}`,
      text: 'some text',
    }));
    const { diagnostics } = parseSite(text + missing.join(''), 'site.md', '/etc/shop', includes);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    assert.equal(errors.map(formatDiagnostic).join('\n'), '');
  });
