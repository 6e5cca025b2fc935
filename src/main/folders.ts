import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { baseFolders, Failure, messageOf, type SitePaths } from '#base';
import type { Site } from '#model';
import { balancerPlaces } from './places.ts';

/** Linux's limit for the path of a Unix socket, less the closing zero. */
const socketPathBytesMax = 107;
/** The longest name of a socket below a balancer's folder, for any number that a site lives to see. */
const longestSocket = 'scratch99999/neighbour.sock';

/** Makes what `up` needs. @throws Failure HF305 that says which folder, why, and which variable names it. */
export function makeSiteFolders(paths: SitePaths, site: Site): void {
  const tooLong = site.balancers
    .map(({ name }) => join(balancerPlaces(paths, name).run, longestSocket))
    .find((path) => Buffer.byteLength(path) > socketPathBytesMax);
  if (tooLong !== undefined)
    throw new Failure(
      'HF305',
      `${paths.run} is too long for Unix sockets in it: ${tooLong} has ${Buffer.byteLength(tooLong)} bytes, at most ${socketPathBytesMax} can be`,
      'Set HOLDFAST_RUN to a shorter folder, or give site and balancers shorter names.',
    );
  for (const folder of [baseFolders().run, paths.run]) make(folder, 0o755, 'HOLDFAST_RUN');
  make(paths.state, 0o700, 'HOLDFAST_STATE');
}

/** One level at a time: Node's own way of making all of them never ends where the system answers ENOENT, as below /proc. */
function make(path: string, mode: number, variable: string): void {
  if (isFolder(path)) return;
  if (!existsSync(dirname(path))) make(dirname(path), 0o755, variable);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (isFolder(path)) return;
    throw new Failure(
      'HF305',
      `${path} cannot be made: ${messageOf(error)}`,
      `Set ${variable} to a folder that can be written.`,
    );
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
