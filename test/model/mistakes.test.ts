import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from '#base';
import { parseSite } from '#model';
import { changed, linesOf, validText } from './site.ts';

/** What an operator got wrong, the file with it, and every line that is told. */
const mistakes: readonly {
  readonly what: string;
  readonly text: string;
  readonly told: readonly string[];
}[] = [
  {
    what: 'a text that is not YAML',
    text: 'site: [a, b\nlisteners: }',
    told: [
      'HF001 site.yaml:2:1 expected YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
      'HF001 site.yaml:2:12 expected YAML: Unexpected flow-map-end token in YAML stream: "}"',
    ],
  },
  {
    what: 'two documents',
    text: `${validText}---\n${validText}`,
    told: ['HF001 site.yaml:12:1 expected one document, got several. Remove what follows the second ---'],
  },
  {
    what: 'an empty file',
    text: '',
    told: ['HF011 site.yaml:1:1 expected a site: site, listeners, routes, pools, balancers, got nothing'],
  },
  {
    what: 'a list',
    text: '- a\n- b\n',
    told: ['HF011 site.yaml:1:1 expected a site: site, listeners, routes, pools, balancers, got a list of 2'],
  },
  {
    what: 'a tag',
    text: changed('site: shop', 'site: !!binary aGVsbG8='),
    told: ['HF001 site.yaml:1:7 expected YAML: Unresolved tag: tag:yaml.org,2002:binary'],
  },
  {
    what: 'an unknown key',
    text: changed('servers: [10.0.0.3:80]', 'server: [10.0.0.3:80]'),
    told: [
      'HF012 site.yaml:9:5 pools[1].servers: missing, expected a list of servers',
      'HF010 site.yaml:9:18 pools[1].server: expected one of "name", "algorithm", "hash", "stickyCookie", "servers", "tls", "proxyProtocol", "healthCheck", "ejection", "slowStart", "retries", "queuedMax" and 3 more, got "server". Did you mean "servers"?',
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
    what: 'a key twice',
    text: changed('site: shop', 'site: shop\nsite: shop'),
    told: ['HF015 site.yaml:2:1 site: expected each key once, got "site" again. Remove one'],
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
    what: 'two balancers on one address',
    text: changed(
      '  - { name: lb-1, address: 127.0.0.1 }',
      '  - { name: lb-1, address: 127.0.0.1 }\n  - { name: lb-2, address: 127.0.0.1 }',
    ),
    told: [
      'HF017 site.yaml:12:28 balancers[1].address: listener "http" of balancer "lb-2" would use 127.0.0.1:8080, which listener "http" of balancer "lb-1" has. Give each its own address or port',
    ],
  },
  {
    what: 'two listeners that overlap',
    text: changed(
      '  - { name: http, address: "*:8080" }',
      '  - { name: http, address: "*:8080" }\n  - { name: all, address: "0.0.0.0:8080" }',
    ),
    told: [
      'HF017 site.yaml:4:27 listeners[1].address: listener "all" of balancer "lb-1" would use 0.0.0.0:8080, which listener "http" of balancer "lb-1" has (127.0.0.1:8080). Give each its own address or port',
    ],
  },
  {
    what: 'a regular expression that is tried in more ways than anybody can wait for',
    text: changed('value: /api', 'type: RegularExpression, value: "/(?!x)(a+)+b"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected an expression that is decided in one pass over the value, got an assertion beside several repetitions. Write several matches, or repeat less',
    ],
  },
  {
    what: 'an unfinished regular expression',
    text: changed('value: /api', 'type: RegularExpression, value: "/(api"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got unterminated group',
    ],
  },
  {
    what: 'a POSIX class',
    text: changed('value: /api', 'type: RegularExpression, value: "/[[:alpha:]]+"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got lone quantifier brackets',
    ],
  },
  {
    what: 'an inline flag',
    text: changed('value: /api', 'type: RegularExpression, value: "(?i)/api"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got invalid group',
    ],
  },
  {
    what: 'an atomic group',
    text: changed('value: /api', 'type: RegularExpression, value: "/(?>a+)b"'),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got invalid group',
    ],
  },
  {
    what: 'an escape of one dialect only',
    text: changed('value: /api', "type: RegularExpression, value: '/\\h+'"),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected a regular expression, got invalid escape',
    ],
  },
  {
    what: 'a back reference',
    text: changed('value: /api', "type: RegularExpression, value: '/(a)\\1'"),
    told: [
      'HF019 site.yaml:5:70 routes[0].matches[0].path.value: expected what PCRE and JavaScript read alike, got the back reference \\1. Write the group again',
    ],
  },
  {
    what: 'a line break that would become a line of the engine',
    text: changed('value: /api', 'value: "/api\\nserver evil 10.0.0.9:80"'),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path without spaces and control characters, such as "/cart", got "/api\\nserver evil 10.0.0.9:80"',
    ],
  },
  {
    what: 'a space in a path',
    text: changed('value: /api', 'value: "/a pi"'),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path without spaces and control characters, such as "/cart", got "/a pi"',
    ],
  },
  {
    what: 'a quote in a path',
    text: changed('value: /api', "value: '/a\"pi'"),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path as it stands in a URL, got "/a\\"pi". Write "/a%22pi"',
    ],
  },
  {
    what: 'a path that does not begin with a slash',
    text: changed('value: /api', 'value: api'),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path that begins with "/", got "api". Write "/api"',
    ],
  },
  {
    what: 'a path that clients rewrite',
    text: changed('value: /api', 'value: /a/../b'),
    told: [
      'HF013 site.yaml:5:45 routes[0].matches[0].path.value: expected a path without "//", "/./" and "/../", got "/a/../b"',
    ],
  },
  {
    what: 'a bare star',
    text: changed('"*:8080"', '*:8080'),
    told: [
      'HF001 site.yaml:3:28 listeners[0].address: *:8080 is an alias of an anchor that does not exist. Text that begins with * needs quotes: "*:8080"',
    ],
  },
  {
    what: 'a port out of range',
    text: changed('"*:8080"', '"*:80800"'),
    told: [
      'HF013 site.yaml:3:28 listeners[0].address: expected an address and port such as "*:8080", "127.0.0.1:8080" or "[::1]:8080", got "*:80800"',
    ],
  },
  {
    what: 'a listener on a name',
    text: changed('"*:8080"', '"localhost:8080"'),
    told: [
      'HF013 site.yaml:3:28 listeners[0].address: expected an address and port such as "*:8080", "127.0.0.1:8080" or "[::1]:8080", got "localhost:8080"',
    ],
  },
  {
    what: 'an address that is none',
    text: changed('10.0.0.3:80', '10.0.0.300:80'),
    told: [
      'HF013 site.yaml:9:28 pools[1].servers[0]: expected a host and port such as "10.0.0.7:8080", "[::1]:8080" or "web-1.internal:8080", got "10.0.0.300:80"',
    ],
  },
  {
    what: 'a server without port',
    text: changed('10.0.0.3:80', '10.0.0.3'),
    told: [
      'HF013 site.yaml:9:28 pools[1].servers[0]: expected a host and port such as "10.0.0.7:8080", "[::1]:8080" or "web-1.internal:8080", got "10.0.0.3"',
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
    what: 'a merge key',
    text: changed('site: shop', 'site: shop\n<<: { a: 1 }'),
    told: [
      'HF010 site.yaml:2:1 <<: expected one of "site", "listeners", "routes", "pools", "balancers", "timeouts", "accessLog", "errorPages", "guard", got "<<"',
    ],
  },
  {
    what: 'a key of JavaScript',
    text: changed('site: shop', 'site: shop\n__proto__: { a: 1 }'),
    told: [
      'HF010 site.yaml:2:1 __proto__: expected one of "site", "listeners", "routes", "pools", "balancers", "timeouts", "accessLog", "errorPages", "guard", got "__proto__"',
    ],
  },
  {
    what: 'a value inside itself',
    text: 'site: &a [*a]\n',
    told: ['HF002 site.yaml:1:1 expected values that end, got an alias inside the very value it repeats'],
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
    what: 'an address twice in a pool',
    text: changed('10.0.0.2:80', '{ name: again, address: 10.0.0.1:80 }'),
    told: [
      'HF015 site.yaml:8:65 warning: pools[0].servers[1].address: the server on line 8 has the address 10.0.0.1:80 too, so it gets two shares. Give one server a weight instead',
    ],
  },
  {
    what: 'a server twice',
    text: changed('10.0.0.2:80', '10.0.0.1:80'),
    told: [
      'HF015 site.yaml:8:41 pools[0].servers[1].name: expected another name, "10.0.0.1-80" is taken on line 8',
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
    what: 'a query value that cannot stand in a URL',
    text: changed('path: { value: /api }', 'queryParams: [{ name: q, value: a&b }]'),
    told: [
      'HF013 site.yaml:5:62 routes[0].matches[0].queryParams[0].value: expected a value as it stands in a URL, got "a&b". Write "a%26b"',
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
    what: 'an alias bomb',
    text: `${Array.from(
      { length: 10 },
      (_, i) =>
        `k${i}: &a${i} [${
          i === 0
            ? '1'
            : Array(9)
                .fill(`*a${i - 1}`)
                .join(', ')
        }]`,
    ).join('\n')}\n`,
    told: ['HF002 site.yaml:1:1 expected at most 1000000 values with aliases in place, got more'],
  },
  {
    what: '101 aliases',
    text: `a: &a 1\nb: [${Array(101).fill('*a').join(', ')}]\n`,
    told: ['HF002 site.yaml:2:405 expected at most 100 aliases, got more'],
  },
  {
    what: '33 levels',
    text: `site: ${'['.repeat(33)}${']'.repeat(33)}\n`,
    told: ['HF002 site.yaml:1:38 expected at most 32 levels, got more'],
  },
  {
    what: '33 levels of blocks',
    text: `${'- '.repeat(33)}a\n`,
    told: ['HF002 site.yaml:1:65 expected at most 32 levels, got more'],
  },
  {
    what: 'more than 4 MiB',
    text: `${validText}#${' '.repeat(4 * 1024 * 1024)}\n`,
    told: ['HF002 site.yaml:1:1 expected at most 4194304 bytes, got more'],
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
  {
    what: 'TLS to servers that lacks a name, and half a certificate',
    text: changed(
      'servers: [10.0.0.3:80] }',
      'servers: [a.example:443, 10.0.0.3:443], tls: { certificate: a.pem } }',
    ),
    told: [
      'HF022 site.yaml:9:43 pools[1].servers[1]: expected tls.name: a certificate is for a name, and this server has an address only. Add the name that its certificate is for',
      'HF022 site.yaml:9:63 pools[1].tls: expected certificate and key together, got one of them',
    ],
  },
  {
    what: 'TLS to servers that are not checked',
    text: changed('servers: [10.0.0.3:80] }', 'servers: [10.0.0.3:443], tls: { ca: a.pem, verify: none } }'),
    told: [
      'HF022 site.yaml:9:54 pools[1].tls.ca: means nothing with verify: none. Remove one',
      'HF023 site.yaml:9:69 warning: pools[1].tls.verify: whoever answers at the address is believed. Name a ca instead',
    ],
  },
  {
    what: 'a listener of no address, and an access log that goes nowhere',
    text: `${changed('address: "*:8080"', 'address: ["*:8080", "8080"], proxyProtocol: { from: [] }')}accessLog: syslog:514\n`,
    told: [
      'HF013 site.yaml:3:39 listeners[0].address[1]: expected an address and port such as "*:8080", "127.0.0.1:8080" or "[::1]:8080", got "8080"',
      'HF013 site.yaml:3:71 listeners[0].proxyProtocol.from: expected a list of networks, 1 to 1000, got a list of 0',
      'HF013 site.yaml:12:12 accessLog: expected where to log: stdout, file:/PATH, syslog:HOST:PORT or syslog:/SOCKET, got "syslog:514"',
    ],
  },
  {
    what: 'everything at once',
    text: 'site: [1]\nlisteners: x\nrouts: []\n',
    told: [
      'HF012 site.yaml:1:1 routes: missing, expected a list of routes',
      'HF012 site.yaml:1:1 pools: missing, expected a list of pools',
      'HF012 site.yaml:1:1 balancers: missing, expected a list of balancers',
      'HF011 site.yaml:1:7 site: expected a name of letters, digits, "-", "_" and ".", at most 64, beginning with a letter or digit, got a list of 1',
      'HF011 site.yaml:2:12 listeners: expected a list of listeners, got "x"',
      'HF010 site.yaml:3:1 routs: expected one of "site", "listeners", "routes", "pools", "balancers", "timeouts", "accessLog", "errorPages", "guard", got "routs". Did you mean "routes"?',
    ],
  },
];

for (const { what, text, told } of mistakes) {
  test(`${what} is told with its place and the remedy`, () => assert.deepEqual(linesOf(text), told));
}

test('the table holds every mistake of a site file that the catalogue names', () => {
  // What is wrong with the file as such, with the files that it names, or for one engine only.
  const elsewhere = ['HF003', 'HF004', 'HF005', 'HF018', 'HF021', 'HF024', 'HF025', 'HF030', 'HF031'];
  const wanted = Object.keys(catalogue).filter((code) => code.startsWith('HF0') && !elsewhere.includes(code));
  const told = new Set(mistakes.flatMap(({ told: lines }) => lines.map((line) => line.slice(0, 5))));
  assert.deepEqual(
    wanted.filter((code) => !told.has(code)),
    [],
  );
});

test('a valid site has no diagnostics, and one with an error has no site', () => {
  assert.deepEqual(linesOf(validText), []);
  assert.equal(parseSite(changed('pool: web }', 'pool: wbe }'), 'site.yaml', '/').site, null);
});

test('a warning does not keep a site from being used', () => {
  const { site, diagnostics } = parseSite(changed('pool: api }', 'pool: web }'), 'site.yaml', '/');
  assert.deepEqual(
    diagnostics.map((d) => [d.code, d.severity]),
    [['HF020', 'warning']],
  );
  assert(site);
});
