/** TLS sessions as a client that is not ours keeps them: `openssl s_client -sess_in`. */
import { spawn } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Scene } from './scene.ts';

export const tlsVersions = ['1.2', '1.3'] as const;
export type TlsVersion = (typeof tlsVersions)[number];

/** A ticket lives for five minutes and sees one rotation; `s_client` keeps no fresh one of a TLS 1.2 session that was taken up. */
export async function beginAnew(scene: Scene): Promise<void> {
  for (const version of tlsVersions) {
    rmSync(join(scene.stack.folder, `session-${version}`), { force: true });
    await visit(scene, version);
  }
}

/** One request. `resumed`: the session of the one before was taken up; its newest ticket is kept for the next. */
export async function visit(
  { stack, https }: Scene,
  version: TlsVersion,
): Promise<{ resumed: boolean; ok: boolean }> {
  const file = join(stack.folder, `session-${version}`);
  const fresh = `${file}.new`;
  const said = await new Promise<string>((resolve, reject) => {
    const child = spawn('openssl', [
      ...['s_client', '-connect', `127.0.0.1:${https}`, '-servername', 'shop.example', '-ign_eof'],
      ...[
        `-tls${version.replace('.', '_')}`,
        '-sess_out',
        fresh,
        ...(existsSync(file) ? ['-sess_in', file] : []),
      ],
    ]);
    let output = '';
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
      output += chunk;
    });
    child.on('error', reject).on('close', () => resolve(output));
    child.stdin.on('error', () => {});
    child.stdin.end('GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n');
  });
  if (existsSync(fresh)) renameSync(fresh, file);
  return { resumed: /^Reused, TLSv/m.test(said), ok: /^HTTP\/1\.1 200/m.test(said) };
}
