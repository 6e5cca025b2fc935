import { readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { baseFolders, sitePaths } from '#base';
import type { SiteText } from '#contract';
import { siteFile } from './places.ts';

/**
 * The text that runs, or ran, of the one site that was written in this file's folder. Null: none was, or several were. A machine
 * that boots finds it when somebody left the file half-written.
 */
export function keptBeside(path: string): SiteText | null {
  const folder = dirname(resolve(path));
  const kept = namesIn(baseFolders().state).flatMap((name) => keptOf(name) ?? []);
  const [one, more] = kept.filter(
    (text) => (text.dialect ?? 'site') === 'site' && resolve(text.folder) === folder,
  );
  return more ? null : (one ?? null);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function keptOf(name: string): SiteText | null {
  try {
    return JSON.parse(readFileSync(siteFile(sitePaths(name)), 'utf8')) as SiteText;
  } catch {
    return null;
  }
}
