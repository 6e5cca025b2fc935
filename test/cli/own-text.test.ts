import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Failure, formatDiagnostic } from '#base';
import { readLocally } from '../../src/cli/site-text.ts';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-include-'));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'conf.d/folder'), { recursive: true });
  execFileSync('mkfifo', [join(folder, 'pipe')]);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string | Buffer): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** With the test's own folder taken out. */
async function refusalOf(name: string, text: string): Promise<string> {
  const read = readLocally(write(name, text));
  const error = await read.then(
    ({ diagnostics }) => new Failure('', '', '', diagnostics),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof Failure, String(error));
  const [first] = error.diagnostics.filter(({ severity }) => severity === 'error');
  assert.ok(first, `${error.code} has no place: ${error.message}`);
  return formatDiagnostic(first).replaceAll(`${folder}/`, '');
}

const nginx = (inside: string) => `events {}\nhttp {\n  ${inside}\n}\n`;
const listed = (list: string) => `global\n  daemon\nfrontend f\n  bind :443 ssl crt-list ${list}\n`;

describe('what a text includes and nobody can read is refused at the line that says so', () => {
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    [
      'a folder',
      'nginx.conf',
      nginx('include conf.d/folder;'),
      /^HF003 nginx\.conf:3:3 include: .* is a folder/,
    ],
    [
      'a folder among files',
      'nginx.conf',
      nginx('include conf.d/*;'),
      /^HF003 nginx\.conf:3:3 .* is a folder\. Write a pattern .* conf\.d\/\*\.conf$/,
    ],
    [
      'a device',
      'nginx.conf',
      nginx('include /dev/zero;'),
      /^HF003 nginx\.conf:3:3 .*\/dev\/zero is not a regular file/,
    ],
    ['a pipe', 'nginx.conf', nginx('include pipe;'), /^HF003 nginx\.conf:3:3 .*pipe is not a regular file/],
    ['a folder as a list', 'haproxy.cfg', '', /^HF003 haproxy\.cfg:4:26 include: .* is a folder/],
    [
      'a device as a list',
      'haproxy.cfg',
      listed('/dev/zero'),
      /^HF003 haproxy\.cfg:4:26 .*\/dev\/zero is not a regular file/,
    ],
  ];
  for (const [what, file, text, said] of cases)
    it(`${file}: ${what}`, async () => {
      assert.match(await refusalOf(file, text || listed(join(folder, 'conf.d'))), said);
    });

  it('nginx.conf: in a file that is included itself, at its own line', async () => {
    write('conf.d/a.conf', '# one\n\n  include pipe;\n');
    assert.match(
      await refusalOf('nginx.conf', nginx('include conf.d/*.conf;')),
      /^HF003 conf\.d\/a\.conf:3:3 include: pipe is not a regular file/,
    );
  });

  it('nginx.conf: a file that is no text', async () => {
    write('conf.d/a.conf', Buffer.from([0xff, 0xfe, 0x00]));
    assert.match(
      await refusalOf('nginx.conf', nginx('include conf.d/*.conf;')),
      /^HF001 nginx\.conf:3:3 include: conf\.d\/a\.conf is not UTF-8/,
    );
  });
});

describe('files that include each other', () => {
  it('every file every file: ended early, at the line where it begins again', async () => {
    for (let number = 0; number < 40; number += 1) write(`${number}.inc`, 'include *.inc;\n');
    assert.match(
      await refusalOf('nginx.conf', nginx('include *.inc;')),
      /^HF\d{3} 0\.inc:1:1 .*0\.inc includes itself/,
    );
  });

  it('a tree that doubles at each depth: ended early, and said why', async () => {
    for (let depth = 0; depth < 15; depth += 1)
      write(
        `${depth}.inc`,
        depth === 14 ? '# deep\n' : `include ${depth + 1}.inc;\ninclude ${depth + 1}.inc;\n`,
      );
    assert.match(
      await refusalOf('nginx.conf', nginx('include 0.inc;')),
      /^HF\d{3} \d+\.inc:[12]:1 .*more than 2000 files are included/,
    );
  });

  it('a file that is included from many places is no mistake', async () => {
    write('headers.inc', 'add_header a b;\n');
    const servers = Array.from(
      { length: 300 },
      (_, n) => `server { listen ${8000 + n}; include headers.inc; }`,
    );
    const read = await readLocally(write('nginx.conf', nginx(servers.join('\n'))));
    assert.deepEqual(
      read.diagnostics.filter(({ severity }) => severity === 'error'),
      [],
    );
    assert.equal(read.site?.listeners.length, 300);
  });
});
