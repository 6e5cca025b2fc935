import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { Failure } from '#base';
import { type LiftFiles, liftOwn, meaningOfSite, readSite } from '#dialects';
import type { TextDialect, WrittenText } from '#model';
import type { PlannedMeaning } from '#plan';
import { filesOf } from './own-text.ts';
import { readWritten } from './site-text.ts';

const fileBytesMax = 64 * 1024 * 1024;

/** A file as `plan` and `explain` read it, whether its engine would take it or not. @throws Failure HF002, HF003, HF004, HF005; with every mistake of a site.yaml that is none */
export async function readMeaning(file: string, dialect?: TextDialect): Promise<PlannedMeaning> {
  return meaningOfWritten(await readWritten(file, dialect), file);
}

/** @throws Failure with every mistake of a site.yaml that is none. */
export function meaningOfWritten(text: WrittenText, called: string): PlannedMeaning {
  const { dialect = 'site' } = text;
  if (dialect !== 'site')
    return { file: called, dialect, meaning: liftOwn(text, dialect, filesAround(text)) };
  const { site, diagnostics } = readSite(text);
  if (!site) {
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    throw new Failure(errors[0]?.code ?? 'HF011', `${called} is not a site`, '', diagnostics);
  }
  return { file: called, dialect, meaning: meaningOfSite(site) };
}

/** What the text was read with comes first: it may have run on another day. */
function filesAround({ folder, includes = [] }: WrittenText): LiftFiles {
  const known = new Map(includes.map(({ path, text }) => [path, text]));
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(folder, path));
  return {
    find: (pattern) => filesOf(absolute(pattern)),
    read: (path) => known.get(absolute(path)) ?? readSmall(absolute(path)),
    environment: (name) => process.env[name] ?? null,
  };
}

function readSmall(path: string): string | null {
  try {
    const { size } = statSync(path);
    return size > fileBytesMax ? null : readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
