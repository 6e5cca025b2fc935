import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isAlive, type ProcessIdentity } from '#base';

/**
 * An adoption or a handing back while it lasts: another engine is meant to listen beside ours. It lies in the balancer's
 * run folder, so whoever was killed in the middle of one is found out.
 */
interface Handover {
  readonly what: 'adoption' | 'handing back';
  readonly by: ProcessIdentity;
  /** The command that finishes it. */
  readonly remedy: string;
}

const fileOf = (run: string) => join(run, 'handover');

export function beginHandover(run: string, what: Handover['what'], remedy: string): void {
  const by = identify(process.pid);
  if (by) writeFileSync(fileOf(run), JSON.stringify({ what, by, remedy } satisfies Handover));
}

export function endHandover(run: string): void {
  rmSync(fileOf(run), { force: true });
}

/** Somebody is at it. */
export function isHandedOver(run: string): boolean {
  const found = handoverOf(run);
  return found !== null && isAlive(found.by);
}

/** What was cut off, and the command that finishes it; null: nothing. */
export function cutOff(run: string): { readonly what: string; readonly remedy: string } | null {
  const found = handoverOf(run);
  return found === null || isAlive(found.by) ? null : { what: found.what, remedy: found.remedy };
}

function handoverOf(run: string): Handover | null {
  try {
    return JSON.parse(readFileSync(fileOf(run), 'utf8')) as Handover;
  } catch {
    return null;
  }
}
