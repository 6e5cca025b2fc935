import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '#base';
import { checkCertificates, parseSite, pemFiles, revocationsEnd } from '#model';
import { authority, selfSigned } from '../world/certificate.ts';
import { changed } from './site.ts';

const dayMs = 24 * 60 * 60 * 1000;
const [staff, others] = [authority('staff'), authority('others')];
const anna = staff.sign('/CN=anna');
const shop = selfSigned('shop.example');

const text = changed(
  '"*:8080"',
  '"*:8443", tls: { certificates: [{ certificate: shop.pem, key: shop.key }], clientCertificates: { ca: ca.pem, crl: crl.pem } }',
);

async function told(crl: string | null, { ca = staff.cert, inDays = 0 } = {}): Promise<readonly string[]> {
  const { site } = parseSite(text, 'site.yaml', '/site');
  assert.ok(site);
  const files: Record<string, string | null> = {
    'shop.pem': shop.cert,
    'shop.key': shop.key,
    'ca.pem': ca,
    'crl.pem': crl,
  };
  const read = async (path: string) => {
    const found = files[path.replace('/site/', '')];
    if (found === null || found === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
    return found;
  };
  const all = await checkCertificates(site, read, Date.now() + inDays * dayMs);
  return all
    .filter(({ path }) => path?.endsWith('crl'))
    .map((one) => `${one.severity}: ${formatDiagnostic(one).split('.crl: ')[1]}`)
    .map((line) => line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d/, 'DAY'));
}

test('a list of every authority is accepted', async () => {
  assert.deepEqual(await told(staff.revoke([anna])), []);
  const both = staff.revoke([], 30) + others.revoke([anna], 30);
  assert.deepEqual(await told(both, { ca: staff.cert + others.cert }), []);
});

test('what is no list, and a list that is not there', async () => {
  assert.deepEqual(await told(null), [
    'error: expected revocation lists in /site/crl.pem, but there is no such file. Name a PEM file that the user who runs Holdfast can read',
  ]);
  for (const wrong of [
    staff.cert,
    '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n',
    staff.revoke([]).slice(0, 200),
  ])
    assert.match(
      (await told(wrong)).join(),
      /^error: expected revocation lists in \/site\/crl.pem, got something else/,
    );
});

test('a list that is over, or nearly, and one that has not begun', async () => {
  const list = staff.revoke([], 8);
  assert.deepEqual(await told(list, { inDays: 5 }), []);
  assert.match((await told(list, { inDays: 7 })).join(), /^warning: .* is to be renewed by DAY/);
  assert.match((await told(list, { inDays: 9 })).join(), /^error: .* should have been renewed by DAY/);
  assert.match((await told(list, { inDays: -1 })).join(), /^error: .* begins on DAY only/);
});

test('an authority that has no list is named', async () => {
  const [found, ...more] = await told(staff.revoke([]), { ca: staff.cert + others.cert });
  assert.match(found ?? '', /^warning: .* has no list of the authority CN=others/);
  assert.deepEqual(more, []);
});

test('the file is watched with the others, and its end is known', () => {
  const { site } = parseSite(text, 'site.yaml', '/site');
  assert.ok(site && pemFiles(site).authorities.includes('/site/crl.pem'));
  const end = revocationsEnd(others.revoke([], 9) + staff.revoke([anna], 3)) ?? 0;
  assert.equal(Math.round((end - Date.now()) / dayMs), 3);
  assert.equal(revocationsEnd(staff.cert), null);
});
