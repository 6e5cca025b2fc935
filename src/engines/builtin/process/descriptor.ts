import koffi from 'koffi';

const libc = koffi.load(null);
const dupOf = libc.func('int dup(int fd)');

/**
 * A second number for the same open socket. Closing it closes nothing for other generations, nor for us:
 * so the public side can be parked and opened again as often as one likes, while the inherited number stays.
 */
export function duplicate(fd: number): number {
  const copy = Number(dupOf(fd));
  if (copy < 0) throw new Error(`descriptor ${fd} cannot be duplicated: is it an open socket?`);
  return copy;
}
