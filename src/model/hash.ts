import { createHash } from 'node:crypto';
import type { Site } from './site.ts';

/** SHA-256, in hex, of what a site means: the same for two texts that differ in layout, comments and spelled-out defaults only. */
export function siteHash(site: Site): string {
  const own = site.own && { ...site.own, file: '' };
  return createHash('sha256')
    .update(meaningOf({ ...site, own }))
    .digest('hex');
}

/** JSON with keys in order and without the places where parts were written. */
export function meaningOf(part: unknown): string {
  return JSON.stringify(part, (key, value: unknown) => {
    if (key === 'place') return undefined;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
