import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { formatDiagnostic } from '#base';
import { checkCertificates, parseSite, readCertificateFile } from '#model';
import { changed } from './site.ts';

const run = promisify(execFile);
const dayMs = 24 * 60 * 60 * 1000;
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-certificates-'));
  await chmod(folder, 0o755);
  for (const name of ['a', 'b']) {
    const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)];
    const subject = ['-subj', '/CN=shop.example', '-days', '30'];
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      ...files,
      ...subject,
    ]);
  }
  await writeFile(join(folder, 'text.pem'), 'not a certificate\n');
  await writeFile(
    join(folder, 'broken.pem'),
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  );
});
after(() => rm(folder, { recursive: true, force: true }));

async function told(certificate: string, key: string, inDays = 0): Promise<readonly string[]> {
  const text = changed(
    '"*:8080"',
    `"*:8443", tls: { certificates: [{ certificate: ${certificate}, key: ${key} }] }`,
  );
  const { site } = parseSite(text, 'site.yaml', folder);
  assert(site);
  const diagnostics = await checkCertificates(site, readCertificateFile, Date.now() + inDays * dayMs);
  return diagnostics.map((d) =>
    formatDiagnostic(d)
      .replaceAll(`${folder}/`, '')
      .replace(/\d{4}-\d\d-\d\d/, 'DAY'),
  );
}

const path = 'HF018 site.yaml:3:60 listeners[0].tls.certificates[0]';
const pem = 'Name a PEM file that the user who runs Holdfast can read';

test('a certificate with its key is accepted', async () =>
  assert.deepEqual(await told('a.crt', 'a.key'), []));

test('a key of another certificate is refused, at the line that names them', async () => {
  assert.deepEqual(await told('a.crt', 'b.key'), [
    `${path}: the key b.key does not belong to the certificate a.crt. Name the key that the certificate was made for`,
  ]);
});

test('files that are missing or something else are all told', async () => {
  assert.deepEqual(await told('none.crt', 'text.pem'), [
    `${path}.certificate: expected a certificate in none.crt, but there is no such file. ${pem}`,
    `${path}.key: expected a private key in text.pem, got a file that is not PEM. ${pem}`,
  ]);
  assert.deepEqual(await told('broken.pem', 'a.crt'), [
    `${path}.certificate: expected a certificate in broken.pem, got something else. ${pem}`,
    `${path}.key: expected a private key in a.crt, got something else. ${pem}`,
  ]);
});

test('what is no ordinary file is refused, and nothing waits for it', { timeout: 5_000 }, async () => {
  await run('mkfifo', [join(folder, 'pipe.pem')]);
  await writeFile(join(folder, 'huge.pem'), '');
  await truncate(join(folder, 'huge.pem'), 200 * 1024 * 1024);
  assert.deepEqual(await told('pipe.pem', '/dev/zero'), [
    `${path}.certificate: expected a certificate in pipe.pem, got something that is not a regular file. ${pem}`,
    `${path}.key: expected a private key in /dev/zero, got something that is not a regular file. ${pem}`,
  ]);
  assert.deepEqual(await told('.', 'huge.pem'), [
    `${path}.certificate: expected a certificate in ${folder}, got something that is not a regular file. ${pem}`,
    `${path}.key: expected a private key in huge.pem, got 209715200 bytes, more than any PEM file has. ${pem}`,
  ]);
});

test('a certificate that ends soon is a warning, one that is not valid now an error', async () => {
  assert.deepEqual(await told('a.crt', 'a.key', 20), [
    `${path.replace(' listeners', ' warning: listeners')}.certificate: a.crt expires on DAY, in 9 days. Renew it`,
  ]);
  assert.deepEqual(await told('a.crt', 'a.key', 31), [`${path}.certificate: a.crt expired on DAY. Renew it`]);
  assert.deepEqual(await told('a.crt', 'a.key', -2), [
    `${path}.certificate: a.crt is valid from DAY only. Check the clock`,
  ]);
});
