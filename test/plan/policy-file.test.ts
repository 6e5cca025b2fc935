import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatDiagnostic } from '#base';
import { isPolicyFile, readPolicies } from '#plan';

const good = `text: haproxy.cfg
expect:
  - request: GET https://shop.example/cart?x=1
    headers: { Cookie: a=b }
    from: 10.1.2.3
    pool: web
  - request: GET http://shop.example/
    redirect: { to: https://shop.example/, status: 301 }
  - request: GET http://shop.example/none
    answer: 404
policies:
  - name: payments stay where they are
    requests: { hostnames: [shop.example], path: { value: /pay } }
    always: [pay, pay-old]
  - name: nobody reaches the admin from outside
    requests: { path: { value: /admin }, from: [0.0.0.0/0] }
    never: admin
  - name: everything over TLS
    requests: { hostnames: ["*.shop.example"] }
    https: true
  - name: two servers at least
    servers: { pool: web, min: 2 }
`;

describe('a policy file', () => {
  it('says cases and policies', () => {
    const { policies, diagnostics } = readPolicies(good, 'policy.yaml');
    assert.deepEqual(diagnostics, []);
    assert.equal(policies?.text, 'haproxy.cfg');
    assert.deepEqual(
      policies?.expect.map(({ outcome, place }) => [outcome, place.line]),
      [
        [{ kind: 'pool', pools: ['web'] }, 3],
        [{ kind: 'redirect', to: 'https://shop.example/', status: 301 }, 7],
        [{ kind: 'answer', status: 404 }, 9],
      ],
    );
    assert.deepEqual(
      policies?.policies.map(({ rule }) => rule.kind),
      ['always', 'never', 'https', 'servers'],
    );
    assert.ok(isPolicyFile(good));
    assert.ok(!isPolicyFile('site: shop\nlisteners: []\n'));
  });

  for (const [what, change, said] of [
    ['an unknown key', (t: string) => t.replace('always:', 'alway:'), /policy\.yaml:14:5 .*"alway".*always/],
    [
      'a request that is none',
      (t: string) => t.replace('GET http://shop.example/none', 'shop.example/none'),
      /policy\.yaml:9:14 .*a method and a URL/,
    ],
    [
      'two outcomes',
      (t: string) => t.replace('answer: 404', 'answer: 404\n    pool: web'),
      /:9:5 .*exactly one of pool/,
    ],
    ['no outcome', (t: string) => t.replace('    answer: 404\n', ''), /:9:5 .*exactly one of pool/],
    ['no rule', (t: string) => t.replace('    never: admin\n', ''), /exactly one of always, never/],
    ['no YAML', () => 'expect: [', /HF001/],
  ] as const)
    it(`${what}: said with its place`, () => {
      const { policies, diagnostics } = readPolicies(change(good), 'policy.yaml');
      assert.equal(policies, null);
      assert.match(diagnostics.map(formatDiagnostic).join('\n'), said);
    });
});
