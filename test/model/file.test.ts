import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdtemp, open, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Failure } from '#base';
import { filesAround, readSiteFile } from '#model';
import { validText } from './site.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-file-'));
  await chmod(folder, 0o755);
});
after(() => rm(folder, { recursive: true, force: true }));

function refused(code: string, words: RegExp) {
  return (error: unknown) => error instanceof Failure && error.code === code && words.test(error.message);
}

test('a site file is read with its folder; a symbolic link counts as where it leads', async () => {
  const file = join(folder, 'site.yaml');
  await writeFile(file, validText);
  await symlink(file, join(folder, 'link.yaml'));
  assert.deepEqual(await readSiteFile(file), { file, folder, text: validText });
  assert.equal((await readSiteFile(join(folder, 'link.yaml'))).folder, folder);
});

test('what is no readable text file is refused, and why', async () => {
  await assert.rejects(readSiteFile(join(folder, 'none.yaml')), refused('HF003', /there is no such file/));
  await assert.rejects(readSiteFile(folder), refused('HF003', /is a folder/));
  const pipe = join(folder, 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  await assert.rejects(readSiteFile(pipe), refused('HF003', /not a regular file/));
  const binary = join(folder, 'binary');
  await writeFile(binary, Buffer.from([0xff, 0xfe, 0x00]));
  await assert.rejects(readSiteFile(binary), refused('HF001', /not UTF-8/));
});

test('a file of 200 MB is refused without being read', async () => {
  const file = join(folder, 'large.yaml');
  const handle = await open(file, 'w');
  await handle.truncate(200_000_000);
  await handle.close();
  const memory = process.memoryUsage().rss;
  await assert.rejects(readSiteFile(file), refused('HF002', /200000000 bytes, expected at most 4194304/));
  assert(process.memoryUsage().rss - memory < 50_000_000);
});

test('a file that grows while it is read is never read as if it were whole', async () => {
  const file = join(folder, 'growing.yaml');
  const base = '#'.repeat(3_000_000);
  let seen = 0;
  for (let round = 0; round < 500 && seen === 0; round++) {
    await writeFile(file, base);
    const reading = readSiteFile(file).then(
      ({ text }) => text.length,
      (error: unknown) => {
        assert(refused('HF004', /changed while it was read/)(error), String(error));
        return -1;
      },
    );
    const writing = appendFile(file, 'more');
    const [length] = await Promise.all([reading, writing]);
    assert([-1, base.length, base.length + 4].includes(length), `${length}`);
    if (length === -1) seen++;
  }
  assert(seen > 0, 'no round met a change in the middle');
});

test('a file that is replaced while it is read is told', async () => {
  const file = join(folder, 'replaced.yaml');
  let seen = 0;
  for (let round = 0; round < 500 && seen === 0; round++) {
    await writeFile(file, '#'.repeat(4_000_000));
    await writeFile(join(folder, 'next'), '#'.repeat(4_000_000));
    const reading = readSiteFile(file).then(
      () => 0,
      (error: unknown) => {
        assert(refused('HF004', /changed/)(error), String(error));
        return 1;
      },
    );
    const [told] = await Promise.all([reading, rename(join(folder, 'next'), file)]);
    seen += told;
  }
  assert(seen > 0, 'no round met a replacement in the middle');
});

test('what a text asks for is read only where it is a regular file: a device has no end, a pipe no writer', async () => {
  const around = filesAround({ folder });
  await writeFile(join(folder, 'list'), '/a\n\u00ff\n', 'latin1');
  await promisify(execFile)('mkfifo', [join(folder, 'asked')]);
  assert.equal(around.read('list'), '/a\n\u00ff\n');
  assert.match(around.read('/proc/self/status') ?? '', /^Name:/);
  for (const path of ['/dev/zero', '/dev/stdin', 'asked', '.', 'none'])
    assert.equal(around.read(path), null, path);
});
