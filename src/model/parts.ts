import { buildBalancer, buildListeners, buildRoute } from './build.ts';
import { buildPool } from './build-pools.ts';
import type { Pool } from './pool.ts';
import type { partSchemas } from './schema.ts';
import { shaped } from './shaped.ts';
import type { Balancer, Listener, Route } from './site.ts';
import type { SourceText } from './yaml.ts';

export type Section = keyof typeof partSchemas;

/** A part of the right shape, with its index in the file. */
export interface Indexed<T> {
  readonly index: number;
  readonly part: T;
}

export interface Parts {
  readonly listeners: readonly Indexed<Listener>[];
  readonly routes: readonly Indexed<Route>[];
  readonly pools: readonly Indexed<Pool>[];
  readonly balancers: readonly Indexed<Balancer>[];
}

/** Every part whose own shape is right, whatever the rest of the file is like. */
export function partsOf(source: SourceText): Parts {
  const { placeOf } = source;
  const good = <S extends Section, T>(section: S, build: (item: unknown, index: number) => T | null) =>
    sectionOf(source, section).flatMap((item, index) => {
      const part = build(item, index);
      return part === null ? [] : [{ index, part }];
    });
  return {
    listeners: sectionOf(source, 'listeners').flatMap((item, index) => {
      const { data } = shaped.listeners(item);
      return data ? buildListeners(data, index, '/', placeOf).map((part) => ({ index, part })) : [];
    }),
    routes: good('routes', (item, i) => {
      const { data } = shaped.routes(item);
      return data ? buildRoute(data, i, placeOf, (name) => name) : null;
    }),
    pools: good('pools', (item, i) => {
      const { data } = shaped.pools(item);
      return data ? buildPool(data, i, '/', placeOf) : null;
    }),
    balancers: good('balancers', (item, i) => {
      const { data } = shaped.balancers(item);
      return data ? buildBalancer(data, i, placeOf) : null;
    }),
  };
}

const sectionItemsMax = 10_000;

export function sectionOf(source: SourceText, section: Section): readonly unknown[] {
  return listOf(source.value, section);
}

/** Names as they stand in the file, also of parts whose shape is wrong: what refers to them is not a second mistake. */
export function namesOf(source: SourceText, section: Section): readonly (string | null)[] {
  return sectionOf(source, section).map((item) => textOf(item, 'name'));
}

/** A value inside something whose shape nobody has looked at. */
export function valueIn(item: unknown, key: string): unknown {
  if (item === null || typeof item !== 'object') return undefined;
  return (item as Readonly<Record<string, unknown>>)[key];
}

export function textOf(item: unknown, key: string): string | null {
  const value = valueIn(item, key);
  return typeof value === 'string' ? value : null;
}

export function listOf(item: unknown, key: string): readonly unknown[] {
  const value = valueIn(item, key);
  return Array.isArray(value) ? value.slice(0, sectionItemsMax) : [];
}
