import { isIP } from 'node:net';
import { z } from 'zod';
import { access, forwarded, hsts, network } from './schema-access.ts';
import { fileName, list, name, optionalDuration, text, wholeNumber, yesOrNo } from './schema-words.ts';
import { listenerProtocols, tlsVersions } from './site.ts';
import { parseAddress } from './words.ts';

const listenerAddress = text(
  'an address and port such as "*:8080", "127.0.0.1:8080" or "[::1]:8080"',
  /^\S{1,100}$/,
).refine((word) => {
  const address = parseAddress(word);
  return address !== null && (address.host === '*' || isIP(address.host) > 0);
}, 'an address and port such as "*:8080", "127.0.0.1:8080" or "[::1]:8080"');

export const listener = z.strictObject(
  {
    name: name.meta({ description: 'What routes and reports call it' }),
    address: z
      .union([listenerAddress, list(listenerAddress, 'a list of addresses', 1, 16)])
      .meta({ description: 'Address and port, or several; "*" stands for each balancer\'s own address' }),
    protocol: z.enum(listenerProtocols, 'one of').default('HTTP').meta({
      description:
        'HTTP (HTTPS with tls); TCP: connections are passed on as they are; TLS: passed on as they are too, to the pool of the name that the client asks for',
    }),
    access: access.optional().meta({ description: 'Who may ask anything here; routes may be stricter' }),
    connectionsMax: wholeNumber(1, 1_000_000).optional().meta({
      description: 'Connections at once, with TCP and TLS; more are closed',
    }),
    connectionsPerClientMax: wholeNumber(1, 1_000_000).optional().meta({
      description: 'Of one client (an IPv4 address, a /64 of IPv6), with TCP and TLS; more are closed',
    }),
    inspectTimeout: optionalDuration().meta({
      description: 'How long a client may take to say whom it wants, with TLS; 5s when left out',
    }),
    forwarded: forwarded.prefault({}).meta({ description: 'What servers are told about the client' }),
    hsts: hsts.optional().meta({ description: 'Strict-Transport-Security in every answer; with tls' }),
    tls: z
      .strictObject(
        {
          certificates: list(
            z.strictObject(
              {
                certificate: fileName.meta({
                  description: 'PEM file with the certificate and its chain, relative to this file',
                }),
                key: fileName.meta({ description: 'PEM file with the private key, relative to this file' }),
              },
              'a certificate and its key, each the name of a PEM file',
            ),
            'a list of certificates',
            1,
            100,
          ),
          minVersion: z.enum(tlsVersions, 'one of').default('1.2').meta({
            description: 'The oldest version of TLS that clients may speak, in quotes',
          }),
          http2: yesOrNo(true).meta({ description: 'Offered to clients, beside HTTP/1.1' }),
          clientCertificates: z
            .strictObject(
              {
                verify: z.enum(['required', 'optional'], 'one of').default('required').meta({
                  description: 'optional: who shows none is served too; a wrong one is refused in any case',
                }),
                ca: fileName.meta({
                  description: 'PEM file with the authorities that sign them, relative to this file',
                }),
                crl: fileName.optional().meta({
                  description:
                    'PEM file with a revocation list of each of these authorities; nobody is revoked when left out',
                }),
              },
              'certificates of clients: verify, ca, crl',
            )
            .optional()
            .meta({ description: 'Clients show a certificate; servers are told whose it is' }),
        },
        'certificates, minVersion, http2, clientCertificates',
      )
      .optional()
      .meta({ description: 'Serve HTTPS with these certificates; plain HTTP when left out' }),
    proxyProtocol: z
      .strictObject({ from: list(network, 'a list of networks', 1, 1000) }, 'the networks that send it: from')
      .optional()
      .meta({ description: 'Connections from these networks begin with the PROXY protocol; others do not' }),
  },
  'a listener: name, address',
);
