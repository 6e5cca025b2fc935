import { createHash } from 'node:crypto';
import type { JournalEntry } from '#events';

/** What stands before the first entry. */
export const genesisHash = '0'.repeat(64);

/** JSON with the keys of every object sorted, so that equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** SHA-256 in hex over the hash of the entry before and the canonical JSON of this one. */
export function chainHash(previousHash: string, entry: Omit<JournalEntry, 'hash'>): string {
  const { sequence, at, by, event } = entry;
  return createHash('sha256')
    .update(previousHash)
    .update(canonicalJson({ sequence, at, by, event }))
    .digest('hex');
}
