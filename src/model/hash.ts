import { createHash } from 'node:crypto';
import type { Site } from './site.ts';

/**
 * SHA-256, in hex, of what a site means: the same for two texts that differ in layout, comments and spelled-out defaults
 * only. `certificates`: what the files hold that it names, by path (`readCertificates`): a renewed one makes another site.
 */
export function siteHash(site: Site, certificates: Readonly<Record<string, string>> = {}): string {
  const meaning = hashes.get(site) ?? meaningHash(site);
  hashes.set(site, meaning);
  const contents = Object.entries(certificates).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return contents.length === 0
    ? meaning
    : sha256(JSON.stringify([meaning, ...contents.map(([path, content]) => [path, sha256(content)])]));
}

const hashes = new WeakMap<Site, string>();

function meaningHash(site: Site): string {
  const own = site.own && { ...site.own, file: '' };
  return sha256(meaningOf({ ...site, own }));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** JSON with keys in order and without the places where parts were written. */
export function meaningOf(part: unknown): string {
  return JSON.stringify(part, (key, value: unknown) => {
    if (key === 'place') return undefined;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
