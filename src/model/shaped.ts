import type { z } from 'zod';
import { plainPool } from './plain-pool.ts';
import { partSchemas, partsMax, type SiteDocument, siteSchema } from './schema.ts';

/** What a schema says of a value, once: several checks ask of the same pool with a thousand servers. */
export function remembered<S extends z.ZodType>(
  schema: S,
  plainly: (value: object) => z.output<S> | null = () => null,
): (value: unknown) => z.ZodSafeParseResult<z.output<S>> {
  const known = new WeakMap<object, z.ZodSafeParseResult<z.output<S>>>();
  return (value) => {
    if (typeof value !== 'object' || value === null) return schema.safeParse(value);
    const before = known.get(value);
    if (before) return before;
    const plain = plainly(value);
    const read = plain === null ? schema.safeParse(value) : { success: true as const, data: plain };
    known.set(value, read);
    return read;
  };
}

/** Parts of a site by themselves, whatever the rest of the file is like. */
export const shaped = {
  listeners: remembered(partSchemas.listeners),
  routes: remembered(partSchemas.routes),
  pools: remembered(partSchemas.pools, plainPool),
  balancers: remembered(partSchemas.balancers),
} as const;

type Whole = z.ZodSafeParseResult<SiteDocument>;
type Parts = Pick<SiteDocument, keyof typeof shaped>;

/** A whole site, as `siteSchema` reads it: of parts that are right nothing is read twice. */
export const readWhole = remembered(siteSchema, (value) => {
  const parts = partsIn(value);
  if (parts === null) return null;
  const firsts = Object.fromEntries(
    Object.keys(shaped).map((section) => [section, listIn(value, section).slice(0, 1)]),
  );
  const { data }: Whole = siteSchema.safeParse({ ...value, ...firsts });
  return data ? { ...data, ...parts } : null;
});

/** Null: something is wrong with one of them, or they are too many. */
function partsIn(value: object): Parts | null {
  const [listeners, routes] = [goodIn(value, 'listeners'), goodIn(value, 'routes')];
  const [pools, balancers] = [goodIn(value, 'pools'), goodIn(value, 'balancers')];
  return listeners && routes && pools && balancers ? { listeners, routes, pools, balancers } : null;
}

function goodIn<S extends keyof Parts>(value: object, section: S): Parts[S] | null {
  const all = listIn(value, section);
  if (all.length > partsMax[section]) return null;
  const good: unknown[] = [];
  for (const item of all) {
    const { data } = shaped[section](item);
    if (!data) return null;
    good.push(data);
  }
  return good as Parts[S];
}

function listIn(value: object, section: string): readonly unknown[] {
  const list = (value as Readonly<Record<string, unknown>>)[section];
  return Array.isArray(list) ? list : [];
}
