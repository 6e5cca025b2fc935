import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed, linesOf } from './site.ts';

/** What an operator got wrong in a route or in who may ask, the file with it, and every line that is told. */
const mistakes: readonly {
  readonly what: string;
  readonly text: string;
  readonly told: readonly string[];
}[] = [
  {
    what: 'a route that says nothing of who answers',
    text: changed('  - { name: web, pool: web }', '  - { name: web }'),
    told: [
      'HF012 site.yaml:6:5 routes[1]: missing, expected one of "pool", "pools", "redirect", "answer": what gives the answer',
    ],
  },
  {
    what: 'a route with two answers, and one with a rewrite of what no server sees',
    text: changed(
      '  - { name: web, pool: web }',
      '  - { name: web, pool: web, redirect: { scheme: https } }\n  - { name: old, hostnames: [a], answer: { statusCode: 200 }, rewrite: { hostname: b } }',
    ),
    told: [
      'HF013 site.yaml:6:29 routes[1].redirect: expected one answer for a request, got "pool" and "redirect". Remove one',
      'HF013 site.yaml:7:63 routes[2].rewrite: expected "rewrite" only beside "pool" or "pools": no server is asked. Name headers of the answer with answer.headers',
    ],
  },
  {
    what: 'weights that nothing has, for pools that are named twice or not there',
    text: changed(
      'pool: web }',
      'pools: [{ pool: web, weight: 0 }, { pool: web, weight: 0 }, { pool: wbe, weight: 0 }] }',
    ),
    told: [
      'HF013 site.yaml:6:25 routes[1].pools: expected at least one weight above 0: nothing would answer',
      'HF015 site.yaml:6:60 routes[1].pools[1].pool: "web" is named twice. Add its weights',
      'HF014 site.yaml:6:86 routes[1].pools[2].pool: expected one of "web", "api", got "wbe". Did you mean "web"?',
    ],
  },
  {
    what: 'a prefix replaced where none is matched, a redirect to itself, an answer without a body that has one',
    text: changed(
      '  - { name: web, pool: web }',
      `  - { name: web, pool: web }
  - { name: a, matches: [{ path: { type: Exact, value: /a } }], redirect: { path: { replacePrefixMatch: /b } } }
  - { name: b, matches: [{ path: { value: /b } }], redirect: { statusCode: 301 } }
  - { name: c, matches: [{ path: { value: /c } }], answer: { statusCode: 204, body: x } }`,
    ),
    told: [
      'HF013 site.yaml:7:83 routes[2].redirect.path: expected matches of type PathPrefix only, got Exact: no prefix is matched there. Use replaceFullPath, or two routes',
      'HF012 site.yaml:8:62 routes[3].redirect: missing, expected one of scheme, hostname, port, path: it would redirect to itself',
      'HF013 site.yaml:9:85 routes[4].answer.body: expected no body, an answer 204 has none. Remove it',
    ],
  },
  {
    what: 'headers that belong to one connection, and a misspelt word of a redirect',
    text: changed(
      'pool: web }',
      'pool: web, requestHeaders: { remove: [Connection, Host] } }\n  - { name: r, hostnames: [r], redirect: { schema: https } }',
    ),
    told: [
      'HF013 site.yaml:6:56 routes[1].requestHeaders.remove[0]: expected a header that does not frame the message, got "Connection"',
      'HF013 site.yaml:6:68 routes[1].requestHeaders.remove[1]: expected another header: Host is changed with rewrite.hostname, got "Host"',
      'HF010 site.yaml:7:44 routes[2].redirect.schema: expected one of "scheme", "hostname", "port", "path", "statusCode", got "schema". Did you mean "scheme"?',
    ],
  },
  {
    what: 'limits of access that are none, or cannot be kept',
    text: changed(
      'pool: web }',
      `pool: web, access: { allow: [10.0.0.0/33, 10.0.0.300], rate: { requests: 5, per: 10 }, bodyMax: 10MB } }
  - { name: a, hostnames: [a], pool: web, access: {} }
  - { name: b, hostnames: [b], pool: web, access: { basicAuth: { users: [{ name: anna, passwordHash: $2y$10$abc }] } } }`,
    ),
    told: [
      'HF013 site.yaml:6:47 routes[1].access.allow[0]: expected an address or network such as 10.0.0.7, 10.0.0.0/8 or "2001:db8::/32", got "10.0.0.0/33"',
      'HF013 site.yaml:6:60 routes[1].access.allow[1]: expected an address or network such as 10.0.0.7, 10.0.0.0/8 or "2001:db8::/32", got "10.0.0.300"',
      'HF011 site.yaml:6:99 routes[1].access.rate.per: expected a duration from 1s to 1h, such as 10s or 1m, got the number 10. Add the unit, such as 10s',
      'HF013 site.yaml:6:114 routes[1].access.bodyMax: expected a size up to 1024GiB, such as 512KiB or 10MiB, got "10MB"',
      'HF012 site.yaml:7:51 routes[2].access: missing, expected one of deny, allow, rate, basicAuth, bodyMax',
      'HF013 site.yaml:8:102 routes[3].access.basicAuth.users[0].passwordHash: expected a hash of SHA-crypt ("$6$..." or "$5$...", at most 100000 rounds), as `openssl passwd -6` prints it, got "$2y$10$abc"',
    ],
  },
  {
    what: 'listeners that trust nobody, or everybody, and HSTS without TLS',
    text: changed(
      '  - { name: http, address: "*:8080" }',
      `  - { name: http, address: "*:8080", hsts: {}, forwarded: { policy: append } }
  - { name: b, address: "*:8081", forwarded: { trusted: [10.0.0.1] } }
  - { name: c, address: "*:8082", forwarded: { policy: off, also: [Forwarded] } }`,
    ),
    told: [
      'HF013 site.yaml:3:44 listeners[0].hsts: expected only beside "tls": browsers heed it over TLS only. Add tls, or remove it',
      'HF013 site.yaml:3:59 listeners[0].forwarded: expected "trusted" beside append: anybody could say anything. Name the proxies in front',
      'HF013 site.yaml:4:57 listeners[1].forwarded.trusted: expected only beside append, got "replace". Remove it',
      'HF013 site.yaml:5:67 listeners[2].forwarded.also: expected nothing beside off. Remove it',
    ],
  },
  {
    what: 'a regular expression that takes too many states',
    text: changed('value: /api', 'type: RegularExpression, value: "/.*a.{20}"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected an expression that is decided in one pass over the value, got one that takes too many states. Write several matches, or repeat less',
    ],
  },
];

for (const { what, text, told } of mistakes)
  test(`${what}: told with place and remedy`, () => assert.deepEqual(linesOf(text), told));
