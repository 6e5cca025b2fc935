import type { z } from 'zod';
import { partSchemas } from './schema.ts';

/** What a schema says of a value, once: several checks ask of the same pool with a thousand servers. */
export function remembered<S extends z.ZodType>(
  schema: S,
): (value: unknown) => z.ZodSafeParseResult<z.output<S>> {
  const known = new WeakMap<object, z.ZodSafeParseResult<z.output<S>>>();
  return (value) => {
    if (typeof value !== 'object' || value === null) return schema.safeParse(value);
    const read = known.get(value) ?? schema.safeParse(value);
    known.set(value, read);
    return read;
  };
}

/** Parts of a site by themselves, whatever the rest of the file is like. */
export const shaped = {
  listeners: remembered(partSchemas.listeners),
  routes: remembered(partSchemas.routes),
  pools: remembered(partSchemas.pools),
  balancers: remembered(partSchemas.balancers),
} as const;
