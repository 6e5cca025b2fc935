import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** A hundred times the longest chain that was ever seen. */
const bytesMax = 4 * 1024 * 1024;
// Without O_NONBLOCK the name of a pipe would wait for a writer.
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK;

/** A certificate's or a key's text. Rejects, with what it is instead, for what cannot be one: a site file may name anything. */
export async function readCertificateFile(path: string): Promise<string> {
  const handle = await open(path, openFlags);
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('something that is not a regular file');
    const { size } = found;
    if (size > bytesMax) throw new Error(`${size} bytes, more than any PEM file has`);
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await handle.read(buffer, 0, size, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}
