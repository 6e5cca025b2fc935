import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Diagnostic, Failure, formatDiagnostic } from '#base';
import type { SiteText } from '#contract';
import { readSite } from '#dialects';
import type { EngineName, Site } from '#model';

/** What was proven by traffic, now and before: survives reboots. */
export interface Good {
  readonly current: SiteText;
  readonly previous: SiteText | null;
  /** The change that made `current` of `previous`; null for the site that was first. */
  readonly change: string | null;
  /** `current` came of `previous` without a new generation, and goes back the same way. */
  readonly inPlace?: boolean;
  /** Another engine than the site's own runs it. Absent in files of before there was such a thing. */
  readonly carried?: Carried | null;
}

/** The guard's fourth rung: until a change brings the site back to its own engine. */
export interface Carried {
  /** Who carries it, and whose place that is. */
  readonly by: EngineName;
  readonly instead: EngineName;
  readonly since: number;
  readonly because: string;
}

export function loadGood(folder: string): Good | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'good.json'), 'utf8')) as Good;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function saveGood(folder: string, good: Good): void {
  writeDurably(join(folder, 'good.json'), JSON.stringify(good));
}

/** The whole file or the old one, also after a power cut. */
export function writeDurably(path: string, content: string): void {
  const fd = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** @throws Failure with every diagnostic when the text is not a site. */
export function siteOf(text: SiteText): Site {
  const { site, diagnostics } = parseSiteOrNull(text);
  if (!site) {
    const errors = diagnostics.filter((d) => d.severity === 'error');
    throw new Failure('HF011', errors.map(formatDiagnostic).join('\n'), '', errors);
  }
  return site;
}

export function parseSiteOrNull(text: SiteText): { site: Site | null; diagnostics: readonly Diagnostic[] } {
  return readSite(text);
}
