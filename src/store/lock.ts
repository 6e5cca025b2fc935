import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Failure } from '#base';
import { isBusy } from './faults.ts';

/**
 * One writer a folder: an exclusive transaction on a database of its own, which the kernel ends with the process,
 * however it ends. Not on the journal itself, so that it can be read and verified while a controller holds it.
 * `journal.lock` must never be opened by other means: closing any descriptor of it would drop the lock (POSIX).
 */
export function acquireLock(folder: string): { release(): void } {
  const pidPath = join(folder, 'journal.pid');
  const database = new DatabaseSync(join(folder, 'journal.lock'), { timeout: 0 });
  try {
    database.exec('pragma locking_mode = exclusive; begin exclusive');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new Failure(
      'HF201',
      `the journal in ${folder} is held by ${holder(pidPath)}`,
      'Use the Holdfast that runs, or end it first',
    );
  }
  try {
    writeFileSync(pidPath, `${process.pid}\n`);
  } catch {
    // Only a courtesy to whom the lock turns away; the disk may be full.
  }
  return {
    release() {
      rmSync(pidPath, { force: true });
      database.close();
    },
  };
}

function holder(pidPath: string): string {
  try {
    const pid = Number(readFileSync(pidPath, 'utf8'));
    if (Number.isSafeInteger(pid) && pid > 0) return `process ${pid}`;
  } catch {
    // The holder may not have been able to say who it is.
  }
  return 'another process';
}
