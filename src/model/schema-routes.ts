import { z } from 'zod';
import { accessKeys, actionKeys, filterKeys } from './schema-actions.ts';
import { hostname, list, name, text } from './schema-words.ts';

const valueTypes = z.enum(['Exact', 'RegularExpression'], 'one of').default('Exact');

const matchValue = text(
  'text of 1 to 1024 printable ASCII characters, with no space at either end',
  /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/,
);

const headerMatch = z.strictObject(
  {
    name: text('the name of a header', /^[A-Za-z0-9!$%&*+.^_|~-]{1,256}$/).refine(
      (word) => word.toLowerCase() !== 'host',
      'another header: requests are told apart by Host with "hostnames"',
    ),
    type: valueTypes.meta({ description: 'Exact, or RegularExpression, which must match the whole value' }),
    value: matchValue,
  },
  'a header to match: name, value',
);

const queryMatch = z.strictObject(
  {
    name: text(
      'the name of a query parameter, as it stands in the URL',
      /^[A-Za-z0-9._~!$()*+,;:@/%[\]-]{1,256}$/,
    ),
    type: valueTypes.meta({ description: 'Exact, or RegularExpression, which must match the whole value' }),
    value: matchValue.meta({ description: 'As it stands in the URL: percent signs are not decoded' }),
  },
  'a query parameter to match: name, value',
);

const pathTypes = ['Exact', 'PathPrefix', 'RegularExpression'] as const;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

export const matchSchema = z.strictObject(
  {
    path: z
      .strictObject(
        {
          type: z.enum(pathTypes, 'one of').default('PathPrefix').meta({
            description:
              'PathPrefix matches whole segments: /foo, /foo/ and /foo/x, not /foobar. RegularExpression must match the whole path',
          }),
          value: text(
            'a path without spaces and control characters, such as "/cart"',
            /^[\x21-\x7e]{1,1024}$/,
          ).default('/'),
        },
        'a path to match: type, value',
      )
      .optional(),
    method: z.enum(methods, 'one of').optional(),
    headers: list(headerMatch, 'a list of headers to match', 0, 16).default([]),
    queryParams: list(queryMatch, 'a list of query parameters to match', 0, 16).default([]),
  },
  'a match: any of path, method, headers, queryParams',
);

export const route = z.strictObject(
  {
    name: name.optional().meta({ description: 'What reports call it; route-1, route-2 when left out' }),
    listeners: list(name, 'a list of names of listeners', 0, 100)
      .default([])
      .meta({ description: 'Names of listeners; every listener that speaks HTTP when left out' }),
    hostnames: list(hostname, 'a list of host names', 0, 100).default([]).meta({
      description: '"shop.example", or "*.shop.example" for one label or more; every host when left out',
    }),
    matches: list(matchSchema, 'a list of matches', 0, 64)
      .default([])
      .meta({ description: 'One of these must hold, with all that it names; every request when left out' }),
    ...actionKeys,
    ...filterKeys,
    ...accessKeys,
  },
  'a route: hostnames, matches, pool',
);
