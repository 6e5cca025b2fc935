import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatDiagnostic } from '#base';
import { parseSite, siteHash, withIncludes } from '#model';
import { changed } from './site.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-included-'));
after(() => rmSync(folder, { recursive: true, force: true }));

async function read(text: string) {
  const whole = await withIncludes({ file: 'site.yaml', folder, text });
  return parseSite(whole.text, whole.file, whole.folder, whole.includes);
}

function answering(answer: string, pages = '[]'): string {
  return changed(
    '  - { name: web, pool: web }',
    `  - { name: web, pool: web }\n  - { name: own, hostnames: [own], answer: { statusCode: 503, ${answer} } }`,
  ).concat(`errorPages: ${pages}\n`);
}

test('a body from a file is what the file holds, and another content is another site', async () => {
  const text = answering('file: down.html', '[{ statusCodes: [502], file: down.html }]');
  const hashes: string[] = [];
  for (const content of ['<h1>Grüße</h1>\n', '<h1>soon</h1>\n']) {
    writeFileSync(join(folder, 'down.html'), content);
    const { site, diagnostics } = await read(text);
    assert.ok(site, diagnostics.map(formatDiagnostic).join('\n'));
    const action = site.routes[2]?.action;
    assert.deepEqual(action?.kind === 'answer' && action.body, {
      contentType: 'text/html; charset=utf-8',
      text: content,
    });
    assert.equal(site.errorPages[0]?.text, content);
    hashes.push(siteHash(site));
  }
  assert.notEqual(hashes[0], hashes[1]);
});

const path = 'HF024 site.yaml:7:69 routes[2].answer.file:';
const expected = 'expected a file of UTF-8 text, at most 12288 bytes';

for (const [what, content, told] of [
  ['is not there', null, `got none in FOLDER/bad. Check its name, its rights and its size`],
  ['is too long', 'x'.repeat(12_289), 'got 12289 bytes in FOLDER/bad. Make it shorter'],
  ['is far too long', 'x'.repeat(100_000), 'got none in FOLDER/bad. Check its name, its rights and its size'],
  [
    'is no text',
    Buffer.from([0xff, 0xfe]),
    'got none in FOLDER/bad. Check its name, its rights and its size',
  ],
  ['has control characters', 'a\0b', 'got control characters in FOLDER/bad. Remove them'],
] as const)
  test(`a file that ${what} is told at its line`, async () => {
    rmSync(join(folder, 'bad'), { force: true });
    if (content !== null) writeFileSync(join(folder, 'bad'), content);
    const { site, diagnostics } = await read(answering('file: bad'));
    assert.equal(site, null);
    const lines = diagnostics.map((d) => formatDiagnostic(d).replaceAll(folder, 'FOLDER'));
    assert.deepEqual(lines, [`${path} ${expected}, ${told}`]);
  });

test('two bodies, and none', async () => {
  writeFileSync(join(folder, 'down.html'), 'down');
  const pages = '[{ statusCodes: [502] }, { statusCodes: [503], body: a, file: down.html }]';
  const { diagnostics } = await read(answering('body: a, file: down.html', pages));
  assert.deepEqual(diagnostics.map(formatDiagnostic), [
    'HF013 site.yaml:7:78 routes[2].answer.file: expected one body, got "body" and "file". Remove one',
    'HF012 site.yaml:13:14 errorPages[0]: missing, expected body or file',
    'HF013 site.yaml:13:75 errorPages[1].file: expected one body, got "body" and "file". Remove one',
  ]);
});
