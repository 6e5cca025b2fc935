import type { Place } from '#base';
import type { AccessPart } from './schema-access.ts';
import type { PlacedAccess } from './site.ts';
import { parseBytes, parseDurationMs } from './words.ts';

/** `owner` is the listener or route whose limit it is. */
export function buildAccess(part: AccessPart | undefined, owner: string, place: Place): PlacedAccess | null {
  if (part === undefined) return null;
  const { deny, allow, rate, basicAuth, bodyMax } = part;
  return {
    deny,
    allow,
    rate: rate ? { name: owner, requests: rate.requests, perMs: parseDurationMs(rate.per) } : null,
    basicAuth: basicAuth ?? null,
    bodyBytesMax: bodyMax === undefined ? null : parseBytes(bodyMax),
    place,
  };
}
