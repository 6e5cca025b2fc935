import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type DiskCalls, labelOfFolder, systemDisk, writeDurably, writeFolderDurably } from '#base';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-durably-'));
  chmodSync(folder, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Does them, and says what it did; from number `killedAt` on nothing reaches the disk any more. */
function watched(killedAt = Number.POSITIVE_INFINITY): { disk: DiskCalls; said: string[] } {
  const said: string[] = [];
  const call =
    <A extends readonly string[]>(name: string, real: (...args: A) => void) =>
    (...args: A) => {
      if (said.length >= killedAt) throw new Error('killed');
      said.push([name, ...args].join(' ').replaceAll(`${folder}/`, '').replaceAll(folder, '.'));
      real(...args);
    };
  const disk: DiskCalls = {
    write: (path, content) => call('write', (one: string) => systemDisk.write(one, content))(path),
    sync: call('sync', systemDisk.sync),
    rename: call('rename', systemDisk.rename),
    symlink: call('symlink', systemDisk.symlink),
    link: call('link', systemDisk.link),
    remove: call('remove', systemDisk.remove),
  };
  return { disk, said };
}

const boot = () => join(folder, 'last-good');

/** A text, a certificate that it names, and a file that never changes. */
const version = (name: string) => ({
  label: name,
  fill: (path: string) => {
    mkdirSync(join(path, 'parts'), { recursive: true });
    writeFileSync(join(path, 'parts/part.conf'), `part of ${name}`);
    writeFileSync(join(path, 'a.pem'), `certificate of ${name}`);
    writeFileSync(join(path, 'same.http'), 'the same');
    writeFileSync(join(path, 'haproxy.cfg'), `text of ${name}`, { mode: 0o400 });
  },
});
const wholeOf = (name: string) => [
  `text of ${name}`,
  `certificate of ${name}`,
  'the same',
  `part of ${name}`,
];
const lies = () =>
  ['haproxy.cfg', 'a.pem', 'same.http', 'parts/part.conf'].map((name) =>
    readFileSync(join(boot(), name), 'utf8'),
  );

describe('a file that is written durably', () => {
  it('is on the disk before it takes the name, and the name before it returns', () => {
    const { disk, said } = watched();
    writeDurably(join(folder, 'good.json'), 'new', disk);
    assert.deepEqual(said, [
      'write good.json.new',
      'sync good.json.new',
      'rename good.json.new good.json',
      'sync .',
    ]);
  });

  it('is the old one or the new one, wherever it is broken off', () => {
    const path = join(folder, 'good.json');
    const seen = Array.from({ length: 5 }, (_, killedAt) => {
      writeDurably(path, 'old');
      try {
        writeDurably(path, 'new', watched(killedAt).disk);
      } catch {}
      return readFileSync(path, 'utf8');
    });
    assert.deepEqual(seen, ['old', 'old', 'old', 'new', 'new']);
  });

  it('on a disk that has room for a part only is the old one', () => {
    const path = join(folder, 'good.json');
    writeDurably(path, 'old');
    const full: DiskCalls = {
      ...systemDisk,
      write(to, content) {
        systemDisk.write(to, content.slice(0, 1));
        throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      },
    };
    assert.throws(() => writeDurably(path, 'new', full), { code: 'ENOSPC' });
    assert.equal(readFileSync(path, 'utf8'), 'old');
  });
});

describe('a folder that is written durably', () => {
  it('is on the disk, every file and folder of it, before its name leads there', () => {
    writeFolderDurably(boot(), version('old'));
    const { disk, said } = watched();
    writeFolderDurably(boot(), version('new'), disk);
    const fresh = 'last-good.2-new';
    const at = (what: string) => {
      const index = said.indexOf(what);
      assert.ok(index >= 0, `${what} is none of ${said.join(', ')}`);
      return index;
    };
    const taken = at('rename last-good.new last-good');
    for (const part of ['/parts/part.conf', '/a.pem', '/haproxy.cfg', '/parts', ''])
      assert.ok(at(`sync ${fresh}${part}`) < taken, part);
    assert.ok(at('sync .') < taken, 'the names of both');
    assert.equal(said[taken + 1], 'sync .', 'and then the name that leads there');
    assert.equal(at('link last-good/same.http last-good.2-new/same.http') < taken, true);
    assert.equal(said.includes(`sync ${fresh}/same.http`), false, 'what is as it was is on the disk');
    assert.deepEqual(lies(), wholeOf('new'));
    assert.deepEqual(readdirSync(folder).sort(), ['last-good', fresh], 'nothing is left of before');
    assert.equal(labelOfFolder(boot()), 'new');
    assert.equal(statSync(join(boot(), 'haproxy.cfg')).mode & 0o777, 0o400);
  });

  it('is whole, the old or the new, wherever it is broken off; the next one goes through', () => {
    const { disk, said } = watched();
    writeFolderDurably(boot(), version('old'));
    writeFolderDurably(boot(), version('new'), disk);
    const calls = said.length;
    const seen = new Set<string>();
    for (let killedAt = 0; killedAt < calls; killedAt += 1) {
      writeFolderDurably(boot(), version('old'));
      assert.throws(() => writeFolderDurably(boot(), version('new'), watched(killedAt).disk), /killed/);
      const [text = ''] = lies();
      const name = text.replace('text of ', '');
      assert.deepEqual(lies(), wholeOf(name), `broken off at call ${killedAt}`);
      assert.equal(labelOfFolder(boot()), name);
      seen.add(name);
      writeFolderDurably(boot(), version('next'));
      assert.deepEqual(lies(), wholeOf('next'));
      assert.equal(readdirSync(folder).length, 2, readdirSync(folder).join());
    }
    assert.deepEqual([...seen].sort(), ['new', 'old']);
  });

  it('stays as it was when what is to lie in it cannot be written', () => {
    writeFolderDurably(boot(), version('old'));
    const fill = (path: string) => {
      version('new').fill(path);
      throw new Error('no space left on device');
    };
    assert.throws(() => writeFolderDurably(boot(), { label: 'new', fill }), /no space/);
    assert.deepEqual(lies(), wholeOf('old'));
    assert.deepEqual(readdirSync(folder).sort(), ['last-good', 'last-good.1-old']);
  });

  it('takes the place of a plain folder of before', () => {
    version('old').fill(boot());
    assert.equal(labelOfFolder(boot()), null);
    writeFolderDurably(boot(), version('new'));
    assert.deepEqual(lies(), wholeOf('new'));
    assert.ok(lstatSync(boot()).isSymbolicLink());
    assert.deepEqual(readdirSync(folder).sort(), ['last-good', 'last-good.1-new']);
  });

  it('is whole after a kill -9 of who writes it again and again', async () => {
    writeFolderDurably(boot(), version('one'));
    const base = join(import.meta.dirname, '../../src/base/index.ts');
    const program = `
      import { mkdirSync, writeFileSync } from 'node:fs';
      import { writeFolderDurably } from ${JSON.stringify(base)};
      for (let turn = 0; ; turn += 1) {
        const name = turn % 2 ? 'one' : 'two';
        writeFolderDurably(${JSON.stringify(boot())}, { label: name, fill(path) {
          mkdirSync(path + '/parts', { recursive: true });
          writeFileSync(path + '/parts/part.conf', 'part of ' + name);
          writeFileSync(path + '/a.pem', 'certificate of ' + name);
          writeFileSync(path + '/same.http', 'the same');
          writeFileSync(path + '/haproxy.cfg', 'text of ' + name);
        } });
        if (turn === 3) process.stdout.write('goes');
      }`;
    for (let kill = 0; kill < 3; kill += 1) {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        await once(child.stdout, 'data');
      } finally {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      const [text = ''] = lies();
      assert.deepEqual(lies(), wholeOf(text.replace('text of ', '')));
    }
    writeFolderDurably(boot(), version('last'));
    assert.deepEqual([lies(), readdirSync(folder).length], [wholeOf('last'), 2]);
  });
});
