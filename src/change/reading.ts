import { createHash } from 'node:crypto';
import type { Diagnostic } from '#base';
import type { ApplyRequest, SiteText } from '#contract';
import { readSite, unsupportedUses } from '#dialects';
import {
  checkCertificates,
  isSpareTurn,
  readCertificates,
  type Site,
  type SiteDifference,
  siteDifference,
  siteHash,
  type WrittenText,
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

export async function readText(request: WrittenText, readFile: ReadFile, now: number): Promise<Reading> {
  const text = writtenOf(request);
  const { site, diagnostics } = readSite(text);
  if (!site) return { text: { ...text, hash: '' }, site: null, diagnostics };
  const more = [...unsupportedUses(site), ...(await checkCertificates(site, readFile, now))];
  const usable = !more.some(({ severity }) => severity === 'error');
  return {
    text: { ...text, hash: siteHash(site, await readCertificates(site, readFile)) },
    site: usable ? site : null,
    diagnostics: [...diagnostics, ...more],
  };
}

/** The same site with other certificates. */
export function isRenewal({ text, site }: Reading, before: { text: SiteText; site: Site }): boolean {
  return site !== null && text.hash !== before.text.hash && siteHash(site) === siteHash(before.site);
}

/** Spare servers come or go, as the running site's own settings let them: those were reviewed. */
export function isSpareTurnOf({ site }: Reading, before: { site: Site }, by: string): boolean {
  return by === 'controller' && site !== null && isSpareTurn(before.site, site);
}

/** What an approval is of: every character of the text and of what it includes, on the site that runs, whatever its certificates. */
export function bindingOf({ text }: Reading, running: Site): string {
  const exact = createHash('sha256')
    .update(JSON.stringify(writtenOf(text)))
    .digest('hex');
  return `${exact.slice(0, 32)} on ${siteHash(running).slice(0, 32)}`;
}

/** What is kept of a request: its text, and nothing else that it asks for. */
export function writtenOf(given: WrittenText): WrittenText {
  const { file, folder, text, dialect, includes, digests, site, balancer, policy } = given;
  return {
    file,
    folder,
    text,
    ...(dialect === undefined ? {} : { dialect }),
    ...(includes === undefined ? {} : { includes }),
    ...(digests === undefined ? {} : { digests }),
    ...(site === undefined ? {} : { site }),
    ...(balancer === undefined ? {} : { balancer }),
    ...(policy === undefined ? {} : { policy }),
  };
}

/** An own text says neither the site's name nor its balancer's: what runs says them. */
export function namedAs(current: SiteText, running: Site, request: ApplyRequest): ApplyRequest {
  if ((request.dialect ?? 'site') === 'site') return request;
  const balancer = current.balancer ?? running.balancers[0]?.name;
  const policy = request.policy ?? current.policy;
  return {
    ...request,
    site: running.name,
    ...(balancer === undefined ? {} : { balancer }),
    ...(policy === undefined ? {} : { policy }),
  };
}

const noDifference: SiteDifference = { serversAdded: [], serversRemoved: [], parts: [] };

export function differenceOf(before: Site, after: Site | null): SiteDifference {
  return after ? siteDifference(before, after) : noDifference;
}

/** `c7-9f2ab1`: counted, and told apart from the c7 of a journal that was begun anew. */
export function changeId(count: number, request: ApplyRequest, at: number): string {
  const mark = createHash('sha256').update(`${at} ${request.text}`).digest('hex').slice(0, 6);
  return `c${count}-${mark}`;
}
