import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** The content, or nothing where it cannot be read: a process may end at any moment. */
export function readOr(path: string, otherwise = ''): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

export function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Its command line or its environment, word by word. */
export function wordsOf(pid: number, what: 'cmdline' | 'environ'): string[] {
  return readOr(`/proc/${pid}/${what}`).split('\0').filter(Boolean);
}

/** The file that runs, whatever the process calls itself. An upgrade may have replaced it on disk. */
export function programOf(pid: number): string {
  return basename(linkOf(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '')) || 'unknown';
}

export function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readOr(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Whether it is `ancestor` or was started below it. */
export function isBelow(pid: number, ancestor: number): boolean {
  if (pid === ancestor) return true;
  const parent = parentOf(pid);
  return parent > 1 && isBelow(parent, ancestor);
}

/** The topmost process above this one that runs the same binary. */
export function mainOf(pid: number): number {
  const parent = parentOf(pid);
  const same = parent > 1 && linkOf(`/proc/${parent}/exe`) === linkOf(`/proc/${pid}/exe`);
  return same ? mainOf(parent) : pid;
}

/** It, and all that was started below it and still runs. */
export function withDescendants(pid: number): number[] {
  const children = readOr(`/proc/${pid}/task/${pid}/children`).split(' ').map(Number).filter(Boolean);
  return [pid, ...children.flatMap(withDescendants)];
}
