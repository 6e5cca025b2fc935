import { join } from 'node:path';
import { type Diagnostic, Failure, type Files, formatDiagnostic } from '#base';
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

export function loadGood(folder: string, files: Files): Good | null {
  try {
    return JSON.parse(files.read(join(folder, 'good.json'))) as Good;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

export function saveGood(folder: string, good: Good, files: Files): void {
  files.writeDurably(join(folder, 'good.json'), JSON.stringify(good));
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
