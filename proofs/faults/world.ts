/** Another clock and a slower disk for a site's processes and engines, as a library gives it to them. */
import { chmodSync, closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { compile } from '../ladder/engine.ts';

export interface World {
  /** For `up`, and all that it starts; engines by a script before HAProxy. */
  readonly env: NodeJS.ProcessEnv;
  /** From now on, for those who run too. */
  become(how: { readonly clockOffSeconds?: number; readonly diskMs?: number }): void;
}

export function makeWorld(folder: string): World {
  const library = join(folder, 'world.so');
  const numbers = join(folder, 'world');
  const haproxy = join(folder, 'haproxy');
  compile(join(import.meta.dirname, 'world.c'), library);
  const become: World['become'] = ({ clockOffSeconds = 0, diskMs = 0 }) => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64LE(BigInt(clockOffSeconds), 0);
    bytes.writeBigInt64LE(BigInt(diskMs), 8);
    const file = openSync(numbers, 'r+');
    writeSync(file, bytes, 0, 16, 0);
    closeSync(file);
  };
  writeFileSync(numbers, Buffer.alloc(16));
  const env = { LD_PRELOAD: library, FAULTS: numbers };
  writeFileSync(
    haproxy,
    `#!/bin/sh\nexport LD_PRELOAD=${library} FAULTS=${numbers}\nexec /usr/sbin/haproxy "$@"\n`,
  );
  for (const [file, mode] of [
    [library, 0o755],
    [haproxy, 0o755],
    [numbers, 0o644],
  ] as const)
    chmodSync(file, mode);
  become({});
  return { env: { ...env, HOLDFAST_HAPROXY: haproxy }, become };
}
