import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure, messageOf } from '#base';
import type { Identity } from '#engines';

/**
 * A folder for one proof, and who cleans up after it: a shell in a session of its own that holds nothing but the end of a
 * pipe. When the pipe ends, however we end, it kills what it was told of and removes the folder.
 */
export interface ProofFolder {
  readonly path: string;
  write(name: string, content: string): string;
  /** From now on this process group ends with us; null: there is none any more. */
  guard(group: number | null): void;
  /** Resolves when nothing is left. */
  remove(): Promise<void>;
}

const cleaner = `trap '' INT TERM HUP
group=
while read -r line; do group=$line; done
[ -n "$group" ] && kill -9 "-$group" 2>/dev/null
rm -rf "$1"`;

/** @throws Failure HF306 when it cannot be made: a full disk, say. */
export function proofFolder(identity: Identity): ProofFolder {
  let path: string | null = null;
  try {
    path = mkdtempSync(join(tmpdir(), 'hfproof-'));
    const made = path;
    const undertaker = spawn('/bin/sh', ['-c', cleaner, 'holdfast-proof', made], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    undertaker.on('error', () => {});
    undertaker.stdin.on('error', () => {});
    chmodSync(made, 0o711);
    const inside = join(made, 'p');
    mkdirSync(inside, { mode: 0o700 });
    const give = (what: string) => {
      if (identity) chownSync(what, identity.uid, identity.gid);
    };
    give(inside);
    return {
      path: inside,
      write(name, content) {
        const file = join(inside, name);
        writeFileSync(file, content, { encoding: 'latin1', mode: 0o600 });
        give(file);
        return file;
      },
      guard: (group) => void undertaker.stdin.write(`${group ?? ''}\n`),
      remove: () => removed(undertaker, made),
    };
  } catch (error) {
    if (path !== null) rmSync(path, { recursive: true, force: true });
    throw new Failure('HF306', `a proof has no room: ${messageOf(error)}`);
  }
}

async function removed(undertaker: ChildProcess, path: string): Promise<void> {
  const gone = undertaker.pid === undefined ? null : once(undertaker, 'close');
  undertaker.stdin?.end();
  if (undertaker.exitCode === null && undertaker.signalCode === null) await gone;
  rmSync(path, { recursive: true, force: true });
}
