import { closeSync, fstatSync, openSync, readlinkSync, readSync, statSync } from 'node:fs';

const chunkBytes = 64 * 1024;
const bytesAtOnceMax = 8 * 1024 * 1024;
/** After a rotation its writers go on with the old file until they are told. */
const settleMs = 2_000;

export interface ForeignLog {
  /** Whole lines that were written since the last call. @throws Error when it cannot be read */
  read(): readonly string[];
  close(): void;
}

/** Follows somebody else's log from its end, through rotation by name and by copying; never writes. */
export function followForeign(path: string, now: () => number): ForeignLog {
  let fd: number | null = null;
  let offset = 0;
  let rest = '';
  let movedAt: number | null = null;
  let isFirst = true;

  function open(): number {
    const found = openSync(path, 'r');
    const { size } = fstatSync(found);
    // What was written before anybody looked is no news; the file after a rotation is.
    offset = isFirst ? size : 0;
    [fd, movedAt, isFirst] = [found, null, false];
    return found;
  }

  function readNew(open: number): string {
    const { size } = fstatSync(open);
    if (size < offset) [offset, rest] = [0, ''];
    const buffer = Buffer.allocUnsafe(chunkBytes);
    let text = '';
    while (text.length < bytesAtOnceMax) {
      const bytes = readSync(open, buffer, 0, chunkBytes, offset);
      if (bytes === 0) break;
      offset += bytes;
      text += buffer.toString('latin1', 0, bytes);
    }
    return text;
  }

  function letGoOfMoved(open: number): void {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.ino === fstatSync(open).ino) movedAt = null;
    else movedAt ??= now();
    if (movedAt === null || now() - movedAt < settleMs || !there) return;
    closeSync(open);
    fd = null;
  }

  return {
    read() {
      if (fd === null && !isRegular(path)) throw new Error(`${path} is no file that can be followed`);
      const current = fd ?? open();
      const lines = (rest + readNew(current)).split('\n');
      rest = lines.pop() ?? '';
      letGoOfMoved(current);
      return lines;
    },
    close() {
      if (fd !== null) closeSync(fd);
      fd = null;
    },
  };
}

/** In images of containers it is a link to the standard output of whoever opens it: ours. */
function isRegular(path: string): boolean {
  if (linkOf(path).startsWith('/dev/')) return false;
  return statSync(path).isFile();
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
