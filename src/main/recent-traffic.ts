import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readSite } from '#dialects';
import type { RealRequests, WrittenText } from '#model';
import { type Traffic, trafficOf } from '#plan';

/** A plan is waited for: so many requests say where traffic goes to within a per cent. */
const requestsMax = 5_000;
const bytesMax = 4 * 1024 * 1024;

/**
 * The newest requests of the access log that the running site writes here, or of the one that is `wanted`; null where it writes
 * none to a file, or none can be read.
 */
export function recentTraffic(
  running: WrittenText,
  wanted: Pick<RealRequests, 'accessLog' | 'queryValues' | 'host'> = {
    accessLog: null,
    queryValues: false,
    host: null,
  },
): Traffic | null {
  const { site } = readSite(running);
  const log = site?.accessLog;
  const path = wanted.accessLog ?? (log?.kind === 'file' ? log.path : null);
  if (path === null) return null;
  try {
    return trafficOf(tailOf(path), path, { host: wanted.host, queryValues: wanted.queryValues, requestsMax });
  } catch {
    return null;
  }
}

function tailOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const from = Math.max(0, size - bytesMax);
    const bytes = Buffer.alloc(Math.min(size, bytesMax));
    const read = readSync(file, bytes, 0, bytes.length, from);
    const text = bytes.toString('utf8', 0, read);
    // The first line may be the end of one.
    return from === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    closeSync(file);
  }
}
