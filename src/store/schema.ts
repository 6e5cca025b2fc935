import type { DatabaseSync } from 'node:sqlite';
import { Failure } from '#base';

/** Each is applied once, in order, and never changed afterwards. */
const migrations: readonly { readonly version: number; readonly sql: string }[] = [
  {
    version: 1,
    sql: `create table entries (
            sequence integer primary key,
            at integer not null,
            "by" text not null,
            event text not null,
            hash text not null
          ) strict`,
  },
];

/** Version 0: nothing there yet. */
export function schemaVersion(database: DatabaseSync): number {
  const known = database
    .prepare("select count(*) as tables from sqlite_schema where name = 'migrations' and type = 'table'")
    .get();
  if (known?.tables === 0) return 0;
  const row = database.prepare('select max(version) as version from migrations').get();
  return Number(row?.version ?? 0);
}

/** Throws HF202 when a newer Holdfast wrote it: then nothing was touched. */
export function requireKnownVersion(version: number, path: string): void {
  const newest = Math.max(...migrations.map((m) => m.version));
  if (version <= newest) return;
  throw new Failure(
    'HF202',
    `${path} has schema version ${version}; this Holdfast knows versions up to ${newest}`,
    'A newer Holdfast wrote it: run that one',
  );
}

export function migrate(database: DatabaseSync, now: number, path: string): void {
  const version = schemaVersion(database);
  requireKnownVersion(version, path);
  for (const migration of migrations.filter((m) => m.version > version)) {
    database.exec('begin immediate');
    database.exec(
      'create table if not exists migrations (version integer primary key, at integer not null) strict',
    );
    database.exec(migration.sql);
    database
      .prepare('insert into migrations (version, at) values (?, ?)')
      .run(migration.version, Math.round(now));
    database.exec('commit');
  }
}
