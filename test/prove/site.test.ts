import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readSite } from '#dialects';
import { proveSite } from '#prove';
import { meaning } from '#routing';

const text = `site: shop
listeners:
  - { name: web, address: "*:8080" }
  - { name: safe, address: "*:8443", tls: { certificates: [{ certificate: /nowhere.pem, key: /nowhere.key }] } }
routes:
  - name: cart
    hostnames: [shop.example]
    matches: [{ path: { value: /cart } }]
    pool: cart
  - name: old
    matches: [{ path: { value: /old } }]
    redirect: { path: { replacePrefixMatch: /new }, statusCode: 301 }
  - name: rest
    pool: web
pools:
  - name: web
    healthCheck: { path: /health }
    servers: [10.0.0.1:80, 10.0.0.2:80]
  - name: cart
    servers: [10.0.0.3:80]
balancers:
  - { name: lb-1, engine: haproxy, address: 127.0.0.1 }
  - { name: lb-2, engine: nginx, address: 127.0.0.2 }
  - { name: lb-3, engine: builtin, address: 127.0.0.3 }
`;

describe('a site.yaml on a stage', () => {
  test('every engine that it names does with every witness what was foretold', async () => {
    const { site, diagnostics } = readSite({ file: 'site.yaml', folder: '/', text });
    assert.ok(site, JSON.stringify(diagnostics));
    const witnesses = [
      { port: 8080 },
      { port: 8080, path: '/cart/1', host: 'shop.example' },
      { port: 8080, path: '/cart', host: 'other.example' },
      { port: 8080, path: '/old/x' },
      { port: 8443, scheme: 'https', path: '/cart', host: 'shop.example' } as const,
    ].map((said) => meaning.requestOf(said));
    const proofs = await proveSite(site, witnesses);
    assert.deepEqual(
      proofs.map(({ engine }) => engine?.split(' ')[0]),
      ['haproxy', 'nginx', 'builtin'],
    );
    for (const proof of proofs)
      assert.deepEqual(
        proof.outcomes.map(({ kind }) => kind),
        witnesses.map(() => 'proven'),
        JSON.stringify(proof, null, 1),
      );
  });
});
