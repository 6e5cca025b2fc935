import { createHash } from 'node:crypto';
import type { Diagnostic } from '#base';
import type { ApplyRequest, SiteText } from '#contract';
import { unsupportedUses } from '#dialects';
import {
  checkCertificates,
  parseSite,
  type Site,
  type SiteDifference,
  siteDifference,
  siteHash,
} from '#model';

/** A proposed text, read once: every gate judges the same bytes. */
export interface Reading {
  readonly text: SiteText;
  /** Null when the text is not a site: `diagnostics` say why. */
  readonly site: Site | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads a file of the site (a certificate, a key) as text; rejects when it cannot. */
export type ReadFile = (path: string) => Promise<string>;

export async function readText(
  request: Pick<ApplyRequest, 'file' | 'folder' | 'text'>,
  readFile: ReadFile,
  now: number,
): Promise<Reading> {
  const { file, folder, text } = request;
  const { site, diagnostics } = parseSite(text, file, folder);
  if (!site) return { text: { file, folder, text, hash: '' }, site: null, diagnostics };
  const more = [...unsupportedUses(site), ...(await checkCertificates(site, readFile, now))];
  const usable = !more.some(({ severity }) => severity === 'error');
  return {
    text: { file, folder, text, hash: siteHash(site) },
    site: usable ? site : null,
    diagnostics: [...diagnostics, ...more],
  };
}

export const noDifference: SiteDifference = { serversAdded: [], serversRemoved: [], parts: [] };

export function differenceOf(before: Site, after: Site | null): SiteDifference {
  return after ? siteDifference(before, after) : noDifference;
}

/** `c7-9f2ab1`: counted, and told apart from the c7 of a journal that was begun anew. */
export function changeId(count: number, request: ApplyRequest, at: number): string {
  const mark = createHash('sha256').update(`${at} ${request.text}`).digest('hex').slice(0, 6);
  return `c${count}-${mark}`;
}
