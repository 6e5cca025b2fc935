import { z } from 'zod';
import { matchSchema } from './schema-routes.ts';
import { hostname, list, text } from './schema-words.ts';

/** What the owner of a site states about it: the same in a site file and in a policy file. docs/policies.md says what it means. */
const word = text('a name', /^[\x21-\x7e][\x20-\x7e]{0,127}$/);
const sentence = text('what it is for, in one line', /^\P{Cc}{1,256}$/u);
const status = z.int('a status').min(100, 'a status of 100 to 599').max(599, 'a status of 100 to 599');
const pools = z.union([word, list(word, 'names of pools', 1, 100)], 'a name of a pool, or several');
const network = text('an address or a network, such as 10.0.0.0/8', /^[0-9a-fA-F.:]{2,45}(?:\/\d{1,3})?$/);

const requests = z
  .strictObject(
    {
      hostnames: list(hostname, 'host names', 0, 1_000).optional(),
      path: matchSchema.shape.path,
      methods: list(text('a method', /^[A-Z-]{1,32}$/), 'methods', 0, 16).optional(),
      scheme: z.enum(['http', 'https'], 'one of').optional(),
      from: list(network, 'networks of clients', 0, 1_000).optional(),
    },
    'which requests: any of hostnames, path, methods, scheme, from',
  )
  .optional();

const expectation = z.strictObject(
  {
    request: text(
      'a method and a URL: "GET https://shop.example/cart"',
      /^[A-Z]{1,32} https?:\/\/[\x21-\x7e]{1,4096}$/,
    ),
    headers: z.record(z.string(), z.string('a value of a header'), 'headers').default({}),
    from: network.optional(),
    pool: pools.optional(),
    redirect: z.strictObject({ to: word, status: status.optional() }, 'a redirect: to, status').optional(),
    answer: status.optional(),
    reject: z.literal(true, 'true').optional(),
  },
  'a case: request, and what becomes of it',
);

const policy = z.strictObject(
  {
    name: sentence,
    requests,
    always: pools.optional(),
    never: pools.optional(),
    https: z.literal(true, 'true').optional(),
    servers: z
      .strictObject({ pool: pools, min: z.int('a number').min(1, 'at least 1') }, 'pool and min')
      .optional(),
    approvals: z.int('a number').min(1, 'at least 1').max(10, 'at most 10').optional(),
    risk: z.enum(['low', 'medium', 'high'], 'one of').optional(),
  },
  'a policy: name, requests, and one of always, never, https, servers, approvals',
);

export const expectations = list(expectation, 'a list of cases', 0, 10_000);
export const policies = list(policy, 'a list of policies', 0, 1_000);
