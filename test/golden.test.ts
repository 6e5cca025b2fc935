import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatDiagnostic } from '#base';
import { dialects, type Placement, unsupportedBy } from '#dialects';
import { haproxyEngine, nginxEngine } from '#engines';
import { parseSite, type Site } from '#model';
import { authority, selfSigned } from './world/certificate.ts';

/**
 * One folder a case: `site.yaml` and `placement.json` go in, and each dialect's text stands beside them under the name
 * of its file. `UPDATE_GOLDEN=1 node --test test/golden.test.ts` writes the texts anew; read the difference then.
 */
const root = join(import.meta.dirname, 'golden');
const cases = readdirSync(root);
const update = process.env.UPDATE_GOLDEN === '1';

function read(name: string): { readonly site: Site; readonly placement: Placement } {
  const { site, diagnostics } = parseSite(
    readFileSync(join(root, name, 'site.yaml'), 'utf8'),
    'site.yaml',
    '/site',
  );
  assert.ok(site, diagnostics.map(formatDiagnostic).join('\n'));
  return {
    site,
    placement: JSON.parse(readFileSync(join(root, name, 'placement.json'), 'utf8')) as Placement,
  };
}

test('there are cases', () => {
  assert.ok(cases.length >= 6);
});

for (const dialect of Object.values(dialects))
  describe(dialect.name, () => {
    for (const name of cases)
      test(name, () => {
        const { site, placement } = read(name);
        const refused = unsupportedBy(site, dialect.name);
        if (refused.length > 0) {
          assert.ok(!existsSync(join(root, name, dialect.fileName)), 'what it cannot say has no text');
          return;
        }
        const text = dialect.lower(site, placement);
        assert.equal(dialect.lower(site, placement), text, 'the same site and placement, the same text');
        const file = join(root, name, dialect.fileName);
        if (update) writeFileSync(file, text);
        assert.ok(existsSync(file), `${file} is missing: write it with UPDATE_GOLDEN=1`);
        assert.equal(text, readFileSync(file, 'utf8'));
      });
  });

test('HAProxy accepts every text of its dialect, without a warning', async () => {
  const binary = await haproxyEngine.find();
  assert.ok(binary, `HAProxy is not installed: ${haproxyEngine.install}`);
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  try {
    const { key, cert } = selfSigned();
    for (const bundle of ['shop', 'api']) writeFileSync(join(folder, `${bundle}.bundle.pem`), cert + key);
    writeFileSync(join(folder, 'crl.bundle.pem'), authority('partners').revoke([]));
    writeFileSync(join(folder, 'ticket.keys'), `${Buffer.alloc(48, 7).toString('base64')}\n`.repeat(3));
    for (const name of cases.filter((one) => existsSync(join(root, one, 'haproxy.cfg')))) {
      const text = readFileSync(join(root, name, 'haproxy.cfg'), 'utf8');
      const textFile = join(folder, `${name}.cfg`);
      writeFileSync(
        textFile,
        text
          .replaceAll('/run/holdfast/', `${folder}/`)
          // A check opens no socket, but looks at one that it was told to inherit.
          .replaceAll(/fd@\d+/g, `unix@${folder}/public.sock`)
          .replaceAll('web-3.internal', '127.0.0.1'),
      );
      const { accepted, output } = await haproxyEngine.check(binary, textFile, folder, null);
      assert.deepEqual(
        { name, accepted, output },
        { name, accepted: true, output: 'Configuration file is valid' },
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('NGINX accepts every text of its dialect, without a warning', async () => {
  const binary = await nginxEngine.find();
  assert.ok(binary, `NGINX is not installed: ${nginxEngine.install}`);
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;
  try {
    chmodSync(folder, 0o777);
    const { key, cert } = selfSigned();
    for (const bundle of ['shop', 'api']) writeFileSync(join(folder, `${bundle}.bundle.pem`), cert + key);
    writeFileSync(join(folder, 'crl.bundle.pem'), authority('partners').revoke([]));
    for (const number of [1, 2, 3])
      writeFileSync(join(folder, `ticket.keys.${number}`), Buffer.alloc(48, number));
    const texts = cases.filter((name) => existsSync(join(root, name, 'nginx.conf')));
    assert.ok(texts.length >= 6);
    for (const [index, name] of texts.entries()) {
      const own = join(folder, String(index));
      mkdirSync(own, { mode: 0o777 });
      chmodSync(own, 0o777);
      const text = readFileSync(join(root, name, 'nginx.conf'), 'utf8')
        .replaceAll(/\/run\/holdfast\/(?=\w+\.(?:bundle|keys))/g, `${folder}/`)
        .replaceAll(/\/run\/holdfast\/(?:\w+\/)*/g, `${own}/`)
        // A check opens the sockets that it is not lent.
        .replaceAll(
          /listen (?:10\.0\.0\.1|\[::\]):(\d+)( ssl(?: http2)?)? backlog=4096/g,
          `listen unix:${own}/$1.sock$2`,
        )
        .replaceAll('web-3.internal', '127.0.0.1');
      const textFile = join(own, 'nginx.conf');
      writeFileSync(textFile, text);
      const { accepted, output } = await nginxEngine.check(binary, textFile, own, nobody);
      assert.deepEqual({ name, accepted, output }, { name, accepted: true, output: '' });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
