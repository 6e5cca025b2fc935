import { changed, validText } from '../site.ts';
import type { Mistake } from './mistake.ts';

/** Keys, values, names and what they refer to. */
export const keyMistakes: readonly Mistake[] = [
  {
    what: 'an unknown key',
    text: changed('servers: [10.0.0.3:80]', 'server: [10.0.0.3:80]'),
    told: [
      'HF012 site.yaml:9:5 pools[1].servers: missing, expected a list of servers',
      'HF010 site.yaml:9:18 pools[1].server: expected one of "name", "algorithm", "hash", "stickyCookie", "servers", "tls", "proxyProtocol", "healthCheck", "identity", "ejection", "slowStart", "retries" and 4 more, got "server". Did you mean "servers"?',
    ],
  },
  {
    what: 'wrong types',
    text: changed('servers: [10.0.0.3:80]', 'servers: 10.0.0.3:80'),
    told: ['HF011 site.yaml:9:27 pools[1].servers: expected a list of servers, got "10.0.0.3:80"'],
  },
  {
    what: 'a number where text is expected',
    text: changed('name: lb-1', 'name: 1'),
    told: [
      'HF011 site.yaml:11:13 balancers[0].name: expected a name of letters, digits, "-", "_" and ".", at most 64, beginning with a letter or digit, got the number 1. Put it in quotes: "1"',
    ],
  },
  {
    what: 'a value that is left out',
    text: changed('pool: web }', 'pool: }'),
    told: [
      'HF011 site.yaml:6:24 routes[1].pool: expected a name of letters, digits, "-", "_" and ".", at most 64, beginning with a letter or digit, got nothing',
    ],
  },
  {
    what: 'a missing section',
    text: changed('balancers:\n  - { name: lb-1, address: 127.0.0.1 }\n', ''),
    told: ['HF012 site.yaml:1:1 balancers: missing, expected a list of balancers'],
  },
  {
    what: 'an empty section',
    text: changed('  - { name: lb-1, address: 127.0.0.1 }\n', ''),
    told: ['HF011 site.yaml:10:11 balancers: expected a list of balancers, got nothing'],
  },
  {
    what: 'an empty list',
    text: changed('servers: [10.0.0.3:80]', 'servers: []'),
    told: ['HF013 site.yaml:9:27 pools[1].servers: expected a list of servers, 1 to 10000, got a list of 0'],
  },
  {
    what: 'an unknown pool',
    text: changed('pool: web }', 'pool: wbe }'),
    told: [
      'HF014 site.yaml:6:24 routes[1].pool: expected one of "web", "api", got "wbe". Did you mean "web"?',
    ],
  },
  {
    what: 'an unknown listener',
    text: changed('name: web, pool', 'name: web, listeners: [https], pool'),
    told: [
      'HF014 site.yaml:6:30 routes[1].listeners[0]: expected one of "http", got "https". Did you mean "http"?',
    ],
  },
  {
    what: 'a name twice',
    text: changed('name: api, servers', 'name: web, servers'),
    told: [
      'HF014 site.yaml:5:62 routes[0].pool: expected one of "web", got "api". Add the pool, or use one that exists',
      'HF015 site.yaml:9:13 pools[1].name: expected another name, "web" is taken on line 8',
    ],
  },
  {
    what: 'two routes for the same requests',
    text: changed(
      '  - { name: web, pool: web }',
      '  - { name: web, pool: web }\n  - { name: old, matches: [{ path: { value: /api/ } }], pool: web }',
    ),
    told: [
      'HF016 site.yaml:7:5 routes[2]: matches the same requests as routes[0] on line 5 (http: path prefix /api), which sends them to "api", and this one sends them to "web". Remove one, or make one more specific',
    ],
  },
  {
    what: 'a pool that nothing reaches',
    text: changed('pool: api }', 'pool: web }'),
    told: [
      'HF020 site.yaml:9:5 warning: pools[1]: no route reaches the pool "api". Remove it, or add a route to it',
    ],
  },
  {
    what: 'a reserved name',
    text: changed('name: lb-1', 'name: constructor'),
    told: [
      'HF013 site.yaml:11:13 balancers[0].name: expected another name: this one is reserved, got "constructor"',
    ],
  },
  {
    what: 'a name that would leave its folder',
    text: changed('site: shop', 'site: ..'),
    told: [
      'HF013 site.yaml:1:7 site: expected a name of letters, digits, "-", "_" and ".", at most 64, beginning with a letter or digit, got ".."',
    ],
  },
  {
    what: 'an unknown engine',
    text: changed('name: lb-1', 'name: lb-1, engine: haprxy'),
    told: [
      'HF013 site.yaml:11:27 balancers[0].engine: expected one of "haproxy", "builtin", "nginx", "auto", got "haprxy". Did you mean "haproxy"?',
    ],
  },
  {
    what: 'a header twice',
    text: changed('path: { value: /api }', 'headers: [{ name: X-A, value: a }, { name: x-a, value: b }]'),
    told: [
      'HF015 site.yaml:5:73 routes[0].matches[0].headers[1].name: expected another name, "x-a" is taken on line 5',
    ],
  },
  {
    what: 'a guard out of its ranges',
    text: `${validText}guard: { canary: { steps: [0.5, 0.2], step: 0s }, bake: 2 }\n`,
    told: [
      'HF013 site.yaml:12:27 guard.canary.steps: expected shares that rise, such as [0.05, 0.25, 0.5, 1], got a list of 2',
      'HF013 site.yaml:12:45 guard.canary.step: expected a duration from 1ms to 24h, such as 500ms, 2s or 1m, got "0s"',
      'HF011 site.yaml:12:57 guard.bake: expected a duration from 1ms to 24h, such as 500ms, 2s or 1m, got the number 2. Add the unit, such as 2s',
    ],
  },
  {
    what: 'a duration out of range',
    text: `${validText}guard: { bake: 25h }\n`,
    told: [
      'HF013 site.yaml:12:16 guard.bake: expected a duration from 1ms to 24h, such as 500ms, 2s or 1m, got "25h"',
    ],
  },
  {
    what: 'words of a pool that do not go together',
    text: changed(
      '{ name: api, servers: [10.0.0.3:80] }',
      '{ name: api, algorithm: hash, stickyCookie: { name: s, sameSite: None }, healthCheck: { host: a, expectBody: ok }, servers: [{ address: "10.0.0.3:80", spare: true }] }',
    ),
    told: [
      'HF022 site.yaml:9:29 pools[1].algorithm: expected "hash" beside it: what the hash is of. Add hash: { on: path }',
      'HF022 site.yaml:9:70 pools[1].stickyCookie.sameSite: browsers refuse a cookie with SameSite=None that is not secure. Add secure: true',
      'HF022 site.yaml:9:99 pools[1].healthCheck.host: means nothing without a path: a TCP connection is enough. Add path',
      'HF022 site.yaml:9:114 pools[1].healthCheck.expectBody: means nothing without a path: a TCP connection is enough. Add path',
      'HF022 site.yaml:9:129 pools[1].servers: expected a server that is no spare. Remove spare: true from one',
    ],
  },
  {
    what: 'an identity that nothing is asked for',
    text: changed(
      '{ name: api, servers: [10.0.0.3:80] }',
      '{ name: api, identity: { body: api }, servers: [10.0.0.3:80] }',
    ).replace(
      'name: web, servers',
      'name: web, healthCheck: { path: /, method: HEAD }, identity: { body: w }, servers',
    ),
    told: [
      'HF022 site.yaml:8:76 pools[0].identity.body: an answer to HEAD has no body. Remove it, or ask with GET',
      'HF022 site.yaml:9:28 pools[1].identity: is looked for in the answer to the health check, which asks nothing. Add healthCheck: { path }',
    ],
  },
  {
    what: 'a hash that is not used, or of nothing',
    text: changed(
      '{ name: api, servers: [10.0.0.3:80] }',
      '{ name: api, hash: { on: path }, servers: [10.0.0.3:80] }',
    ).replace('name: web, servers', 'name: web, algorithm: hash, hash: { on: header }, servers'),
    told: [
      'HF022 site.yaml:8:47 pools[0].hash.on: expected the name of the header beside it. Add name',
      'HF022 site.yaml:9:24 pools[1].hash: means nothing with the algorithm "roundrobin". Write algorithm: hash',
    ],
  },
  {
    what: 'statuses that are none',
    text: changed(
      'servers: [10.0.0.3:80]',
      'servers: [10.0.0.3:80], healthCheck: { path: /, expectStatus: [200, 299-200, 99] }',
    ),
    told: [
      'HF013 site.yaml:9:86 pools[1].healthCheck.expectStatus[1]: expected a range that rises, such as "200-399", got "299-200"',
      'HF013 site.yaml:9:95 pools[1].healthCheck.expectStatus[2]: expected a whole number from 100 to 599, got the number 99',
    ],
  },
  {
    what: 'a misspelt cause of a retry',
    text: changed('servers: [10.0.0.3:80]', 'servers: [10.0.0.3:80], retries: { on: [conect] }'),
    told: [
      'HF013 site.yaml:9:58 pools[1].retries.on[0]: expected one of "connect", "empty", "timeout", "5xx", got "conect". Did you mean "connect"?',
    ],
  },
];
