import { isIP } from 'node:net';
import { z } from 'zod';
import { access, forwarded, hsts } from './schema-access.ts';
import { fileName, list, name, text } from './schema-words.ts';
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
    address: listenerAddress.meta({
      description: 'Address and port; "*" stands for each balancer\'s own address',
    }),
    access: access.optional().meta({ description: 'Who may ask anything here; routes may be stricter' }),
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
        },
        'certificates',
      )
      .optional()
      .meta({ description: 'Serve HTTPS with these certificates; plain HTTP when left out' }),
  },
  'a listener: name, address',
);
