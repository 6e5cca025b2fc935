import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { formatDiagnostic } from '#base';
import {
  certificateFacts,
  checkCertificates,
  parseSite,
  readCertificateFile,
  readCertificates,
  siteHash,
} from '#model';
import { changed } from './site.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-chain-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });

const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'];
openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca');
openssl('req', ...ec.slice(0, 5), '-keyout', 'key.pem', '-out', 'a.csr', '-subj', '/CN=shop.example');
writeFileSync(at('names'), 'subjectAltName=DNS:shop.example,DNS:*.shop.example\n');
openssl(
  ...['x509', '-req', '-in', 'a.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
  ...['-days', '30', '-extfile', 'names', '-out', 'leaf.pem'],
);
const [leaf, ca] = [readFileSync(at('leaf.pem'), 'utf8'), readFileSync(at('ca.pem'), 'utf8')];

function siteWith(hostnames: string) {
  const text = changed(
    '"*:8080"',
    '"*:8443", tls: { certificates: [{ certificate: cert.pem, key: key.pem }] }',
  ).replace('routes:\n', `routes:\n  - { name: named, hostnames: [${hostnames}], pool: web }\n`);
  const { site, diagnostics } = parseSite(text, 'site.yaml', folder);
  assert(site, JSON.stringify(diagnostics));
  return site;
}

async function told(pem: string, hostnames = 'shop.example'): Promise<string[]> {
  writeFileSync(at('cert.pem'), pem);
  const found = await checkCertificates(siteWith(hostnames), readCertificateFile);
  return found.map((d) => `${d.severity} ${formatDiagnostic(d)}`.replaceAll(`${folder}/`, ''));
}

test('each certificate of a file is issued by the one behind it', async () => {
  assert.deepEqual(await told(leaf + ca), []);
  assert.match(
    (await told(leaf + leaf)).join(),
    /certificate 1 of cert\.pem is not issued by the one behind/,
  );
});

test('the order that a key belongs to is the right one', async () =>
  assert.match(
    (await told(ca + leaf)).join('\n'),
    /key\.pem does not belong[\s\S]*certificate 1 of cert\.pem/,
  ));

test('a file that was written to its half only is refused', async () => {
  const half = (leaf + ca).slice(0, leaf.length + ca.length / 2);
  assert.match((await told(half)).join(), /error .*breaks off in the middle of a certificate/);
});

test('a name that no certificate of the listener is for is a warning, at its route', async () => {
  assert.deepEqual(await told(leaf, 'shop.example, "*.shop.example"'), []);
  const [only, ...more] = await told(leaf, 'shop.example, other.example');
  assert.deepEqual(more, []);
  assert.match(
    only ?? '',
    /^warning .*HF018 site\.yaml:\d+:\d+ .*no certificate of this listener is for other/,
  );
});

test('facts for people; and a renewed certificate makes another site', async () => {
  assert.deepEqual(certificateFacts(leaf)?.names, ['shop.example', '*.shop.example']);
  assert.equal(certificateFacts('nothing'), null);
  const site = siteWith('shop.example');
  const hash = async (pem: string) => {
    writeFileSync(at('cert.pem'), pem);
    return siteHash(site, await readCertificates(site, readCertificateFile));
  };
  assert.equal(await hash(leaf), await hash(leaf));
  assert.notEqual(await hash(leaf), await hash(leaf + ca));
  assert.notEqual(await hash(leaf), siteHash(site));
});
