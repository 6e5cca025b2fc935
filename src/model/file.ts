import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Failure, messageOf } from '#base';
import { siteFileBytesMax } from './limits.ts';

export interface SiteFile {
  /** As the person gave it: what diagnostics say. */
  readonly file: string;
  /** Absolute folder that relative names in the text start from. */
  readonly folder: string;
  readonly text: string;
}

// Without O_NONBLOCK the name of a pipe would wait for a writer.
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads at most `bytesMax` bytes. Throws Failure HF002, HF003 or HF004. */
export async function readSiteFile(path: string, bytesMax = siteFileBytesMax): Promise<SiteFile> {
  const handle = await open(path, openFlags).catch((error: unknown) => {
    throw new Failure(
      'HF003',
      `${path} cannot be read: ${reasonOf(error)}`,
      'Check the name and the rights.',
    );
  });
  try {
    const bytes = await readWhole(handle, path, bytesMax);
    const text = new TextDecoder('utf-8', { fatal: true });
    return { file: path, folder: dirname(await realpath(resolve(path))), text: text.decode(bytes) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof TypeError)
      throw new Failure('HF001', `${path} is not UTF-8 text`, 'Save it as UTF-8.');
    throw new Failure(
      'HF003',
      `${path} cannot be read: ${reasonOf(error)}`,
      'Check the name and the rights.',
    );
  } finally {
    await handle.close();
  }
}

/** The size is asked before, the reading stops at it, and the name must lead to the same unchanged file afterwards. */
async function readWhole(handle: FileHandle, path: string, bytesMax: number): Promise<Uint8Array> {
  const before = await handle.stat({ bigint: true });
  if (before.isDirectory()) throw new Failure('HF003', `${path} is a folder`, 'Name the site file in it.');
  if (!before.isFile()) throw new Failure('HF003', `${path} is not a regular file`, 'Name a file.');
  if (before.size > BigInt(bytesMax)) {
    throw new Failure(
      'HF002',
      `${path} has ${before.size} bytes, expected at most ${bytesMax}`,
      'Check that it is the right file.',
    );
  }
  const buffer = Buffer.alloc(Number(before.size) + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  const after = await stat(path, { bigint: true }).catch(() => null);
  const untouched =
    after?.ino === before.ino &&
    after.size === before.size &&
    after.mtimeNs === before.mtimeNs &&
    length === Number(before.size);
  if (!untouched) {
    throw new Failure(
      'HF004',
      `${path} changed while it was read`,
      'Wait until it has been written, then run the command again.',
    );
  }
  return buffer.subarray(0, length);
}

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  return messageOf(error);
}
