import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Site } from './site.ts';

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

/** The PEM files that a site names, each once: what is shown to clients and servers, by whom clients and servers are trusted or not any more, and keys. */
export function pemFiles(site: Site): {
  readonly certificates: readonly string[];
  readonly authorities: readonly string[];
  readonly keys: readonly string[];
} {
  const ofPools = site.pools.flatMap(({ tls }) => tls ?? []);
  const pairs = [
    ...site.listeners.flatMap(({ tls }) => tls?.certificates ?? []),
    ...ofPools.flatMap(({ certificate }) => certificate ?? []),
  ];
  return {
    certificates: [...new Set(pairs.map(({ certificate }) => certificate))],
    authorities: [
      ...new Set([
        ...site.listeners.flatMap(({ tls }) => tls?.clients?.authorities ?? []),
        ...site.listeners.flatMap(({ tls }) => tls?.clients?.revocations ?? []),
        ...ofPools.flatMap(({ authorities }) => authorities ?? []),
      ]),
    ],
    keys: [...new Set(pairs.map(({ key }) => key))],
  };
}

/** The certificates that the site names, by path, and no key. A file that cannot be read is left out. */
export async function readCertificates(
  site: Site,
  read: (path: string) => Promise<string | Uint8Array>,
): Promise<Readonly<Record<string, string>>> {
  const { certificates, authorities } = pemFiles(site);
  const contents = await Promise.all(
    [...certificates, ...authorities].map(async (path) => {
      const content = await read(path).catch(() => null);
      return content === null ? [] : [[path, Buffer.from(content).toString('utf8')] as const];
    }),
  );
  return Object.fromEntries(contents.flat());
}
