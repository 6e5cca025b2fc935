/** What a policy file states, held against small texts; and requests as they are typed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { askedRequest, checkExpectations, checkPolicies, mustReadPolicies } from '#plan';
import type { meaning } from '#routing';
import { asked, front, haproxy, tls } from './texts.ts';

describe('cases that a file states', () => {
  const text = front(`  http-request redirect location https://shop.example/ code 301 if { path /to }
  http-request deny deny_status 404 if { path /none }
  http-request reject if { path /shut }
  use_backend api if { path_beg /api }`);
  const failed = (outcome: string, path = '/') => {
    const said = `expect:\n  - request: GET http://shop.example${path}\n    ${outcome}\n`;
    return checkExpectations(text, mustReadPolicies(said, 'policy.yaml').expect).map(({ held, message }) => {
      assert.equal(held, message === '');
      return message;
    })[0];
  };
  for (const [outcome, path, message] of [
    ['pool: web', '/', ''],
    ['pool: [api, web]', '/', ''],
    ['pool: api', '/', /^expected pool api, got pool web \(.*\); a\.cfg:8 took it: default_backend web$/],
    [
      'pool: [api, empty]',
      '/to',
      /^expected pool api or empty, got redirect 301 to https:\/\/shop\.example\/; /,
    ],
    ['redirect: { to: https://shop.example/ }', '/to', ''],
    ['redirect: { to: https://shop.example/, status: 301 }', '/to', ''],
    [
      'redirect: { to: https://shop.example/, status: 302 }',
      '/to',
      /^expected a redirect 302 to https:\/\/shop\.example\/, got redirect 301/,
    ],
    [
      'redirect: { to: https://else.example/ }',
      '/to',
      /^expected a redirect to https:\/\/else\.example\/, got/,
    ],
    ['redirect: { to: https://shop.example/ }', '/', /^expected a redirect to .*, got pool web/],
    ['answer: 404', '/none', ''],
    ['answer: 403', '/none', /^expected answer 403, got answer 404; a\.cfg:5 took it/],
    ['answer: 404', '/', /^expected answer 404, got pool web/],
    ['reject: true', '/shut', ''],
    ['reject: true', '/', /^expected a closed connection, got pool web/],
    ['pool: web', '/shut', /^expected pool web, got connection closed without an answer/],
  ] as const)
    it(`${outcome} of ${path} ${message === '' ? 'holds' : 'does not'}`, () => {
      if (message === '') assert.equal(failed(outcome, path), '');
      else assert.match(failed(outcome, path) ?? '', message);
    });

  it('says that nobody listens, that no rule took it, and on what it depends', () => {
    const [held] = checkExpectations(
      text,
      mustReadPolicies('expect:\n  - request: GET https://a.test/\n    pool: web\n', 'p').expect,
    );
    assert.match(held?.message ?? '', /; nobody listens there$/);
    const bare = haproxy('listen l\n  mode http\n  bind :80\n  server s 10.0.0.1:80\n');
    const of = (one: meaning.Meaning, pool: string) =>
      checkExpectations(
        one,
        mustReadPolicies(`expect:\n  - request: GET http://a.test/\n    pool: ${pool}\n`, 'p').expect,
      )[0]?.message ?? '';
    assert.match(of(bare, 'web'), /; no rule took it, so the default did$/);
    const busy = front('  use_backend api if { nbsrv(web) lt 1 }');
    assert.match(
      of(busy, 'web'),
      /got pool (?:api|web) .* or pool (?:api|web) .*, which the text alone does not say/,
    );
    assert.equal(of(busy, '[web, api]'), '');
  });
});

describe('a request as it is typed', () => {
  const text = front('', tls);
  it('has what is said, and what is usual', () => {
    const one = asked('post https://Shop.example:444/a?b=c', text, ['X-A:  one ', 'Cookie: a=b']);
    assert.deepEqual(
      [one.method, one.scheme, one.host, one.port, one.path, one.query],
      ['POST', 'https', 'Shop.example:444', 444, '/a', 'b=c'],
    );
    assert.deepEqual(one.headers, { 'x-a': 'one', cookie: 'a=b' });
    const plain = asked('http://shop.example', text);
    assert.deepEqual([plain.method, plain.port, plain.path, plain.query], ['GET', 80, '/', null]);
    assert.equal(asked('https://shop.example/', text).port, 443);
    assert.equal(asked('GET http:///', text).host, null);
    const from = askedRequest({ request: 'GET http://a/', headers: [], from: '2001:db8::1' }, text);
    assert.equal(from.sourceAddress, '2001:db8::1');
  });

  for (const [what, request, headers, from, said] of [
    ['no URL', 'shop.example/a', [], null, /is not a request/],
    ['a fragment', 'GET http://a/#b', [], null, /is not a request/],
    ['no address', 'GET http://a/', [], 'here', /"here" is not an address/],
    ['a header without a colon', 'GET http://a/', ['X-A one'], null, /"X-A one" is not a header/],
    ['a header without a name', 'GET http://a/', [': one'], null, /is not a header/],
    ['a name with a space in it', 'GET http://a/', ['X A: one'], null, /is not a header/],
  ] as const)
    it(`${what} is none`, () => {
      assert.throws(() => askedRequest({ request, headers, from }, text), said);
    });
});

describe('a policy', () => {
  const text = front(
    `  use_backend api if { path_beg /api }
  http-request redirect scheme https if { hdr(host),field(1,:) -i safe.example }
  http-request redirect location http://safe.example/ if { hdr(host),field(1,:) -i odd.example }`,
    tls,
  );
  const broken = (rule: string, of = text) => {
    const [result] = checkPolicies(of, mustReadPolicies(`policies:\n  - { name: p, ${rule} }\n`, 'p.yaml'));
    assert.ok(result);
    assert.equal(result.held, result.message === '');
    assert.equal(result.witness === null, result.held || rule.includes('servers'));
    return result.message;
  };
  for (const [rule, message] of [
    ['https: true, requests: { hostnames: [safe.example] }', ''],
    [
      'https: true, requests: { hostnames: ["*.safe.example"] }',
      /^GET http:\/\/\S+\.safe\.example\/ gets pool/,
    ],
    ['https: true, requests: { hostnames: [odd.example] }', /gets redirect 302 to http:\/\/safe\.example\/$/],
    ['https: true, requests: { hostnames: [odd.example], scheme: https }', ''],
    ['always: [web], requests: { scheme: https }', ''],
    ['always: [web], requests: { methods: [POST] }', /^POST http:/],
    ['always: [web, api], requests: { hostnames: [a.test] }', ''],
    ['never: [api], requests: { path: { type: Exact, value: /a } }', ''],
    [
      'never: [api], requests: { path: { type: PathPrefix, value: /api } }',
      /^GET http:\S+\/api gets pool api/,
    ],
    ['never: [api], requests: { path: { type: RegularExpression, value: "/ap." } }', /\/api gets pool api/],
    ['never: [api], requests: { from: [10.0.0.0/8] }', / from 10\.\S+ gets pool api/],
    ['servers: { pool: web, min: 3 }', 'pool web has 2'],
    ['servers: { pool: [web, api], min: 1 }', ''],
  ] as const)
    it(`${rule}: ${message === '' ? 'holds' : 'does not'}`, () => {
      if (typeof message === 'string') assert.equal(broken(rule), message);
      else assert.match(broken(rule), message);
    });

  it('counts the servers that serve', () => {
    const of = (more: string) =>
      front('').pools.length &&
      haproxy(
        `listen web\n  mode http\n  bind :80\n  server a 10.0.0.1:80\n  server b 10.0.0.2:80 ${more}\n`,
      );
    for (const [more, message] of [
      ['', ''],
      ['backup', 'pool web has 1'],
      ['disabled', 'pool web has 1'],
    ] as const) {
      const lifted = of(more);
      assert.ok(lifted);
      assert.equal(broken('servers: { pool: web, min: 2 }', lifted), message);
    }
  });

  it('says what must be so for it to break, and never guesses', () => {
    const busy = front('  use_backend api if { nbsrv(web) lt 1 }');
    assert.match(broken('never: api', busy), /gets pool api \(.*\), if nbsrv\(web\).*: yes$/);
    const odd = front('  use_backend %[hdr(x-pool)]');
    assert.notEqual(broken('never: api', odd), '');
  });
});
