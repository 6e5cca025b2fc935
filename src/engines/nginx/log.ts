import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';

const chunkBytes = 64 * 1024;
/** A log is put aside at this size; NGINX stops writing to one long before a disk is full. */
const putAsideBytes = 8 * 1024 * 1024;
/** Workers write to the old file for a moment after they were told of the new one. */
const settleMs = 500;

export interface LogReader {
  /** The lines that were written since the last call, whole ones only. */
  read(): string[];
  close(): void;
}

/**
 * Follows a log that NGINX appends to. When it has grown large it is put aside, and `reopen` tells NGINX to begin a new
 * one; the old one is read to its end. Several readers may follow the same log.
 */
export function followLog(path: string, reopen: () => void, now: () => number): LogReader {
  let fd: number | null = null;
  let offset = 0;
  let rest = '';
  let movedAt: number | null = null;

  function open(): boolean {
    try {
      fd = openSync(path, 'r');
      offset = 0;
      movedAt = null;
      return true;
    } catch {
      return false;
    }
  }

  function isMoved(open: number): boolean {
    try {
      return statSync(path).ino !== fstatSync(open).ino;
    } catch {
      return true;
    }
  }

  function readRest(open: number): string {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let text = '';
    for (;;) {
      const bytes = readSync(open, buffer, 0, chunkBytes, offset);
      if (bytes === 0) return text;
      offset += bytes;
      text += buffer.toString('latin1', 0, bytes);
    }
  }

  function turnOver(open: number): void {
    if (movedAt === null && isMoved(open)) movedAt = now();
    if (movedAt === null && offset > putAsideBytes) {
      renameSync(path, `${path}.old`);
      reopen();
      movedAt = now();
    }
    if (movedAt === null || now() - movedAt < settleMs) return;
    rest += readRest(open);
    closeSync(open);
    fd = null;
    rmSync(`${path}.old`, { force: true });
  }

  return {
    read() {
      if (fd === null && !open()) return [];
      if (fd === null) return [];
      const lines = (rest + readRest(fd)).split('\n');
      rest = lines.pop() ?? '';
      turnOver(fd);
      return lines;
    },
    close() {
      if (fd !== null) closeSync(fd);
      fd = null;
    },
  };
}
