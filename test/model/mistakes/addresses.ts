import { changed } from '../site.ts';
import type { Mistake } from './mistake.ts';

/** Addresses, listeners, servers and TLS. */
export const addressMistakes: readonly Mistake[] = [
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
];
