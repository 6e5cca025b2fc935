import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { catalogue, formatDiagnostic } from '#base';
import { parseSite, routeOf, siteHash } from '#model';
import { changed, validText } from './site.ts';

/** What holds for every text: no exception, a site or an error, known codes, one line a diagnostic, places inside the text. */
function holds(text: string): void {
  const { site, diagnostics } = parseSite(text, 'site.yaml', '/');
  assert.equal(
    site === null,
    diagnostics.some((d) => d.severity === 'error'),
  );
  const lines = text.split(/\r\n|\n|\r/).length;
  for (const diagnostic of diagnostics) {
    assert(diagnostic.code in catalogue, diagnostic.code);
    assert.match(formatDiagnostic(diagnostic), /^HF\d{3} site\.yaml:\d+:\d+ [^\p{Cc}\p{Zl}]+$/u);
    assert(diagnostic.place && diagnostic.place.line >= 1 && diagnostic.place.line <= lines);
  }
  if (site) {
    assert.match(siteHash(site), /^[0-9a-f]{64}$/);
    assertSafe(site);
    assert.equal(routeOf(site).listeners.length, site.listeners.length);
  }
}

/** No value of a site can end a line or a string of an engine's text. */
function assertSafe(part: unknown): void {
  if (typeof part === 'string') assert.match(part, /^[\x20-\x7e]*$/);
  else if (part !== null && typeof part === 'object') Object.values(part).forEach(assertSafe);
}

const yamlBits = [
  '- ',
  ': ',
  '\n',
  '  ',
  '[',
  ']',
  '{',
  '}',
  '&a ',
  '*a',
  '"',
  "'",
  '#',
  '|',
  '>',
  '? ',
  '!!',
  '---\n',
  '<<',
  '\t',
  '\0',
];
const keys = [
  'site',
  'listeners',
  'routes',
  'pools',
  'balancers',
  'guard',
  'name',
  'address',
  'servers',
  'matches',
  'path',
  '__proto__',
  'toString',
];
const nasty = [
  '',
  '/',
  '*',
  '*:80',
  ' ',
  '\n',
  '"',
  "'",
  '\\',
  '$',
  '%s',
  '\u0000',
  '\u2028',
  '\x9b',
  '\u202e',
  'ü',
  'a b',
  '-f',
  '/a\nb',
  '[::1]:80',
  '0.0.0.0:80',
  '(?=a)',
  '[[:alpha:]]',
  '\\',
  'x'.repeat(2000),
];

test('no text makes the parser throw', () => {
  const bits = fc.array(fc.oneof(fc.constantFrom(...yamlBits, ...keys), fc.string({ unit: 'binary' })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(bits, (parts) => holds(parts.join(''))),
    { numRuns: 1000 },
  );
});

test('no cut, doubling or insertion in a valid site makes it throw', () => {
  const at = fc.nat(validText.length);
  const piece = fc.oneof(fc.constantFrom(...yamlBits, ...nasty), fc.string());
  fc.assert(
    fc.property(at, at, piece, (from, to, by) => holds(validText.slice(0, from) + by + validText.slice(to))),
    { numRuns: 1000 },
  );
});

test('no value in any place of a valid site makes it throw, or reaches a site unsafely', () => {
  const value = fc.oneof(
    fc.constantFrom<unknown>(...nasty, null, true, 0, -1, 1.5, Number.NaN, 2 ** 60, [], {}, [[]], [null]),
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.jsonValue({ maxDepth: 3 }),
  );
  fc.assert(
    fc.property(fc.nat(), value, (pick, by) => {
      const doc = parseDocument(fullText);
      const paths = pathsOf(doc.toJS());
      doc.setIn(paths[pick % paths.length] ?? [], by);
      holds(doc.toString());
    }),
    { numRuns: 1000 },
  );
});

const fullText = `${changed(
  '{ name: api, matches: [{ path: { value: /api } }], pool: api }',
  `{ name: api, listeners: [http], hostnames: ["*.shop.example"], pool: api, matches: [{ path: { type: Exact, value: /api },
      method: GET, headers: [{ name: x-a, type: RegularExpression, value: "a+" }], queryParams: [{ name: q, value: a }] }] }`,
)}guard: { canary: { steps: [0.1, 1], step: 1s }, bake: 2s, limits: { liveServersShareMin: 0.3 } }\n`;

function pathsOf(value: unknown, above: readonly (string | number)[] = []): (string | number)[][] {
  if (value === null || typeof value !== 'object') return [[...above]];
  const entries = Array.isArray(value) ? value.map((v, i) => [i, v] as const) : Object.entries(value);
  return [
    ...(above.length > 0 ? [[...above]] : []),
    ...entries.flatMap(([key, v]) => pathsOf(v, [...above, key])),
  ];
}

const mebibytes4 = 4 * 1024 * 1024 - 100;
const large: Readonly<Record<string, string>> = {
  'deep flow': '['.repeat(mebibytes4),
  'closing brackets': ']'.repeat(mebibytes4),
  'some closing brackets': 'x ]\n'.repeat(100),
  'deep blocks on one line': '- '.repeat(mebibytes4 / 2),
  'many keys': Array.from({ length: 400_000 }, (_, i) => `k${i}:`).join('\n'),
  'one key many times': 'k:\n'.repeat(mebibytes4 / 3),
  'many documents': '---\n'.repeat(mebibytes4 / 4),
  'as many items as may be': `pools: [${'1,'.repeat(490_000)}]`,
  'as many wrong servers': `pools: [{ name: a, servers: [${'{},'.repeat(320_000)}]}]`,
  'many items': `pools: [${'1,'.repeat(mebibytes4 / 2 - 10)}]`,
  'a long word': 'a'.repeat(mebibytes4),
  'a long key': `${'a'.repeat(mebibytes4 - 2)}: 1`,
  'many lines of one text': 'a\n'.repeat(mebibytes4 / 2),
  'as many anchors': '&a '.repeat(490_000),
  'quotes that never end': '"\n'.repeat(mebibytes4 / 2),
  tabs: '\t'.repeat(mebibytes4),
  '200 million bytes': 'a'.repeat(200_000_000),
};

for (const [what, text] of Object.entries(large)) {
  test(`${what}: refused within seconds, in few lines`, { timeout: 300_000 }, () => {
    // Of the processor, not of the clock: other tests run beside.
    const before = process.cpuUsage();
    const { site, diagnostics } = parseSite(text, 'site.yaml', '/');
    assert.equal(site, null);
    assert(diagnostics.length >= 1 && diagnostics.length <= 200, `${diagnostics.length} diagnostics`);
    assert(diagnostics.map(formatDiagnostic).every((line) => line.length < 2000));
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1_000;
    assert(tookMs < 20_000, `took ${tookMs} ms`);
  });
}
