import { rm } from 'node:fs/promises';
import { connect } from 'node:net';

/** Takes away what a dead process left at `path`; a socket that somebody answers on is not ours to take. */
export async function removeSocketFile(path: string): Promise<void> {
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
  if (answered) throw new Error(`${path} is in use by another process`);
  await rm(path, { force: true });
}
