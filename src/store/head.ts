import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { genesisHash } from './chain.ts';
import { damaged } from './faults.ts';

/** The newest entry, written outside the database after it was committed: so a journal that was cut short shows. */
export interface Head {
  readonly sequence: number;
  readonly hash: string;
}

export const emptyHead: Head = { sequence: 0, hash: genesisHash };

/** Null when there is none. Throws HF202 when it is not a head. */
export function readHead(folder: string): Head | null {
  const path = join(folder, 'journal.head');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  const head = parseHead(text);
  if (head === null) throw damaged(path, 'it does not name an entry and its hash');
  return head;
}

function parseHead(text: string): Head | null {
  try {
    const { sequence, hash } = JSON.parse(text) as { sequence?: unknown; hash?: unknown };
    if (!Number.isSafeInteger(sequence) || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash))
      return null;
    return { sequence: Number(sequence), hash };
  } catch {
    return null;
  }
}

/** Whole or not at all, also after a power cut: the new text is on disk before it takes the name. */
export function writeHead(folder: string, head: Head): void {
  const path = join(folder, 'journal.head');
  const file = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(file, `${JSON.stringify(head)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.new`, path);
}
