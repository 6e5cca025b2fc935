import { z } from 'zod';
import type { BuiltinPool } from '#dialects';
import { algorithms, checkMethods, ejectionCauses, retryCauses } from '#model';

const text = z.string().min(1);
const milliseconds = z.int().min(1).max(86_400_000);
const atLeastOne = z.int().min(1);
const status = z.int().min(100).max(599);

/** Zod's part for `pools`: what `lower` writes, and nothing else. */
export const poolSchema = z.strictObject({
  name: text,
  algorithm: z.enum(algorithms),
  hashOn: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('path') }),
      z.strictObject({ kind: z.literal('header'), name: text }),
      z.strictObject({ kind: z.literal('cookie'), name: text }),
    ])
    .nullable(),
  stickyCookie: z
    .strictObject({
      name: text,
      httpOnly: z.boolean(),
      secure: z.boolean(),
      sameSite: z.enum(['Strict', 'Lax', 'None']).nullable(),
      maxAgeMs: milliseconds.nullable(),
      domain: text.nullable(),
    })
    .nullable(),
  healthCheck: z.strictObject({
    http: z
      .strictObject({
        method: z.enum(checkMethods),
        path: z.string().startsWith('/'),
        host: text.nullable(),
        headers: z.array(z.strictObject({ name: text, value: text })),
        expectStatus: z.array(z.strictObject({ from: status, to: status })).min(1),
        expectBody: text.nullable(),
        identity: z
          .strictObject({
            header: z.strictObject({ name: text, value: text }).exactOptional(),
            body: text.exactOptional(),
          })
          .exactOptional(),
      })
      .nullable(),
    port: z.int().min(1).max(65_535).nullable(),
    intervalMs: milliseconds,
    timeoutMs: milliseconds,
    rise: atLeastOne,
    fall: atLeastOne,
  }),
  ejection: z
    .strictObject({
      of: z.enum(ejectionCauses),
      errorsInARow: atLeastOne,
      serversShareMax: z.number().positive().exactOptional(),
    })
    .nullable(),
  circuitBreaker: z
    .strictObject({
      failuresShare: z.number().positive(),
      requests: atLeastOne,
      windowMs: milliseconds,
      openMs: milliseconds,
    })
    .exactOptional(),
  slowStartMs: milliseconds.nullable(),
  retries: z.strictObject({ max: z.int().min(0).max(10), on: z.array(z.enum(retryCauses)) }),
  compression: z
    .strictObject({ types: z.array(text).min(1), minBytes: atLeastOne.nullable() })
    .exactOptional(),
  queuedMax: atLeastOne.nullable(),
  timeouts: z.strictObject({
    connectMs: milliseconds,
    serverMs: milliseconds,
    firstByteMs: milliseconds.exactOptional(),
    queueMs: milliseconds,
    tunnelMs: milliseconds,
  }),
  tls: z
    .strictObject({ authorities: text.nullable(), certificate: text.nullable(), verify: z.boolean() })
    .nullable(),
  proxyProtocol: z.enum(['v1', 'v2']).nullable(),
  servers: z.array(
    z.strictObject({
      name: text,
      at: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('tcp'), host: text, port: z.int().min(0).max(65_535) }),
        z.strictObject({ kind: z.literal('unix'), path: text }),
      ]),
      weight: z.int().min(1).max(256),
      connectionsMax: atLeastOne.nullable(),
      tlsName: text.nullable(),
      spare: z.boolean(),
      knownDown: z.literal(true).exactOptional(),
    }),
  ),
}) satisfies z.ZodType<BuiltinPool>;
