import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed, linesOf } from './site.ts';

/** What an operator got wrong in a listener or in what all share, the file with it, and every line that is told. */
const mistakes: readonly {
  readonly what: string;
  readonly text: string;
  readonly told: readonly string[];
}[] = [
  {
    what: 'client certificates without the authorities that sign them, and half-asked for',
    text: changed(
      '"*:8080" }',
      '"*:8443", tls: { certificates: [{ certificate: a.pem, key: a.key }], clientCertificates: { verify: maybe } } }',
    ),
    told: [
      'HF012 site.yaml:3:117 listeners[0].tls.clientCertificates.ca: missing, expected the name of a file, at most 1024 characters, without control characters',
      'HF013 site.yaml:3:127 listeners[0].tls.clientCertificates.verify: expected one of "required", "optional", got "maybe"',
    ],
  },
  {
    what: 'time-outs of a route that say nothing, or where no server is asked, and one without its unit',
    text: changed(
      '  - { name: web, pool: web }',
      `  - { name: web, pool: web, timeouts: {} }
  - { name: gone, hostnames: [a], answer: { statusCode: 410 }, timeouts: { server: 5s } }
  - { name: long, hostnames: [b], pool: web, timeouts: { server: 300 } }`,
    ),
    told: [
      'HF012 site.yaml:6:39 routes[1].timeouts: missing, expected server, tunnel or request',
      'HF013 site.yaml:7:64 routes[2].timeouts: expected "timeouts" only beside "pool" or "pools": no server is asked. Remove it',
      'HF011 site.yaml:8:66 routes[3].timeouts.server: expected a duration from 1ms to 24h, such as 500ms, 2s or 1m, got the number 300. Add the unit, such as 300ms',
    ],
  },
  {
    what: 'copies for a pool that is not there, of no request, and where no server is asked',
    text: changed(
      '  - { name: web, pool: web }',
      `  - { name: web, pool: web, mirror: { pool: wbe, percent: 0 } }
  - { name: gone, hostnames: [a], answer: { statusCode: 410 }, mirror: { pool: web } }`,
    ),
    told: [
      'HF014 site.yaml:6:45 routes[1].mirror.pool: expected one of "web", "api", got "wbe". Did you mean "web"?',
      'HF013 site.yaml:6:59 routes[1].mirror.percent: expected a number from 0.01 to 100, got the number 0',
      'HF013 site.yaml:7:64 routes[2].mirror: expected "mirror" only beside "pool" or "pools": no server is asked. Remove it',
    ],
  },
  {
    what: 'compression of no media type, and from a size without its unit',
    text: changed(
      '{ name: web, servers',
      '{ name: web, compression: { types: [html], minSize: 1000 }, servers',
    ),
    told: [
      'HF013 site.yaml:8:41 pools[0].compression.types[0]: expected a media type such as "text/html", got "html"',
      'HF011 site.yaml:8:57 pools[0].compression.minSize: expected a size up to 1024GiB, such as 512KiB or 10MiB, got the number 1000',
    ],
  },
  {
    what: 'a circuit breaker that opens at no failure, and an ejection of more than all',
    text: changed(
      '{ name: web, servers',
      '{ name: web, circuitBreaker: { failures: 0, open: 5 }, ejection: { serversShareMax: 2 }, servers',
    ),
    told: [
      'HF013 site.yaml:8:46 pools[0].circuitBreaker.failures: expected a share above 0 and up to 1, such as 0.25, got the number 0',
      'HF011 site.yaml:8:55 pools[0].circuitBreaker.open: expected a duration from 1ms to 24h, such as 500ms, 2s or 1m, got the number 5. Add the unit, such as 5s',
      'HF013 site.yaml:8:89 pools[0].ejection.serversShareMax: expected a share above 0 and up to 1, such as 0.25, got the number 2',
    ],
  },
];

for (const { what, text, told } of mistakes) test(what, () => assert.deepEqual(linesOf(text), told));
